import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from './usage-error.ts'

/**
 * The `redis-server` of this machine: `REDIS_SERVER`, else the first on the `PATH`.
 *
 * @throws UsageError if `REDIS_SERVER` is set to something that cannot be run
 */
export function findRedisServer(env: NodeJS.ProcessEnv): string | undefined {
  if (env.REDIS_SERVER) {
    if (isExecutable(env.REDIS_SERVER)) return env.REDIS_SERVER
    throw new UsageError(`REDIS_SERVER must be a redis-server to run; received "${env.REDIS_SERVER}"`)
  }
  const directories = (env.PATH ?? '').split(delimiter).filter(directory => directory !== '')
  return directories.map(directory => join(directory, 'redis-server')).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** How long a server may take to answer, in milliseconds. */
const START_MS = 5_000

/** A Redis of the demo's own, which it may kill: nothing is kept on disk, and it never outlives this process. */
export class OwnRedis {
  readonly #binary: string
  readonly #port: number
  #process: ChildProcess | undefined
  readonly #onExit = (): void => {
    this.#process?.kill('SIGKILL')
  }

  private constructor(binary: string, port: number) {
    this.#binary = binary
    this.#port = port
    process.once('exit', this.#onExit)
  }

  /** @throws Error if it does not answer within {@link START_MS} */
  static async start(binary: string): Promise<OwnRedis> {
    const redis = new OwnRedis(binary, await freePort())
    await redis.restart()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  /** Starts it again on the same port, empty. */
  async restart(): Promise<void> {
    const args = ['--port', `${this.#port}`, '--bind', '127.0.0.1', '--dir', tmpdir()]
    const child = spawn(this.#binary, [...args, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
    this.#process = child
    let failure: Error | undefined
    child.once('error', error => {
      failure = error
    })
    child.once('exit', code => {
      failure = new Error(`${this.#binary} ended with ${code}`)
    })
    const deadline = performance.now() + START_MS
    while (!(await answersPing(this.#port))) {
      if (failure) throw failure
      if (performance.now() > deadline) throw new Error(`${this.#binary} did not answer in ${START_MS} ms`)
      await sleep(20)
    }
  }

  /** Ends it as a crash would (SIGKILL). */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  async stop(): Promise<void> {
    await this.kill()
    process.off('exit', this.#onExit)
  }
}

/**
 * A free port below the range from which systems pick the near end of a connection: while the server is down, a
 * client that tries its port could otherwise be given that very port, connect to itself, and keep it occupied.
 */
async function freePort(): Promise<number> {
  for (let port = 16_379; port < 32_768; port++) {
    if (await isFree(port)) return port
  }
  throw new Error('There is no free port for redis-server')
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function answersPing(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.setTimeout(500, () => socket.destroy())
    socket.once('error', () => {})
    socket.once('data', data => {
      socket.destroy()
      resolve(data.toString().startsWith('+PONG'))
    })
    socket.once('close', () => resolve(false))
  })
}
