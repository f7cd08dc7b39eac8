import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get, request } from 'node:http'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const WORKERS = 3

/** Only a real Redis can tell one process of another's write: `REDIS_URL=redis://127.0.0.1:6379 npm test`. */
describe.skipIf(!process.env.REDIS_URL)('the fleet', () => {
  const name = `theme-${process.pid}`
  let fleet: ChildProcess
  let port: number

  beforeAll(async () => {
    port = await freePort()
    fleet = spawn(process.execPath, ['src/server.ts'], {
      cwd: new URL('..', import.meta.url),
      env: { ...process.env, WORKERS: `${WORKERS}`, HOST: '127.0.0.1', PORT: `${port}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await saidTimes(fleet, 'worker ', WORKERS)
  })
  afterAll(() => fleet?.kill('SIGKILL'))

  const askEach = () => Promise.all(Array.from({ length: WORKERS * 4 }, () => ask(port, name)))

  test('what one worker writes, every worker reads', async () => {
    for (const theme of ['dark', 'light', 'dark', 'sepia']) {
      await put(port, name, theme)
      await expect
        .poll(
          async () => {
            const answers = await askEach()
            return { workers: new Set(answers.map(({ worker }) => worker)).size, themes: themesOf(answers) }
          },
          { timeout: 10_000 },
        )
        .toEqual({ workers: WORKERS, themes: [theme] })
    }
  })

  test('it ends with 0 on SIGTERM', async () => {
    fleet.kill('SIGTERM')
    expect(await once(fleet, 'exit')).toEqual([0, null])
  })
})

interface Answer {
  readonly worker: string
  readonly theme: string
}

function themesOf(answers: readonly Answer[]): string[] {
  return [...new Set(answers.map(({ theme }) => theme))]
}

/** On a connection of its own: the primary deals connections out in turn. */
function ask(port: number, name: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ port, path: `/settings/${name}`, agent: false }, response => {
      let theme = ''
      response.on('data', chunk => {
        theme += chunk
      })
      response.once('end', () => resolve({ worker: `${response.headers['x-worker']}`, theme }))
    }).once('error', reject)
  })
}

async function put(port: number, name: string, theme: string): Promise<void> {
  const sending = request({ port, path: `/settings/${name}`, method: 'PUT', agent: false }).end(theme)
  const [response] = await once(sending, 'response')
  response.resume()
}

/** Waits until a child has said a word so many times. */
function saidTimes(child: ChildProcess, word: string, times: number): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', chunk => {
      said += chunk
      if (said.split(word).length > times) resolve()
    })
    child.once('exit', () => reject(new Error(`it ended before it was ready: ${said}`)))
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}
