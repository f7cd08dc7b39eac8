import { batchLoader, Cache, ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { settled } from './stores.ts'
import { expectRejection, STORES } from './support.ts'

describe.each(Object.entries(STORES))('a batch loader over %s', (_, make) => {
  it('gets what single calls of one turn ask for in one call, and each is stored for itself', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock }).namespace('n')
    const asked: (readonly string[])[] = []
    const load = batchLoader(async (keys: readonly string[]) => {
      asked.push(keys)
      return new Map(keys.filter(key => key !== 'gone').map(key => [key, key.toUpperCase()]))
    })
    await cache.set('b', 'stored')
    const keys = ['a', 'b', 'c', 'gone', 'a']
    const values = await Promise.all(keys.map(key => cache.getOrSet(key, load)))
    expect(values).toEqual(['A', 'stored', 'C', undefined, 'A'])
    expect(asked).toEqual([['a', 'c', 'gone']])
    expect(await cache.getMany(keys)).toEqual(new Map(Object.entries({ a: 'A', b: 'stored', c: 'C' })))
    expect(await cache.getOrSet('d', load)).toBe('D')
    expect(asked).toEqual([['a', 'c', 'gone'], ['d']])
    expect(cache.stats()).toMatchObject({ loads: 4, inFlight: 0 })
  })

  it('makes several calls of more than maxBatch', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock })
    const sizes: number[] = []
    const load = batchLoader(
      (keys: readonly string[]) => {
        sizes.push(keys.length)
        return new Map(keys.map(key => [key, key]))
      },
      { maxBatch: 4 },
    )
    const keys = Array.from({ length: 10 }, (_, n) => `k${n}`)
    expect(await Promise.all(keys.map(key => cache.getOrSet(key, load)))).toEqual(keys)
    expect(sizes).toEqual([4, 4, 2])
  })

  it('gives what the call throws to all of its keys, and an object is as good as a map', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock })
    const origin = new Error('origin')
    let fails = true
    const load = batchLoader((keys: readonly string[]) => {
      if (fails) throw origin
      return Object.fromEntries(keys.map(key => [key, key]))
    })
    const outcomes = await Promise.allSettled(['a', 'b'].map(key => cache.getOrSet(key, load)))
    for (const outcome of outcomes) expect(outcome).toEqual({ status: 'rejected', reason: origin })
    fails = false
    expect(await cache.getOrSet('toString', load)).toBe('toString')
  })
})

it('two caches share one call for a key', async () => {
  const asked: (readonly string[])[] = []
  const load = batchLoader(
    (keys: readonly string[]) => {
      asked.push(keys)
      return { k: 'v' }
    },
    { maxBatch: 2 },
  )
  const values = await Promise.all(['k', 'x', 'k', 'y'].map(key => load({ key })))
  expect(values).toEqual(['v', undefined, 'v', undefined])
  expect(asked).toEqual([['k', 'x'], ['y']])
})

it('a batch loader refuses what is no loader, a size that is none, and a result that is no map', async () => {
  const clock = new ManualClock()
  const make = Object.values(STORES)[0]
  const store = make?.().store
  if (!store) throw new Error('no store')
  const cache = new Cache({ store, clock })
  const refused = { code: 'INVALID_OPTION' }
  expect(() => batchLoader('x' as never)).toThrow(expect.objectContaining(refused))
  expect(() => batchLoader(() => ({}), { maxBatch: 0 })).toThrow(expect.objectContaining(refused))
  const load = batchLoader(() => [] as never)
  await expectRejection(
    () => cache.getOrSet('k', load),
    'INVALID_VALUE',
    /^loadMissing must return a Map or an object/,
  )
  await settled()
})
