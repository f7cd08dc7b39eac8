import { APPLIED, Cache, CacheError, type CacheOptions, type ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { settled } from './stores.ts'
import { ControlledLoader, expectRejection, type Made, never, STORES } from './support.ts'

/** A cache whose values are fresh for 10 seconds and kept for 20 more, with a stale `old` under `k`. */
async function withStale(made: Made, options: Partial<CacheOptions> = {}) {
  const { clock, store } = made
  const cache = new Cache<string | undefined>({ store, clock, jitter: 0, ttl: 10, grace: 20, ...options })
  await cache.set('k', 'old')
  clock.advance(10_000)
  const told: unknown[] = []
  for (const type of ['hit', 'miss', 'stale', 'loadError', 'refresh'] as const) {
    cache.on(type, event => told.push(event.key === 'k' && type))
  }
  return { clock, cache, told, loader: new ControlledLoader<string | undefined>() }
}

describe.each(Object.entries(STORES))('a stale value over %s', (_, make) => {
  it('is a miss for get, has and getMany; getEntry gives it, its times say what it is', async () => {
    const { cache, clock, told } = await withStale(make())
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
    expect(await cache.getMany(['k'])).toEqual(new Map())
    expect(await cache.getEntry('k')).toEqual({
      value: 'old',
      createdAt: clock.now() - 10_000,
      freshUntil: clock.now(),
      expiresAt: clock.now() + 20_000,
    })
    expect(told).toEqual(['miss', 'miss', 'miss', 'stale'])
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 3, stales: 1 })
    clock.advance(20_000)
    expect(await cache.getEntry('k')).toBeUndefined()
  })

  it('is replaced by what the loader gets, for which a read waits unless told otherwise', async () => {
    const { cache, loader, told } = await withStale(make())
    const calls = [cache.getOrSet('k', loader.load), cache.getOrSet('k', loader.load)]
    await settled()
    loader.calls[0]?.resolve('new')
    expect(await Promise.all(calls)).toEqual(['new', 'new'])
    expect(await cache.get('k')).toBe('new')
    expect(loader.calls).toHaveLength(1)
    expect(told).toEqual(['miss', 'miss', 'refresh', 'hit'])
    expect(cache.stats()).toMatchObject({ misses: 2, stales: 0, sharedLoads: 1, loads: 1, refreshes: 1 })
  })

  it('is what all who wait get when the loader fails', async () => {
    const { cache, loader, told } = await withStale(make())
    const calls = [1, 2, 3].map(() => cache.getOrSet('k', loader.load))
    await settled()
    calls.push(cache.getOrSet('k', loader.load))
    loader.calls[0]?.reject(new Error('origin'))
    expect(await Promise.all(calls)).toEqual(['old', 'old', 'old', 'old'])
    expect(told.slice(4)).toEqual(['loadError', 'refresh', 'stale', 'stale', 'stale', 'stale'])
    expect(cache.stats()).toMatchObject({
      misses: 4,
      stales: 4,
      loadErrors: 1,
      refreshErrors: 1,
      refreshes: 0,
    })
  })

  it('is not served past its grace, not even if the load began before', async () => {
    const { cache, clock, loader } = await withStale(make())
    const call = cache.getOrSet('k', loader.load)
    await settled()
    clock.advance(20_000)
    loader.calls[0]?.reject(new Error('origin'))
    await expect(call).rejects.toThrow('origin')
  })

  it.each(['delete', 'clear'] as const)(
    'is not served to anybody once %s came during the load',
    async how => {
      const { cache, loader } = await withStale(make())
      const call = cache.getOrSet('k', loader.load)
      await settled()
      await cache[how]('k')
      loader.calls[0]?.reject(new Error('origin'))
      await expect(call).rejects.toThrow('origin')
    },
  )

  it('is not served to anybody once one of its tags was invalidated during the load', async () => {
    const made = make()
    Object.assign(made.store, { invalidateTags: () => APPLIED })
    const { cache, clock, loader } = await withStale(made)
    await cache.set('k', 'old', { tags: ['t'] })
    clock.advance(10_000)
    const call = cache.getOrSet('k', loader.load)
    await settled()
    await cache.invalidateTags(['t'])
    const hasty = cache.getOrSet('k', never, { softTimeout: 0 })
    const outcomes = Promise.allSettled([call, hasty])
    await settled()
    loader.calls[0]?.reject('origin')
    expect(await outcomes).toEqual(Array(2).fill({ status: 'rejected', reason: 'origin' }))
  })

  it('is removed when the loader finds nothing any more', async () => {
    const { cache, loader } = await withStale(make())
    const call = cache.getOrSet('k', loader.load)
    await settled()
    loader.calls[0]?.resolve(undefined)
    expect(await call).toBeUndefined()
    expect(await cache.getEntry('k')).toBeUndefined()
  })

  it('keeps its grace when its freshness slides, and slides no more once it is stale', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10, grace: 20 })
    await cache.set('k', 'v')
    expect(await cache.get('k', { ttl: 60 })).toBe('v')
    const entry = await cache.getEntry('k')
    expect(entry).toMatchObject({ freshUntil: clock.now() + 60_000, expiresAt: clock.now() + 80_000 })
    clock.advance(60_000)
    expect(await cache.get('k', { ttl: 60 })).toBeUndefined()
    expect(await cache.getEntry('k')).toEqual(entry)
  })
})

