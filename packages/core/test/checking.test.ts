import { describe, expect, it } from 'vitest'
import { Cache, CacheError, type Entry, ManualClock } from '../src/index.ts'
import { FullStore } from './stores.ts'

/** A store that can tell beforehand that it does not take functions. */
class CheckingStore extends FullStore {
  checks = 0

  check(_key: string, { value }: Entry): void {
    this.checks++
    if (typeof value === 'function') throw new CacheError('SERIALIZATION', 'a function cannot be stored')
  }
}

describe('a store that can check values', () => {
  it('refuses a batch of several chunks before its first write', async () => {
    const store = new CheckingStore(new ManualClock())
    const cache = new Cache({ store, clock: new ManualClock(), batchSize: 2 })
    const items: [string, unknown][] = [1, 2, 3, 4, () => {}].map((value, index) => [`k${index}`, value])
    await expect(cache.setMany(items)).rejects.toMatchObject({ code: 'SERIALIZATION' })
    expect(store.entries.size).toBe(0)
  })

  it('is not asked for a single chunk, which it checks as it writes', async () => {
    const store = new CheckingStore(new ManualClock())
    await new Cache({ store, clock: new ManualClock(), batchSize: 2 }).setMany({ a: 1, b: 2 })
    expect([store.checks, store.entries.size]).toEqual([0, 2])
  })

  it('tells through the cache whether a value would be taken, and nothing is written', () => {
    const store = new CheckingStore(new ManualClock())
    const cache = new Cache({ store })
    expect(cache.check('k', 1)).toBeUndefined()
    expect(() => cache.check('k', () => {})).toThrow(expect.objectContaining({ code: 'SERIALIZATION' }))
    expect(() => cache.check('k', undefined)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
    expect(() => cache.check('', 1)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
    expect(() => cache.check('k', 1, { ttl: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_TTL' }))
    expect(store.entries.size).toBe(0)
  })
})
