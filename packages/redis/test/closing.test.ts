import { spawn } from 'node:child_process'
import { ask, certificates, eventually, freePort, RedisServer, TcpProxy } from '@cache/test-support'
import { expect, onTestFinished, test } from 'vitest'
import type { ConnectionOptions } from '../src/index.ts'
import { openClient, ownServer } from './support.ts'

/** The write deadline (250 ms, the longest of a command that runs) and what a busy machine may add. */
const BOUND_MS = 250 + 1_250
/** How long what was closed may go on: sockets linger, a question to a frozen sentinel runs out. */
const EXIT_MS = 5_000

const index = new URL('../src/index.ts', import.meta.url).href

/**
 * Opens everything there is to each of the servers, in a process of their own, sends commands and closes all; `meanwhile` is
 * called before the commands.
 */
async function closeInTrouble(
  connections: Readonly<Record<string, ConnectionOptions>>,
  meanwhile: () => void,
): Promise<{ code: number | null; output: string; exitMs: number }> {
  const child = spawn(
    process.execPath,
    [
      ...['--no-warnings', '-C', '@cache/source', '--input-type=module', '-e'],
      `import { RedisStore, RedisBus } from '${index}'
      const opened = Object.entries(JSON.parse(process.env.CONNECTIONS)).map(([name, connection]) => {
        const store = new RedisStore({ connection })
        const buses = ['pubsub', 'tracking'].map(mode => new RedisBus({ connection, mode }))
        for (const bus of [store.bus, ...buses]) bus.subscribe(() => {})
        return { name, store, buses }
      })
      await Promise.all(opened.map(({ store }) => store.get('k').catch(() => {})))
      await new Promise(resolve => setTimeout(resolve, 100))
      const told = new Promise(resolve => process.once('message', resolve))
      process.send('opened')
      await told
      process.disconnect()
      const entry = { value: 1, createdAt: 0, freshUntil: 0, expiresAt: Date.now() + 60_000 }
      const took = await Promise.all(opened.map(async ({ name, store, buses }) => {
        for (let i = 0; i < 20; i++) {
          store.get('k').catch(() => {})
          store.set('k' + i, entry)
          buses[0].publish({ type: 'clear' })
        }
        const start = performance.now()
        await Promise.all([store, ...buses].map(each => each.close()))
        return [name, performance.now() - start]
      }))
      console.log(JSON.stringify(Object.fromEntries(took)))`,
    ],
    {
      env: { ...process.env, CONNECTIONS: JSON.stringify(connections) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  let output = ''
  let closedAt = Number.NaN
  child.stdout?.on('data', data => {
    closedAt = performance.now()
    output += data
  })
  child.stderr?.on('data', data => {
    output += data
  })
  child.once('message', () => {
    meanwhile()
    child.send('go on')
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
  const code = await new Promise<number | null>(resolve => child.once('exit', resolve))
  clearTimeout(timer)
  return { code, output, exitMs: performance.now() - closedAt }
}

const host = '127.0.0.1'

async function ownProxy(port: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(port)
  onTestFinished(() => proxy.stop())
  return proxy
}

async function ownSentinel(config: readonly string[] = []): Promise<RedisServer> {
  const sentinel = await RedisServer.startSentinel(config)
  onTestFinished(() => sentinel.stop())
  return sentinel
}

interface Trouble {
  readonly connection: ConnectionOptions
  readonly trouble?: () => void
}

const TROUBLES: readonly (readonly [where: string, prepare: () => Promise<Trouble>])[] = [
  ['all is well', async () => ({ connection: { host, port: (await ownServer()).port } })],
  ['nobody ever listened', async () => ({ connection: { host, port: await freePort() } })],
  [
    'the route was dead from the start',
    async () => {
      const proxy = await ownProxy(1)
      proxy.mode = 'blackhole'
      return { connection: { host, port: proxy.port } }
    },
  ],
  [
    'the route is dead by now',
    async () => {
      const proxy = await ownProxy((await ownServer()).port)
      return {
        connection: { host, port: proxy.port },
        trouble: () => {
          proxy.mode = 'blackhole'
        },
      }
    },
  ],
  [
    'the server has just gone',
    async () => {
      const proxy = await ownProxy((await ownServer()).port)
      return {
        connection: { host, port: proxy.port },
        trouble: () => {
          proxy.mode = 'refuse'
        },
      }
    },
  ],
  [
    'the server is frozen by now',
    async () => {
      const server = await ownServer()
      return { connection: { host, port: server.port }, trouble: () => server.freeze() }
    },
  ],
  [
    'TLS is never agreed on',
    async () => {
      const proxy = await ownProxy(1)
      proxy.mode = 'blackhole'
      return { connection: { host, port: proxy.port, tls: { ca: certificates.authority } } }
    },
  ],
  [
    'the password is wrong',
    async () => {
      const { port } = await ownServer(['--requirepass', 'right'])
      return { connection: { host, port, password: 'wrong' } }
    },
  ],
  [
    'no sentinel answers',
    async () => ({ connection: { name: 'm', sentinels: [{ host, port: await freePort() }] } }),
  ],
  [
    'the sentinel is frozen',
    async () => {
      const { port } = await ownServer()
      const sentinel = await ownSentinel([`sentinel monitor m ${host} ${port} 1`])
      sentinel.freeze()
      return { connection: { name: 'm', sentinels: [{ host, port: sentinel.port }] } }
    },
  ],
  [
    'the master that the sentinel names is frozen',
    async () => {
      const server = await ownServer()
      const sentinel = await ownSentinel([`sentinel monitor m ${host} ${server.port} 1`])
      return {
        connection: { name: 'm', sentinels: [{ host, port: sentinel.port }] },
        trouble: () => server.freeze(),
      }
    },
  ],
  [
    'it is loading its data',
    async () => {
      const server = await ownServer([
        ...['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024'],
      ])
      const admin = openClient(server.url)
      for (let i = 0; i < 5_000; i++) admin.set(`filler:${i}`, 'x'.repeat(1_000))
      await admin.save()
      await server.kill()
      // Ended by the end of the test long before it is ready.
      server.restart().catch(() => {})
      const loading = () => ask(server, client => client.info('persistence')).catch(() => '')
      await eventually('it loads', async () => (await loading()).includes('loading:1'))
      return { connection: { host, port: server.port } }
    },
  ],
]

test('close is prompt and the process ends by itself, whatever trouble Redis is in', async () => {
  const prepared = await Promise.all(
    TROUBLES.map(async ([where, prepare]) => ({ where, ...(await prepare()) })),
  )
  const { code, output, exitMs } = await closeInTrouble(
    Object.fromEntries(prepared.map(({ where, connection }) => [where, connection])),
    () => {
      for (const { trouble } of prepared) trouble?.()
    },
  )
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^\{.*\}\n$/) })
  const took: Record<string, number> = JSON.parse(output)
  expect(Object.keys(took)).toHaveLength(TROUBLES.length)
  expect(Object.entries(took).filter(([, ms]) => ms > BOUND_MS)).toEqual([])
  expect(exitMs).toBeLessThan(EXIT_MS)
})
