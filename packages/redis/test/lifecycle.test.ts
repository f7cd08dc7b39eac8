import { spawn } from 'node:child_process'
import { systemClock } from '@cache/core'
import { eventually, freePort, RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Connect, connector } from '../src/connect.ts'
import { RedisStore } from '../src/index.ts'
import { Pool } from '../src/pool.ts'
import {
  codeOf,
  connected,
  durationOf,
  entry,
  openClient,
  openStore,
  ownServer,
  patientStore,
} from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

const LEASE = { token: '00'.repeat(8), stamp: 0 }

async function connectionsTo(own: RedisServer): Promise<number> {
  const list = (await openClient(own.url).client('LIST')) as string
  return list.trim().split('\n').length - 1
}

describe('the pool', () => {
  test.each([1, 3, 10])('has %i connections if it is told to, and one to listen', async poolSize => {
    const own = await ownServer()
    const store = openStore({ url: own.url, poolSize })
    await connected(store)
    expect(await connectionsTo(own)).toBe(poolSize + 1)
    expect(store.health()).toEqual({
      available: true,
      outageMs: 0,
      // It may have begun to listen, and so to ask what it missed, before its first connection stood.
      pool: { size: poolSize, ready: poolSize, inFlight: 0, waiting: 0, waitedMs: expect.any(Number) },
    })
  })

  test('has 10 connections by default', () => {
    expect(openStore({ url: server.url }).health().pool?.size).toBe(10)
  })

  test('spreads reads over the connections that owe the fewest answers', async () => {
    const own = await ownServer()
    const store = patientStore({ url: own.url, poolSize: 4 })
    await connected(store)
    const client = openClient(own.url)
    await client.config('RESETSTAT')
    const reads = Array.from({ length: 40 }, () => store.get('k'))
    expect(store.health().pool?.inFlight).toBe(40)
    await Promise.all(reads)
    const list = (await client.client('LIST')) as string
    const busy = list.split('\n').filter(line => line.includes('cmd=get'))
    expect(busy).toHaveLength(4)
  })

  test('reads past a connection that is down', async () => {
    const own = await ownServer()
    const store = patientStore({ url: own.url, poolSize: 4 })
    await connected(store)
    const client = openClient(own.url)
    const ids = [...((await client.client('LIST')) as string).matchAll(/^id=(\d+)/gm)].map(match => match[1])
    await client.call('CLIENT', 'KILL', 'ID', String(ids[0]))
    await eventually('noticed', () => store.health().pool?.ready === 3)
    expect(store.health().available).toBe(true)
    expect(await codeOf(store.get('k'))).toBeUndefined()
    await eventually('made anew', () => store.health().pool?.ready === 4)
  })

  test('reads by a connection that stands rather than wait for one that is being made', async () => {
    const proxy = await TcpProxy.start(server.port)
    onTestFinished(() => proxy.stop())
    proxy.mode = 'blackhole'
    const bounds = { connectMs: 60_000, silenceMs: 60_000 }
    const connects = [proxy.url, server.url, proxy.url].map(url => connector({ url }, bounds))
    const pool = new Pool({
      client: undefined,
      connect: () => (connects.shift() as Connect)(),
      size: 3,
      name: 'test',
      clock: systemClock,
      emit: () => {},
    })
    onTestFinished(() => pool.close())
    await eventually('one stands', () => pool.health().pool?.ready === 1)
    const pings = Array.from({ length: 20 }, () =>
      pool.run('get', pool.forRead(), 5_000, client => client.ping()),
    )
    expect(new Set(await Promise.all(pings))).toEqual(new Set(['PONG']))
  })

  test('lets the first calls wait until it is connected', async () => {
    const store = patientStore({ url: server.url })
    const written = entry(1)
    const [outcome] = await Promise.all([store.set('first', written), store.get('x'), store.getMany(['x'])])
    expect(outcome).toEqual({ status: 'applied' })
    expect(await store.get('first')).toEqual(written)
  })
})

describe('health', () => {
  test('tells that the first connection is still being made, until it is', async () => {
    const store = openStore({ url: server.url })
    expect(store.health()).toMatchObject({ available: false, starting: true })
    await eventually('available', () => store.health().available)
    expect(store.health()).not.toHaveProperty('starting')
  })

  test('no longer tells so once it could not be made', async () => {
    const store = openStore({ url: `redis://127.0.0.1:${await freePort()}` })
    expect(store.health().starting).toBe(true)
    await eventually('refused', () => !('starting' in store.health()))
    expect(store.health().available).toBe(false)
  })

  test('never tells so of a store that is closed or uses a client of yours', async () => {
    const store = new RedisStore({ url: server.url })
    const closing = store.close()
    expect(store.health()).not.toHaveProperty('starting')
    await closing
    expect(openStore({ client: openClient(server.url) }).health()).not.toHaveProperty('starting')
  })
})

