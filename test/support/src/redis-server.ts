import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endWithUs } from './end-with-us.ts'

/** How to run a server. */
export interface ServerProgram {
  /** The binary: `REDIS_SERVER`, or `redis-server` if that is not set. */
  readonly program?: string
}

/** A real `redis-server` of the test's own: on a free port, in its own directory, gone with {@link RedisServer.stop}. */
export class RedisServer {
  readonly port: number
  /** Where it keeps its files: a relative path among its arguments lies in here. */
  readonly directory: string
  readonly #args: readonly string[]
  readonly #config: readonly string[]
  readonly #program: string
  #process: ChildProcess | undefined

  private constructor(
    port: number,
    directory: string,
    args: readonly string[],
    {
      config,
      program = process.env.REDIS_SERVER ?? 'redis-server',
    }: ServerProgram & { config?: string } = {},
  ) {
    this.#program = program
    this.port = port
    this.directory = directory
    this.#args = args
    this.#config = config === undefined ? [] : [config]
  }

  /** @param args further arguments, as on the command line: `['--maxmemory', '10mb']` */
  static async start(args: readonly string[] = [], program: ServerProgram = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await ownDirectory(), args, program)
    await server.restart()
    return server
  }

  /** The same program as a sentinel. @param config lines of its configuration, which it goes on to rewrite itself */
  static async startSentinel(config: readonly string[]): Promise<RedisServer> {
    const directory = await ownDirectory()
    const file = join(directory, 'sentinel.conf')
    await writeFile(file, config.join('\n'))
    const server = new RedisServer(await freePort(), directory, ['--sentinel'], { config: file })
    await server.restart()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /**
   * Starts the process again on the same port, after {@link kill} or in place of the one that still runs. Nothing is
   * kept unless its arguments say so.
   *
   * @param args for this time only, behind those it has
   */
  async restart(args: readonly string[] = []): Promise<void> {
    await this.kill()
    const child = spawn(
      this.#program,
      [
        this.#config,
        ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.directory],
        ['--save', '', '--appendonly', 'no', '--loglevel', 'warning'],
        this.#args,
        args,
      ].flat(),
      { stdio: 'ignore' },
    )
    this.#process = child
    endWithUs(child, this.directory)
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`${this.#program} ended with ${code} before it was ready`)))
    })
    failed.catch(() => {})
    await Promise.race([this.#ready(), failed])
  }

  /** Ends the process as a crash would, at once. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Stops it in mid-breath: connections stay open, nothing is answered. */
  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Ends the process and removes its directory. */
  async stop(): Promise<void> {
    await this.#end('SIGKILL')
    await rm(this.directory, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  async #ready(): Promise<void> {
    while (!(await answersPing(this.port))) await sleep(10)
  }
}

function ownDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'cache-redis-'))
}

/**
 * A port that was free a moment ago, below the range from which clients get theirs: one that knocks at a dead port
 * of that range may be given the very same port, connect to itself, and occupy it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function answersPing(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(500, () => end(false))
    socket.once('error', () => end(false))
    socket.once('connect', () => socket.write('PING\r\n'))
    // A password-protected server answers -NOAUTH: it is up all the same. -LOADING is not.
    socket.once('data', data => end(!data.toString().startsWith('-LOADING')))
  })
}
