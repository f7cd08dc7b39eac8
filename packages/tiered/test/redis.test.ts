import type { Entry, TelemetryEvent } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { type BusMode, RedisStore } from '@cache/redis'
import { ask, eventually, RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TieredStore } from '../src/index.ts'

let server: RedisServer
let proxy: TcpProxy
const open: TieredStore[] = []
let prefix: string
let run = 0

beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

beforeEach(async () => {
  prefix = `test${run++}:`
  proxy = await TcpProxy.start(server.port)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map(store => store.close()))
  await proxy.stop()
})

/** One "process" over the shared Redis, ready and coherent. */
async function tiered(url = proxy.url, bus: BusMode = 'pubsub') {
  const l1 = new MemoryStore({ maxItems: 1_000 })
  const store = new TieredStore({ l1, l2: new RedisStore({ url, prefix, poolSize: 2, bus }) })
  open.push(store)
  await coherent(store)
  const events: TelemetryEvent[] = []
  store.observe({ event: event => events.push(event) })
  return { store, l1, events }
}

const coherent = (store: TieredStore) => eventually('coherent', () => store.health().state === 'coherent')
const valueAt = async (store: TieredStore, key: string) => (await store.get(key))?.value

const entry = (value: unknown): Entry => {
  const now = Date.now()
  return { value, createdAt: now, freshUntil: now + 60_000, expiresAt: now + 60_000 }
}

describe('a process that tracks', () => {
  it('sees what others write without announcing it, and keeps near what nobody changes', async () => {
    const { store, l1 } = await tiered(proxy.url, 'tracking')
    // Its channel is its own, and its keys lie under our prefix.
    const other = new RedisStore({ url: server.url, prefix: `${prefix}sub:`, poolSize: 1 })
    await store.set('sub:k', entry(1))
    await store.set('still', entry(1))
    // Redis does not say who wrote: our own writes drop what they put near.
    await eventually('the echo', () => !l1.get('sub:k') && !l1.get('still'))
    await store.getMany(['sub:k', 'still'])
    expect([l1.get('sub:k')?.value, l1.get('still')?.value]).toEqual([1, 1])
    await other.set('k', entry(2))
    await eventually('the new value', async () => (await valueAt(store, 'sub:k')) === 2)
    expect(l1.get('still')).toBeDefined()
    await other.close()
  })
})

describe('two processes over one Redis', () => {
  it('a peer’s set, delete and clear are visible after one message', async () => {
    const [a, b] = [await tiered(), await tiered()]
    await a.store.set('k', entry(1))
    expect(await valueAt(b.store, 'k')).toBe(1)
    await a.store.set('k', entry(2))
    await eventually('the new value', async () => (await valueAt(b.store, 'k')) === 2)
    await b.store.delete('k')
    await eventually('the key gone', async () => (await valueAt(a.store, 'k')) === undefined)
    await a.store.set('k', entry(3))
    expect(await valueAt(b.store, 'k')).toBe(3)
    await b.store.clear()
    await eventually('everything gone', async () => (await valueAt(a.store, 'k')) === undefined)
  })

  it('the writer keeps its near copy: its own message does not cost it a read', async () => {
    const { store, l1 } = await tiered()
    const peer = await tiered()
    await store.set('k', entry(1))
    await peer.store.set('other', entry(1)) // Arrives after our own message, on the same connection.
    await eventually('the peer’s message', () => store.get('other') !== undefined)
    expect(l1.get('k')).toMatchObject({ value: 1 })
  })
})