describe('close', () => {
  test('ends every connection, and everything after it is refused', async () => {
    const own = await ownServer()
    const store = new RedisStore({ url: own.url })
    store.bus.subscribe(() => {})
    await eventually('listening', () => store.bus.connected)
    await store.close()
    await eventually('gone', async () => (await connectionsTo(own)) === 0)
    const later = Date.now() + 1_000
    for (const call of [
      () => store.get('k'),
      () => store.getMany(['k']),
      () => store.set('k', entry(1)),
      () => store.setMany(new Map([['k', entry(1)]])),
      () => store.delete('k'),
      () => store.deleteMany(['k']),
      () => store.touch('k', later, later),
      () => store.getOrLease('k', 1_000),
      () => store.fill('k', entry(1), LEASE),
      () => store.renew('k', LEASE, 1_000),
      () => store.release('k', LEASE),
      () => store.invalidateTags(['tag']),
      () => store.purge(),
      () => store.clear(),
      () => store.keys().next(),
    ]) {
      expect(await codeOf((async () => call())())).toBe('CLOSED')
    }
    expect(() => store.bus.subscribe(() => {})).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    expect(store.health().available).toBe(false)
    await store.close()
  })

  test('lets the writes that were made end', async () => {
    const store = patientStore({ url: server.url })
    const writes = Array.from({ length: 200 }, (_, i) => store.set(`closing${i}`, entry(i)))
    await store.close()
    for (const outcome of await Promise.all(writes)) expect(outcome).toEqual({ status: 'applied' })
    const { found } = await patientStore({ url: server.url }).getMany(['closing0', 'closing199'])
    expect(found.size).toBe(2)
  })

  test('is prompt while connecting, reconnecting, or before a frozen server', async () => {
    const own = await ownServer()
    const connecting = new RedisStore({ url: own.url })
    expect(await durationOf(() => connecting.close())).toBeLessThan(500)

    const reconnecting = new RedisStore({ url: `redis://127.0.0.1:${await freePort()}` })
    await codeOf(reconnecting.get('k'))
    expect(await durationOf(() => reconnecting.close())).toBeLessThan(500)

    const frozen = new RedisStore({ url: own.url })
    await connected(frozen)
    own.freeze()
    const read = codeOf(frozen.get('k'))
    expect(await durationOf(() => frozen.close())).toBeLessThan(1_000)
    expect(await read).toBe('TIMEOUT')
  })
})

describe('a process', () => {
  const store = new URL('../src/index.ts', import.meta.url).href

  /** Runs a module to its end. */
  async function run(source: string): Promise<{ code: number | null; output: string; ms: number }> {
    const start = performance.now()
    const child = spawn(
      process.execPath,
      [
        '--no-warnings',
        '-C',
        '@cache/source',
        '--input-type=module',
        '-e',
        `import { RedisStore, RedisBus } from '${store}'\n${source}`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    child.stdout.on('data', data => {
      output += data
    })
    child.stderr.on('data', data => {
      output += data
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
    const code = await new Promise<number | null>(resolve => child.once('exit', resolve))
    clearTimeout(timer)
    return { code, output, ms: performance.now() - start }
  }

  test('ends by itself once the store is closed', async () => {
    const { code, output } = await run(`
      const store = new RedisStore({ url: '${server.url}', timeouts: { read: '5s' } })
      store.bus.onGap(() => {})
      await store.get('k')
      await store.close()`)
    expect({ code, output }).toEqual({ code: 0, output: '' })
  })

  test('ends by itself when Redis was never there, with nothing unhandled and nothing printed', async () => {
    const { code, output } = await run(`
      const url = 'redis://127.0.0.1:${await freePort()}'
      const store = new RedisStore({ url })
      const bus = new RedisBus({ url })
      store.bus.subscribe(() => {})
      bus.subscribe(() => {})
      await store.get('k').catch(() => {})
      await store.set('k', { value: 1, createdAt: 0, freshUntil: 0, expiresAt: Date.now() + 1000 })
      await new Promise(resolve => setTimeout(resolve, 300))
      await store.clear()
      await store.close()
      await bus.close()`)
    expect({ code, output }).toEqual({ code: 0, output: '' })
  })

  test('ends by itself although the server is frozen', async () => {
    const own = await ownServer()
    own.freeze()
    const { code, output } = await run(`
      const store = new RedisStore({ url: '${own.url}' })
      store.bus.subscribe(() => {})
      await store.get('k').catch(() => {})
      await store.close()`)
    expect({ code, output }).toEqual({ code: 0, output: '' })
  })
})