describe.each(Object.entries(STORES))('softTimeout over %s', (_, make) => {
  it('0 serves stale while it revalidates, with one load for all', async () => {
    const { cache, loader, told } = await withStale(make(), { softTimeout: 0 })
    expect(await Promise.all([1, 2].map(() => cache.getOrSet('k', loader.load)))).toEqual(['old', 'old'])
    expect(await cache.getOrSet('k', loader.load)).toBe('old')
    expect(loader.calls).toHaveLength(1)
    loader.calls[0]?.resolve('new')
    await settled()
    expect(await cache.getOrSet('k', loader.load)).toBe('new')
    expect(told.filter(type => type === 'stale')).toHaveLength(3)
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 3, stales: 3, refreshes: 1, inFlight: 0 })
  })

  it('waits that long for the load, then takes the stale value; the load goes on and fills', async () => {
    const { cache, clock, loader } = await withStale(make(), { softTimeout: '100ms' })
    const inTime = cache.getOrSet('k', loader.load)
    await settled()
    clock.advance(99)
    loader.calls[0]?.resolve('in time')
    expect(await inTime).toBe('in time')
    clock.advance(10_000)
    const late = cache.getOrSet('k', loader.load)
    await settled()
    clock.advance(50)
    const joined = cache.getOrSet('k', loader.load, { softTimeout: '200ms' })
    clock.advance(50)
    expect(await late).toBe('in time')
    loader.calls[1]?.resolve('late')
    expect(await joined).toBe('late')
    expect(await cache.get('k')).toBe('late')
    expect(clock.pending).toBe(0)
    expect(cache.stats()).toMatchObject({ stales: 1, loads: 2 })
  })

  it('does not end the wait for a key that has no value', async () => {
    const { cache, clock, loader } = await withStale(make(), { softTimeout: 0 })
    const call = cache.getOrSet('other', loader.load)
    await settled()
    clock.advance(60_000)
    loader.calls[0]?.resolve('v')
    expect(await call).toBe('v')
  })

  it('is each caller’s own', async () => {
    const { cache, loader } = await withStale(make())
    const patient = cache.getOrSet('k', loader.load)
    const hasty = cache.getOrSet('k', loader.load, { softTimeout: 0 })
    await settled()
    expect(await hasty).toBe('old')
    expect(await cache.getOrSet('k', loader.load, { softTimeout: 0 })).toBe('old')
    loader.calls[0]?.resolve('new')
    expect(await patient).toBe('new')
    expect(loader.calls).toHaveLength(1)
  })

  it('counts once who was served before the load failed', async () => {
    const { cache, loader } = await withStale(make())
    const calls = [cache.getOrSet('k', loader.load, { softTimeout: 0 }), cache.getOrSet('k', loader.load)]
    await settled()
    loader.calls[0]?.reject(new Error('origin'))
    expect(await Promise.all(calls)).toEqual(['old', 'old'])
    expect(cache.stats()).toMatchObject({ misses: 2, stales: 2 })
  })
})

