import type { Entry, TelemetryEvent } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { eventually, RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { TieredStore } from '../src/index.ts'
import { LocalBus } from './stores.ts'

let server: RedisServer
let run = 0

beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

const entry = (value: unknown, tags?: readonly string[]): Entry => {
  const now = Date.now() + Math.random()
  return { value, createdAt: now, freshUntil: now + 60_000, expiresAt: now + 60_000, ...(tags && { tags }) }
}

/** A process behind a proxy, and another one that is never cut off. */
async function pair() {
  const prefix = `replay${run++}:`
  const proxy = await TcpProxy.start(server.port)
  const redis = (url: string) => new RedisStore({ url, prefix, poolSize: 2 })
  const store = new TieredStore({ l1: new MemoryStore(), l2: redis(proxy.url), recovery: 'replay' })
  const peer = new TieredStore({ l1: new MemoryStore(), l2: redis(server.url) })
  const events: TelemetryEvent[] = []
  store.observe({ event: event => events.push(event) })
  onTestFinished(async () => {
    await Promise.all([store.close(), peer.close()])
    await proxy.stop()
  })
  const coherent = () =>
    eventually('coherent', () => [store, peer].every(each => each.health().state === 'coherent'))
  await coherent()
  return {
    store,
    peer,
    async outage(during: () => Promise<unknown>): Promise<void> {
      proxy.mode = 'refuse'
      await eventually('away', () => store.health().state === 'fallback')
      await during()
      proxy.mode = 'forward'
      await coherent()
      await store.whenRecovered()
    },
  }
}

const valueAt = async (store: TieredStore, key: string) => (await store.get(key))?.value

describe("recovery: 'replay'", () => {
  it('writes back what the remote did not take, and tells the peers', async () => {
    const { store, peer, outage } = await pair()
    await store.set('k', entry('before'))
    expect(await valueAt(peer, 'k')).toBe('before')
    await outage(async () => {
      expect((await store.set('k', entry('first'))).status).toBe('queued')
      expect((await store.set('k', entry('second'))).status).toBe('queued')
      await new Promise(resolve => setTimeout(resolve, 600)) // It is tried in vain.
    })
    await eventually('told', async () => (await valueAt(peer, 'k')) === 'second')
    expect(await valueAt(store, 'k')).toBe('second')
  })

  it.each([
    ['has changed', async (peer: TieredStore) => peer.set('k', entry('theirs'))],
    ['was removed', async (peer: TieredStore) => peer.delete('k')],
    ['was cleared', async (peer: TieredStore) => peer.clear()],
  ])('invalidates what %s meanwhile', async (_what, change) => {
    const { store, peer, outage } = await pair()
    await store.set('k', entry('before'))
    await outage(async () => {
      await store.set('k', entry('ours'))
      await change(peer)
    })
    expect(await valueAt(store, 'k')).toBeUndefined()
    await eventually('told', async () => (await valueAt(peer, 'k')) === undefined)
  })

  it.each([
    [
      'what was removed at last',
      async (store: TieredStore) => [await store.set('k', entry(1)), await store.delete('k')],
    ],
    [
      'what was cleared at last',
      async (store: TieredStore) => [await store.set('k', entry(1)), await store.clear('k')],
    ],
    [
      'tagged values, whose tags may have been invalidated',
      async (store: TieredStore) => store.set('k', entry(1, ['t'])),
    ],
    ['batches', async (store: TieredStore) => store.setMany(new Map([['k', entry(1)]]))],
  ])('invalidates %s', async (_what, write) => {
    const { store, peer, outage } = await pair()
    await store.set('k', entry('before'))
    await outage(() => write(store))
    expect(await valueAt(store, 'k')).toBeUndefined()
    expect(await valueAt(peer, 'k')).toBeUndefined()
  })

  it('invalidates where it is not known what the remote had', async () => {
    const { store, peer, outage } = await pair()
    await peer.set('k', entry('before'))
    await outage(() => store.set('k', entry('ours')))
    expect(await valueAt(store, 'k')).toBeUndefined()
  })
})

describe('l1Ttl', () => {
  it('shortens the life of what is near, and of nothing else', async () => {
    const l1 = new MemoryStore()
    const l2 = new MemoryStore()
    const store = new TieredStore({ l1, l2, l1Ttl: '5s', bus: new LocalBus('a', []) })
    const now = Date.now()
    const lives = (key: string) => Math.round(((l1.get(key)?.expiresAt ?? 0) - now) / 1_000)
    await store.set('set', entry(1))
    await store.setMany(new Map([['many', entry(1)]]))
    l2.set('read', entry(1))
    await store.get('read')
    await store.touch('set', now + 100_000, now + 100_000)
    expect(['set', 'many', 'read'].map(lives)).toEqual([5, 5, 5])
    expect(l2.get('set')?.expiresAt).toBe(now + 100_000)
    await store.set('short', { ...entry(1), expiresAt: now + 1_000 })
    expect(lives('short')).toBe(1)
  })
})
