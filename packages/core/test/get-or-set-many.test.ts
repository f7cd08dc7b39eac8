import { Cache, ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { asynchronous, ControlledStore, FullStore, settled, TaggingStore } from './stores.ts'
import { ControlledLoader, STORES } from './support.ts'

type Values = Record<string, string>

describe.each(Object.entries(STORES))('getOrSetMany over %s', (_, make) => {
  it('loads all that is missing in one call, stores it, and answers in the order asked', async () => {
    const { clock, store, inner } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, batchSize: 2 }).namespace('n')
    await cache.set('b', 'stored')
    const asked: (readonly string[])[] = []
    const values = await cache.getOrSetMany(
      ['d', 'b', 'a', 'gone', 'd', 'c'],
      keys => {
        asked.push(keys)
        return { a: 'A', c: 'C', d: 'D', unasked: 'U' }
      },
      { ttl: 5 },
    )
    expect(asked).toEqual([['d', 'a', 'gone', 'c']])
    expect([...values]).toEqual([
      ['d', 'D'],
      ['b', 'stored'],
      ['a', 'A'],
      ['c', 'C'],
    ])
    expect([...inner.entries.keys()].sort()).toEqual(['n:a', 'n:b', 'n:c', 'n:d'])
    expect(await cache.getEntry('a')).toMatchObject({ expiresAt: clock.now() + 5_000 })
    expect(await cache.getOrSetMany(['a', 'b'], () => expect.fail('loaded'))).toEqual(
      new Map([
        ['a', 'A'],
        ['b', 'stored'],
      ]),
    )
    expect(await cache.getOrSetMany([], () => expect.fail('loaded'))).toEqual(new Map())
  })

  it('shares its loads with single calls that come later', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<Values>()
    const many = cache.getOrSetMany(['a', 'gone'], loader.load)
    await settled()
    const single = cache.getOrSet('a', () => expect.fail('loaded'))
    const gone = cache.getOrSet('gone', () => expect.fail('loaded'))
    const other = cache.getOrSetMany(['a'], () => expect.fail('loaded'))
    expect(cache.stats()).toMatchObject({ inFlight: 2, misses: 5, sharedLoads: 3 })
    loader.calls[0]?.resolve({ a: 'A' })
    expect(await Promise.all([many, single, gone, other])).toEqual([
      new Map([['a', 'A']]),
      'A',
      undefined,
      new Map([['a', 'A']]),
    ])
    expect(cache.stats()).toMatchObject({ inFlight: 0, loads: 1 })
  })

  it('shares the loads of single calls that came before', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<string>()
    const single = cache.getOrSet('a', loader.load)
    const asked: (readonly string[])[] = []
    const many = cache.getOrSetMany(['a', 'b'], keys => {
      asked.push(keys)
      return { b: 'B' }
    })
    await settled()
    loader.calls[0]?.resolve('A')
    expect([...(await many)]).toEqual([
      ['a', 'A'],
      ['b', 'B'],
    ])
    expect(await single).toBe('A')
    expect(asked).toEqual([['b']])
    expect(cache.stats()).toMatchObject({ misses: 3, sharedLoads: 1, loads: 2 })
  })

  it('gives the error of its loader to all who wait, stores nothing, and loads again', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<Values>()
    const error = new Error('origin')
    const many = cache.getOrSetMany(['a', 'b'], loader.load)
    await settled()
    const outcomes = Promise.allSettled([many, cache.getOrSet('a', () => 'x')])
    const failed: string[] = []
    cache.on('loadError', event => failed.push(event.key))
    loader.calls[0]?.reject(error)
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: error })
    expect(failed).toEqual(['a', 'b'])
    expect(cache.stats()).toMatchObject({ inFlight: 0, loadErrors: 1, loads: 0 })
    expect(await cache.getOrSet('a', () => 'A')).toBe('A')
  })

  it('fails by itself when nobody waits, and when the single load it joined fails', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const throwing = (): never => {
      throw new Error('origin')
    }
    await expect(cache.getOrSetMany(['a'], throwing)).rejects.toThrow('origin')
    const loader = new ControlledLoader<string>()
    const single = cache.getOrSet('a', loader.load)
    const many = cache.getOrSetMany(['a', 'b'], () => ({ b: 'B' }))
    const outcomes = Promise.allSettled([single, many])
    await settled()
    loader.calls[0]?.reject(new Error('origin'))
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await cache.get('b')).toBe('B')
    expect(cache.stats().inFlight).toBe(0)
  })

  it('does not store the keys that were invalidated during the load, and stores the others', async () => {
    const { clock, store, inner } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<Values>()
    const many = cache.getOrSetMany(['a', 'b', 'c'], loader.load)
    await settled()
    await cache.delete('a')
    await cache.set('b', 'written')
    const next = cache.getOrSet('a', () => 'new')
    await settled()
    loader.calls[0]?.resolve({ a: 'old', b: 'old', c: 'C' })
    expect(await many).toEqual(
      new Map([
        ['a', 'old'],
        ['b', 'old'],
        ['c', 'C'],
      ]),
    )
    expect(await next).toBe('new')
    const stored = [...inner.entries].map(([key, entry]) => [key, entry.value])
    expect(stored.sort()).toEqual([
      ['a', 'new'],
      ['b', 'written'],
      ['c', 'C'],
    ])
  })

  it('lets a listener and the loader ask for the keys that are being loaded', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    await cache.set('stored', 'S')
    const nested: Promise<string>[] = []
    const ask = (): void => {
      if (nested.length > 0) return
      for (const key of ['a', 'b']) {
        nested.push(Promise.resolve('asked first'))
        nested.push(cache.getOrSet(key, () => 'by the listener'))
      }
    }
    cache.on('hit', ask)
    cache.on('miss', ask)
    const values = await cache.getOrSetMany(
      ['stored', 'a', 'b'],
      keys => new Map(keys.map(key => [key, key])),
    )
    expect([...values.keys()]).toEqual(['stored', 'a', 'b'])
    expect(await Promise.all(nested)).toHaveLength(nested.length)
    expect(cache.stats().inFlight).toBe(0)
  })
})

