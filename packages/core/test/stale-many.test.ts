import { Cache, type CacheOptions } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { settled } from './stores.ts'
import { ControlledLoader, expectRejection, type Made, never, STORES } from './support.ts'

type Values = Record<string, string>

/** A cache with a stale `a` and `b`, and a fresh `f`. */
async function withStale({ clock, store }: Made, options: Partial<CacheOptions> = {}) {
  const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10, grace: 20, ...options })
  await cache.setMany({ a: 'old a', b: 'old b' })
  clock.advance(10_000)
  await cache.set('f', 'fresh')
  return { clock, cache, loader: new ControlledLoader<Values>() }
}
const map = (values: Values): Map<string, string> => new Map(Object.entries(values))

describe.each(Object.entries(STORES))('stale values of getOrSetMany over %s', (_, make) => {
  it('are loaded anew together with what is missing', async () => {
    const { cache } = await withStale(make())
    const asked: (readonly string[])[] = []
    const values = await cache.getOrSetMany(['f', 'a', 'x', 'b'], keys => {
      asked.push(keys)
      return Object.fromEntries(keys.map(key => [key, `new ${key}`]))
    })
    expect(asked).toEqual([['a', 'x', 'b']])
    expect(values).toEqual(map({ f: 'fresh', a: 'new a', x: 'new x', b: 'new b' }))
    expect(await cache.getMany(['a', 'x'])).toEqual(map({ a: 'new a', x: 'new x' }))
    expect(cache.stats()).toMatchObject({ loads: 1, refreshes: 2, stales: 0 })
  })

  it('are given when the load fails, if nothing else is missing', async () => {
    const { cache } = await withStale(make())
    const fail = (): never => {
      throw new Error('origin')
    }
    expect(await cache.getOrSetMany(['a', 'f', 'b'], fail)).toEqual(
      map({ a: 'old a', f: 'fresh', b: 'old b' }),
    )
    expect(cache.stats()).toMatchObject({
      stales: 2,
      misses: 2,
      loadErrors: 1,
      refreshErrors: 2,
      inFlight: 0,
    })
    await expect(cache.getOrSetMany(['a', 'x'], fail)).rejects.toThrow('origin')
  })

  it('are given at once with softTimeout 0, while the load goes on', async () => {
    const { cache, loader } = await withStale(make(), { softTimeout: 0 })
    expect(await cache.getOrSetMany(['a', 'b'], loader.load)).toEqual(map({ a: 'old a', b: 'old b' }))
    expect(await cache.getOrSet('a', never)).toBe('old a')
    loader.calls[0]?.resolve({ a: 'new a', b: 'new b' })
    await settled()
    expect(await cache.getMany(['a', 'b'])).toEqual(map({ a: 'new a', b: 'new b' }))
    expect(loader.calls).toHaveLength(1)
  })

  it('do not wait past hardTimeout; what is missing then rejects', async () => {
    const { cache, clock, loader } = await withStale(make(), { hardTimeout: 1 })
    const stale = cache.getOrSetMany(['a', 'b'], loader.load)
    const missing = cache.getOrSetMany(['a', 'x'], loader.load)
    const outcome = Promise.allSettled([missing])
    await settled()
    clock.advance(1_000)
    expect(await stale).toEqual(map({ a: 'old a', b: 'old b' }))
    await expectRejection(() => missing, 'LOAD_TIMEOUT', /hardTimeout/)
    await outcome
    for (const { resolve } of loader.calls) resolve({ a: 'new', b: 'new', x: 'new' })
    await settled()
    expect(await cache.getMany(['a', 'b', 'x'])).toEqual(map({ a: 'new', b: 'new', x: 'new' }))
    expect(clock.pending).toBe(0)
  })

  it('are removed when they are not found any more, and the others stay', async () => {
    const { cache } = await withStale(make())
    expect(await cache.getOrSetMany(['a', 'b'], () => ({ b: 'new b' }))).toEqual(map({ b: 'new b' }))
    expect(await cache.getEntry('a')).toBeUndefined()
    expect(await cache.get('b')).toBe('new b')
  })

  it('are what single calls that share the load get when it fails', async () => {
    const { cache, loader } = await withStale(make())
    const many = cache.getOrSetMany(['a', 'x'], loader.load)
    const outcome = Promise.allSettled([many])
    await settled()
    const single = cache.getOrSet('a', never)
    loader.calls[0]?.reject(new Error('origin'))
    expect(await single).toBe('old a')
    expect((await outcome)[0]?.status).toBe('rejected')
    expect(cache.stats()).toMatchObject({ stales: 2, inFlight: 0 })
  })
})
