import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { type BusMode, RedisStore } from '@cache/redis'
import { ask, eventually, RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { TieredStore } from '../src/index.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

let prefixes = 0

/** A process: its own near tier, connections and cache over the shared Redis. */
async function start(prefix: string, url = server.url, bus: BusMode = 'pubsub') {
  const l1 = new MemoryStore({ maxItems: 1_000 })
  const l2 = new RedisStore({ url, prefix, bus, poolSize: 2, timeouts: { read: '5s', write: '5s' } })
  const store = new TieredStore({ l1, l2, timeouts: { read: '5s', write: '5s' } })
  const cache = new Cache<unknown>({ store })
  onTestFinished(() => cache.close())
  await eventually('coherent', () => store.health().state === 'coherent')
  await cache.get('asking brings it up to date')
  return { cache, l1, l2, store }
}

async function fleet(size: number) {
  const prefix = `fleet${prefixes++}:`
  const processes = await Promise.all(Array.from({ length: size }, () => start(prefix)))
  return { processes, prefix }
}

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

describe('processes that share a Redis', () => {
  it('load each cold key once between them', async () => {
    const { processes } = await fleet(8)
    let loads = 0
    const load = async ({ key }: { key: string }): Promise<string> => {
      loads++
      await sleep(20)
      return `value of ${key}`
    }
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)
    const values = await Promise.all(
      processes.flatMap(({ cache }) => keys.map(key => cache.getOrSet(key, load))),
    )
    expect(new Set(values).size).toBe(100)
    expect(loads).toBeLessThanOrEqual(110)
  })

  it('that track Redis too load a key once, and keep it', async () => {
    const prefix = `fleet${prefixes++}:`
    const processes = await Promise.all([1, 2, 3].map(() => start(prefix, server.url, 'tracking')))
    let loads = 0
    const load = async (): Promise<string> => {
      loads++
      await sleep(50)
      return 'v'
    }
    // Some come while it loads: the echo of the lease has passed by then.
    const early = processes.map(({ cache }) => cache.getOrSet('k', load))
    await sleep(20)
    const late = processes.map(({ cache }) => cache.getOrSet('k', load))
    expect(new Set(await Promise.all([...early, ...late]))).toEqual(new Set(['v']))
    expect(loads).toBe(1)
    expect(await processes[0]?.l2.get('k')).toMatchObject({ value: 'v' })
  })

  it('never keep what one loaded before another invalidated it', async () => {
    const { processes, prefix } = await fleet(3)
    const [a, b, c] = processes as [(typeof processes)[0], (typeof processes)[0], (typeof processes)[0]]
    for (const [key, invalidate] of Object.entries({
      deleted: () => b.cache.delete('deleted'),
      written: () => b.cache.set('written', 'new'),
      tagged: () => b.cache.invalidateTags(['t']),
      cleared: () => b.cache.clear(),
      byHand: () => ask(server, client => client.del(`${prefix}byHand`)),
    })) {
      const { promise, resolve } = Promise.withResolvers<string>()
      const loaded = a.cache.getOrSet(key, () => promise, { tags: ['t'] })
      await eventually(
        'loading',
        async () => (await ask(server, client => client.exists(`${prefix}${key}`))) === 1,
      )
      await invalidate()
      resolve('old')
      expect(await loaded, key).toBe('old')
      for (const { cache } of [a, b, c]) {
        await expect.poll(() => cache.get(key), { message: key }).toBe(key === 'written' ? 'new' : undefined)
      }
      expect(a.l1.get(key)?.value, key).not.toBe('old')
    }
  })

  it('see each other’s invalidations of tags, near and far', async () => {
    const { processes } = await fleet(3)
    const [a, b] = processes as [(typeof processes)[0], (typeof processes)[0]]
    for (const { cache } of processes) {
      expect(await cache.getOrSet('k', () => 1, { tags: ['t'] })).toBe(1)
      expect(await cache.getOrSet('other', () => 1, { tags: ['u'] })).toBe(1)
    }
    await a.cache.invalidateTags(['t'])
    expect(await a.cache.get('k')).toBeUndefined()
    await eventually('the message', async () => (await b.cache.get('k')) === undefined)
    expect(b.l1.get('other')?.value).toBe(1)
    expect(await b.cache.getOrSet('k', () => 2, { tags: ['t'] })).toBe(2)
    expect(await a.cache.get('k')).toBe(2)
  })
})

describe('a tag that is invalidated while Redis is away', () => {
  it('is invalid here at once, and everywhere once Redis is back', async () => {
    const prefix = `fleet${prefixes++}:`
    const own = await RedisServer.start()
    onTestFinished(() => own.stop())
    const proxy = await TcpProxy.start(own.port)
    onTestFinished(() => proxy.stop())
    const cut = await start(prefix, proxy.url)
    const other = await start(prefix, own.url)
    await cut.cache.set('k', 'old', { tags: ['t'] })
    expect(await other.cache.get('k')).toBe('old')
    proxy.mode = 'refuse'
    await eventually('away', () => cut.store.health().state === 'fallback')
    expect(await cut.cache.invalidateTags(['t'])).toMatchObject({ status: 'queued' })
    expect(await cut.cache.get('k')).toBeUndefined()
    proxy.mode = 'forward'
    await cut.store.whenRecovered()
    expect(await cut.cache.get('k')).toBeUndefined()
    await eventually('the invalidation', async () => (await other.cache.get('k')) === undefined)
  })
})

it('what is loaded while Redis is away serves here, and nothing of it is written later', async () => {
  const prefix = `fleet${prefixes++}:`
  const own = await RedisServer.start()
  onTestFinished(() => own.stop())
  const { cache, store, l1 } = await start(prefix, own.url)
  await own.stop()
  await eventually('away', () => store.health().state === 'fallback')
  expect(await cache.getOrSet('k', () => 'v')).toBe('v')
  expect(l1.get('k')?.value).toBe('v')
  expect(store.health().journal).toBe(0)
})