describe('the fill of getOrSetMany', () => {
  it('writes in chunks, and leaves out what is invalidated while its chunk waits', async () => {
    const clock = new ManualClock()
    const store = new ControlledStore(clock)
    const cache = new Cache<string>({ store, clock, jitter: 0, batchSize: 1 })
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    const many = cache.getOrSetMany(keys, () => Object.fromEntries(keys.map(key => [key, 'old'])))
    for (const key of keys) await store.next('get', key).answer()
    expect(store.pending.map(({ method, key }) => method + key)).toEqual(['seta', 'setb', 'setc', 'setd'])
    const deletion = cache.delete('f')
    await store.answerAll()
    await Promise.all([many, deletion])
    expect([...store.inner.entries.keys()]).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('goes to the store in batches of batchSize', async () => {
    const clock = new ManualClock()
    const store = new FullStore(clock)
    const cache = new Cache<number>({ store: asynchronous(store), clock, batchSize: 4 })
    const keys = Array.from({ length: 10 }, (_, n) => `k${n}`)
    await cache.getOrSetMany(keys, missing => new Map(missing.map((key, n) => [key, n])))
    expect(store.batches).toEqual([4, 4, 2, 4, 4, 2])
  })
})

describe('the lookup of getOrSetMany', () => {
  it('joins loads that began while it was under way', async () => {
    const clock = new ManualClock()
    const store = new ControlledStore(clock)
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<string>()
    const many = cache.getOrSetMany(['a'], () => expect.fail('loaded'))
    const single = cache.getOrSet('a', loader.load)
    await store.next('get').answer()
    await store.next('get').answer()
    const deletion = cache.delete('a')
    loader.calls[0]?.resolve('A')
    expect(await many).toEqual(new Map([['a', 'A']]))
    expect(await single).toBe('A')
    await store.answerAll()
    await deletion
    expect(store.inner.entries.size).toBe(0)
    expect(cache.stats()).toMatchObject({ misses: 2, sharedLoads: 1, loads: 1 })
  })

  const removals: [string, (cache: Cache<string>) => Promise<unknown>][] = [
    ['its key', cache => cache.delete('a')],
    ['its tag', cache => cache.invalidateTags(['t'])],
  ]
  describe.each(removals)('found what was removed by %s since', (_, remove) => {
    const open = async (ageMs: number) => {
      const clock = new ManualClock()
      const store = asynchronous(new TaggingStore(clock))
      const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10, grace: 60, refreshAhead: 0.5 })
      await cache.set('a', 'old', { tags: ['t'] })
      clock.advance(ageMs)
      return { cache, loader: new ControlledLoader<Values>() }
    }

    it('which is not the stale value of those who come later', async () => {
      const { cache, loader } = await open(20_000)
      const many = cache.getOrSetMany(['a'], loader.load)
      await remove(cache)
      await settled()
      const later = cache.getOrSet('a', () => expect.fail('loaded'))
      loader.calls[0]?.reject('failed')
      await expect(many).rejects.toBe('failed')
      await expect(later).rejects.toBe('failed')
      expect(cache.stats()).toMatchObject({ stales: 0, refreshErrors: 0 })
    })

    it('which is not loaded ahead of time, and served meanwhile', async () => {
      const { cache, loader } = await open(9_000)
      const many = cache.getOrSetMany(['a'], loader.load)
      await remove(cache)
      expect(await many).toEqual(new Map([['a', 'old']]))
      expect(await cache.getOrSet('a', () => 'new')).toBe('new')
      expect(loader.calls).toHaveLength(0)
    })
  })
})