describe.each(Object.entries(STORES))('hardTimeout over %s', (_, make) => {
  it('rejects with LOAD_TIMEOUT where there is no value; the load goes on and fills', async () => {
    const { cache, clock, loader } = await withStale(make(), { hardTimeout: '250ms' })
    const call = cache.getOrSet('other', loader.load)
    call.catch(() => {})
    await settled()
    clock.advance(250)
    await expectRejection(
      () => call,
      'LOAD_TIMEOUT',
      /^loading took longer than the hardTimeout of 250 ms; it goes on, /,
    )
    loader.calls[0]?.resolve('late')
    await settled()
    expect(await cache.get('other')).toBe('late')
    expect(cache.stats()).toMatchObject({ inFlight: 0, loads: 1, loadErrors: 0 })
  })

  it('gives the stale value where there is one, and leaves no timer behind', async () => {
    const { cache, clock, loader } = await withStale(make(), { hardTimeout: '250ms' })
    const call = cache.getOrSet('k', loader.load)
    await settled()
    clock.advance(250)
    expect(await call).toBe('old')
    loader.calls[0]?.resolve('new')
    await settled()
    expect(await cache.getOrSet('k', loader.load)).toBe('new')
    expect(clock.pending).toBe(0)
  })

  it('can be switched off for a call', async () => {
    const { cache, clock, loader } = await withStale(make(), { hardTimeout: '250ms', softTimeout: 0 })
    const call = cache.getOrSet('k', loader.load, { hardTimeout: false, softTimeout: false })
    await settled()
    clock.advance(5_000)
    loader.calls[0]?.resolve('new')
    expect(await call).toBe('new')
  })
})

describe.each(Object.entries(STORES))('jitter over %s', (_, make) => {
  const lifeOf = async (clock: ManualClock, cache: Cache, key: string): Promise<number> =>
    ((await cache.getEntry(key))?.freshUntil ?? 0) - clock.now()

  it('only shortens, by at most its part of the ttl: 5 % unless said otherwise', async () => {
    const { clock, store } = make()
    let random = 0
    const cache = new Cache({ store, clock, ttl: 10, grace: 5, random: () => random })
    for (const [given, life] of [
      [0, 10_000],
      [0.5, 9_750],
      [0.999_999, 9_500],
    ] as const) {
      random = given
      await cache.set('k', 1)
      expect(await lifeOf(clock, cache, 'k')).toBe(life)
      expect(await cache.getEntry('k')).toMatchObject({ expiresAt: clock.now() + life + 5_000 })
    }
    await cache.getOrSet('exact', () => 1, { jitter: 0 })
    expect(await lifeOf(clock, cache, 'exact')).toBe(10_000)
    await cache.set('half', 1, { jitter: 0.5 })
    expect(await lifeOf(clock, cache, 'half')).toBe(5_000)
    random = 0.999_999_999
    await cache.set('least', 1, { jitter: 1, ttl: '2ms' })
    expect(await lifeOf(clock, cache, 'least')).toBe(1)
  })
})

it.each([
  ['grace', -1],
  ['grace', '5 minutes'],
  ['jitter', 1.01],
  ['jitter', -0.1],
  ['jitter', Number.NaN],
  ['refreshAhead', 1],
  ['refreshAhead', 0],
  ['refreshAhead', true],
  ['earlyRefresh', 0],
  ['earlyRefresh', Number.POSITIVE_INFINITY],
  ['softTimeout', -1],
  ['hardTimeout', 0],
  ['negativeTtl', 0],
  ['errorTtl', 'soon'],
])('an option %s of %j is refused by the cache, a namespace and a call', async (option, value) => {
  const [make] = Object.values(STORES)
  const { clock, store } = (make as () => Made)()
  const cache = new Cache({ store, clock })
  const options = { [option]: value }
  const refused = { code: 'INVALID_OPTION', message: expect.stringContaining(`${option} must be`) }
  expect(() => new Cache({ store, clock, ...options })).toThrow(expect.objectContaining(refused))
  expect(() => cache.namespace('n', options)).toThrow(expect.objectContaining(refused))
  await expect(cache.getOrSet('k', () => 1, options)).rejects.toMatchObject(refused)
  await expect(cache.getOrSetMany(['k'], () => ({ k: 1 }), options)).rejects.toMatchObject(refused)
})

it('a namespace has the options of what it is in, but for its own', async () => {
  const [make] = Object.values(STORES)
  const { clock, store } = (make as () => Made)()
  const cache = new Cache<number>({ store, clock, jitter: 0, ttl: 10, grace: 20 })
  const view = cache.namespace('a', { ttl: 5 }).namespace('b', { jitter: 0 })
  await view.set('k', 1)
  const now = clock.now()
  expect(await view.getEntry('k')).toMatchObject({ freshUntil: now + 5_000, expiresAt: now + 25_000 })
})

it('a signal and the source of randomness must be what they are', async () => {
  const [make] = Object.values(STORES)
  const { clock, store } = (make as () => Made)()
  const random = 0.5 as unknown as () => number
  expect(() => new Cache({ store, clock, random })).toThrow(CacheError)
  const signal = {} as AbortSignal
  await expectRejection(
    () => new Cache({ store, clock }).getOrSet('k', () => 1, { signal }),
    'INVALID_OPTION',
    /^signal must be an AbortSignal/,
  )
})