describe('Redis is away', () => {
  it('killed: every call is answered, and after the restart both processes agree again', async () => {
    const [a, b] = [await tiered(), await tiered()]
    await a.store.set('k', entry('before'))
    expect(await valueAt(b.store, 'k')).toBe('before')

    await server.kill()
    await eventually('the loss noticed', () => a.store.health().state === 'fallback')
    expect(await valueAt(a.store, 'k')).toBe('before')
    expect(await a.store.set('k', entry('during'))).toMatchObject({ status: 'queued' })
    expect(await valueAt(a.store, 'k')).toBe('during')
    expect(a.store.health()).toMatchObject({ available: false, journal: 1 })

    await server.restart()
    await Promise.all([coherent(a.store), coherent(b.store)])
    await Promise.all([a.store.whenRecovered(), b.store.whenRecovered()])
    expect(await valueAt(b.store, 'k')).toBeUndefined()
    // A write counts as before a clear of which its process has not heard yet.
    await eventually('agreed', async () => {
      await b.store.set('k', entry('after'))
      return (await valueAt(a.store, 'k')) === 'after'
    })
  })

  it('in a black hole: ten thousand invalidations are carried out, and all is coherent, a second after the way is open', async () => {
    const count = 10_000
    const keys = Array.from({ length: count }, (_, n) => `k${n}`)
    const { store } = await tiered()
    await store.setMany(new Map(keys.map(key => [key, entry('before')])))
    proxy.mode = 'blackhole'
    await store.deleteMany(keys)
    expect(store.health().journal).toBe(count)

    proxy.mode = 'forward'
    const healed = performance.now()
    await store.whenRecovered()
    await coherent(store)
    expect(performance.now() - healed).toBeLessThan(1_000)
    expect(store.health()).toMatchObject({ available: true, state: 'coherent', journal: 0 })
    const fresh = new RedisStore({ url: server.url, prefix })
    expect((await fresh.getMany(keys)).found.size).toBe(0)
    await fresh.close()
  })

  it('restarted with what it had a while ago: what was invalidated since never comes back', async () => {
    const [a, b] = [await tiered(), await tiered()]
    await a.store.setMany(new Map(['deleted', 'written', 'untouched'].map(key => [key, entry('old')])))
    await a.store.set('tagged', { ...entry('old'), tags: ['t'] })
    await eventually('marked', async () => (await marks()) > 0)
    await ask(server, client => client.save())
    await a.store.delete('deleted')
    await b.store.set('written', entry('new'))
    await a.store.invalidateTags?.(['t'])
    await b.store.close() // What it wrote, the other one knows.
    open.splice(open.indexOf(b.store), 1)

    await server.kill()
    await server.restart()
    await coherent(a.store)
    await a.store.whenRecovered()
    const fresh = new RedisStore({ url: server.url, prefix })
    const found = await fresh.getMany(['deleted', 'written', 'untouched', 'tagged'])
    await fresh.close()
    expect([...found.found.values()].map(({ value }) => value)).not.toContain('new')
    expect(['deleted', 'written', 'tagged'].filter(key => found.found.has(key))).toEqual([])
  })

  async function marks(): Promise<number> {
    return ask(server, client => client.exists(`${prefix}\0{order}mark`))
  }

  it('partitioned with its data intact: what was invalidated meanwhile never comes back', async () => {
    const away = await tiered()
    const peer = await tiered(server.url)
    await away.store.set('deleted', entry('old'))
    await away.store.set('written', entry('old'))
    await peer.store.getMany(['deleted', 'written'])

    proxy.mode = 'refuse'
    await eventually('the loss noticed', () => away.store.health().state === 'fallback')
    expect(await away.store.delete('deleted')).toMatchObject({ status: 'queued' })
    expect(await away.store.set('written', entry('new'))).toMatchObject({ status: 'queued' })

    proxy.mode = 'forward'
    await coherent(away.store)
    await away.store.whenRecovered()
    expect(await valueAt(away.store, 'deleted')).toBeUndefined()
    expect(await valueAt(away.store, 'written')).not.toBe('old')
    await eventually('the peer told', async () => (await valueAt(peer.store, 'deleted')) === undefined)
    await eventually('the peer told', async () => (await valueAt(peer.store, 'written')) === undefined)
  })

  for (const fault of ['freeze', 'blackhole'] as const) {
    it(`${fault}: reads and writes end within their deadlines, and near values are served`, async () => {
      const { store } = await tiered()
      await store.set('k', entry(1))
      if (fault === 'freeze') server.freeze()
      else proxy.mode = 'blackhole'
      try {
        const start = performance.now()
        expect(await store.get('none')).toBeUndefined()
        expect(performance.now() - start).toBeLessThan(100 + 100)
        const writing = performance.now()
        expect(await store.set('k', entry(2))).toMatchObject({ status: 'queued' })
        expect(performance.now() - writing).toBeLessThan(250 + 100)
        expect(await valueAt(store, 'k')).toBe(2)
      } finally {
        server.thaw()
        proxy.mode = 'forward'
      }
      await coherent(store)
      await store.whenRecovered()
      expect(await valueAt(store, 'k')).not.toBe(1)
    })
  }

  it('at start: everything works near, and Redis joins by itself', async () => {
    proxy.mode = 'refuse'
    const store = new TieredStore({
      l1: new MemoryStore(),
      l2: new RedisStore({ url: proxy.url, prefix, poolSize: 2 }),
    })
    open.push(store)
    expect(await store.set('k', entry(1))).toMatchObject({ status: 'queued' })
    expect(await valueAt(store, 'k')).toBe(1)
    proxy.mode = 'forward'
    await coherent(store)
    await store.whenRecovered()
    expect(await store.set('k', entry(2))).toEqual({ status: 'applied' })
  })
})

describe('the subscriber’s stream breaks', () => {
  it('a peer’s write missed in the gap is not served from the near tier afterwards', async () => {
    const [a, b] = [await tiered(), await tiered(server.url)]
    await a.store.set('k', entry(1))
    proxy.cut()
    await b.store.set('k', entry(2))
    await eventually('the gap noticed and over', () => a.events.some(({ type }) => type === 'flush'))
    await coherent(a.store)
    expect(await valueAt(a.store, 'k')).toBe(2)
  })
})
