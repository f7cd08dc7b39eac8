import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import { Keyv as Keyv5 } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import * as vitest from 'vitest'
import { CacheStorage } from '../src/index.ts'

/** The suite that Keyv publishes for storage adapters; it is typed for another version of the runner. */
type Suite = Parameters<typeof keyvTestSuite>[0]

const { describe, expect, test } = vitest

function storages(): () => CacheStorage {
  const store = new MemoryStore()
  const cache = new Cache<unknown>({ store })
  return () => new CacheStorage(cache, { keys: scope => store.keys(scope) })
}

describe("Keyv's own suite, over a Cache", () => {
  const storage = storages()
  keyvTestSuite(vitest as unknown as Suite, Keyv5, storage)
  keyvIteratorTests(vitest as unknown as Suite, Keyv5, storage)
})

describe.each([
  ['5', Keyv5],
  ['6', Keyv6],
] as const)('Keyv %s over a Cache', (_version, AnyKeyv) => {
  // biome-ignore lint/suspicious/noExplicitAny: their signatures differ in what is of no matter here
  const Keyv = AnyKeyv as any
  const storage = storages()

  test('keeps values, many and single, and says what was there', async () => {
    const keyv = new Keyv({ store: storage() })
    await keyv.set('a', { n: 0 })
    await keyv.setMany([
      { key: 'b', value: '' },
      { key: 'c', value: 3, ttl: 60_000 },
    ])
    expect(await keyv.get(['a', 'b', 'c', 'd'])).toEqual([{ n: 0 }, '', 3, undefined])
    expect([await keyv.has('a'), await keyv.has('d')]).toEqual([true, false])
    expect([await keyv.delete('a'), await keyv.delete('a')]).toEqual([true, false])
    expect(await keyv.get('a')).toBeUndefined()
    await keyv.clear()
    expect(await keyv.get('b')).toBeUndefined()
  })

  test('a namespace is cleared alone, also one with colons', async () => {
    const [one, other, plain] = [
      new Keyv({ store: storage(), namespace: 'a:b' }),
      new Keyv({ store: storage(), namespace: 'a' }),
      new Keyv({ store: storage() }),
    ]
    for (const keyv of [one, other, plain]) await keyv.set('k', 'v')
    await one.clear()
    expect([await one.get('k'), await other.get('k'), await plain.get('k')]).toEqual([undefined, 'v', 'v'])
  })

  test('what has expired is gone, and what has not is iterated over', async () => {
    const keyv = new Keyv({ store: storage(), namespace: 'times' })
    await keyv.set('short', 1, 20)
    await keyv.set('long', 2, 60_000)
    await expect.poll(() => keyv.get('short')).toBeUndefined()
    const pairs: unknown[] = []
    for await (const pair of keyv.iterator?.() ?? []) pairs.push(pair)
    expect(pairs).toEqual([['long', 2]])
  })
})

test('a ttl that Keyv gives holds to the millisecond; without one it is that of the cache', async () => {
  const cache = new Cache<unknown>({ store: new MemoryStore(), ttl: '1h', jitter: 0.5, grace: '1h' })
  const storage = new CacheStorage(cache)
  await storage.set('given', 'v', 5_000)
  const given = await cache.getEntry('given')
  expect((given?.freshUntil ?? 0) - (given?.createdAt ?? 0)).toBe(5_000)
  expect(given?.expiresAt).toBe(given?.freshUntil)
  await storage.set('own', 'v')
  const own = await cache.getEntry('own')
  expect((own?.expiresAt ?? 0) - (own?.createdAt ?? 0)).toBeGreaterThan(3_600_000)
})

test('without keys to list there is nothing to iterate over', () => {
  const storage = new CacheStorage(new Cache<unknown>({ store: new MemoryStore() }))
  expect('iterator' in storage).toBe(false)
  expect(new Keyv5({ store: storage }).iterator).toBeUndefined()
})

test('what fails in the cache is told to Keyv, and a write that nobody has throws', async () => {
  const fail = () => Promise.reject(new Error('away'))
  const store = { name: 'failing', get: fail, set: fail, delete: fail, clear: fail, close: () => {} }
  const storage = new CacheStorage(new Cache<unknown>({ store }))
  const told: unknown[] = []
  storage.on('error', error => told.push(error))
  expect(await storage.get('k')).toBeUndefined()
  await expect(storage.set('k', 1)).rejects.toMatchObject({ code: 'STORE' })
  await expect(storage.delete('k')).rejects.toMatchObject({ code: 'STORE' })
  await expect(storage.clear()).rejects.toMatchObject({ code: 'STORE' })
  expect(await storage.setMany([{ key: 'k', value: 1 }])).toEqual([false])
  expect(told.length).toBeGreaterThanOrEqual(4)
})
