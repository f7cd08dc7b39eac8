import { Cache, ManualClock } from '@cache/core'
import { expect, test } from 'vitest'
import { BoundedMap } from './bounded-map.ts'
import { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'

function process(clock: ManualClock, options: MemoryStoreOptions = {}) {
  const store = new MemoryStore({ clock, ...options })
  return { store, cache: new Cache({ store, clock, jitter: 0, ttl: 60, grace: 60 }) }
}

test('a snapshot warms the next process up, through JSON, with what is left of every life', async () => {
  const clock = new ManualClock()
  const { store, cache } = process(clock)
  await cache.namespace('users').set('7', { name: 'Ada' }, { tags: ['people'], metadata: { etag: 'v1' } })
  await cache.set('long', 1, { ttl: 3_600 })
  clock.advance(30_000)
  const file = JSON.stringify([...store.snapshot()])

  clock.advance(10_000)
  const next = process(clock)
  const progress = await next.cache.warm(JSON.parse(file))
  expect(progress).toMatchObject({ done: 2, skipped: 0, failed: 0 })
  const ada = await next.cache.namespace('users').getEntry('7')
  expect(ada).toMatchObject({ value: { name: 'Ada' }, tags: ['people'], metadata: { etag: 'v1' } })
  expect((ada?.freshUntil ?? 0) - clock.now()).toBe(20_000)
  await next.cache.invalidateTags(['people'])
  expect(await next.cache.has('users:7')).toBe(false)

  clock.advance(20_000)
  expect(await process(clock).cache.warm(JSON.parse(file))).toMatchObject({ done: 1, skipped: 1, failed: 0 })
})

test('a snapshot leaves out what is stale, invalidated, or known not to exist', async () => {
  const clock = new ManualClock()
  const { store, cache } = process(clock)
  await cache.set('stale', 1, { ttl: 10 })
  clock.advance(10_000)
  await cache.set('tagged', 1, { tags: ['t'] })
  await cache.invalidateTags(['t'])
  await cache.getOrSet('nobody', () => undefined, { negativeTtl: 60 })
  await cache.set('kept', 1)
  expect([...store.snapshot()].map(({ key }) => key)).toEqual(['kept'])
  store.close()
  expect(() => [...store.snapshot()]).toThrow('closed')
})

test('a snapshot has the values, not the bytes of a codec', async () => {
  const codec = {
    encode: (value: unknown) => Buffer.from(JSON.stringify(value)),
    decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
  }
  const { store, cache } = process(new ManualClock(), { codec })
  await cache.set('k', { n: 1 })
  expect([...store.snapshot()]).toMatchObject([{ key: 'k', value: { n: 1 } }])
})

test('what a map dumped can be taken as well', async () => {
  const clock = new ManualClock()
  const map = new BoundedMap<string, number>({ maxItems: 10, clock })
  map.set('a', 1, { ttl: 30 })
  map.set('b', 2)
  const items = map
    .dump()
    .map(([key, value, end]) => ({ key, value, ...(end !== null && { freshUntil: end }) }))
  const { cache } = process(clock)
  expect(await cache.warm(items)).toMatchObject({ done: 2 })
  expect(((await cache.getEntry('a'))?.freshUntil ?? 0) - clock.now()).toBe(30_000)
  expect(((await cache.getEntry('b'))?.freshUntil ?? 0) - clock.now()).toBe(60_000)
})
