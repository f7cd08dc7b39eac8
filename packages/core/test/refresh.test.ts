import { Cache, type CacheOptions, ManualClock, type TelemetryEvent } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, ControlledStore, settled } from './stores.ts'
import { ControlledLoader, type Made, never, STORES } from './support.ts'

/** A cache with a value of which `ageMs` of its 10 seconds are over. */
async function aged(made: Made, ageMs: number, options: Partial<CacheOptions>) {
  const { clock, store } = made
  const cache = new Cache<string | undefined>({ store, clock, jitter: 0, ttl: 10, ...options })
  const loader = new ControlledLoader<string | undefined>()
  await cache.set('k', 'old')
  clock.advance(ageMs)
  return { clock, cache, loader }
}

describe.each(Object.entries(STORES))('refreshAhead over %s', (_, make) => {
  it('loads behind a hit once its part of the ttl is over, and not before', async () => {
    const { cache, clock, loader } = await aged(make(), 7_999, { refreshAhead: 0.8 })
    expect(await cache.getOrSet('k', loader.load)).toBe('old')
    await settled()
    expect(loader.calls).toHaveLength(0)
    clock.advance(1)
    expect(await cache.getOrSet('k', loader.load)).toBe('old')
    await settled()
    expect(loader.calls).toHaveLength(1)
    loader.calls[0]?.resolve('new')
    await settled()
    expect(await cache.getOrSet('k', loader.load)).toBe('new')
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 0, loads: 1, refreshes: 1, inFlight: 0 })
  })

  it('never loads a key twice at once, and nobody waits who has a value', async () => {
    const { cache, loader } = await aged(make(), 9_000, { refreshAhead: 0.5 })
    const calls = Array.from({ length: 5 }, () => cache.getOrSet('k', loader.load))
    expect(await Promise.all(calls)).toEqual(Array(5).fill('old'))
    await settled()
    expect(await cache.getOrSet('k', loader.load)).toBe('old')
    expect(await cache.getOrSetMany(['k'], never)).toEqual(new Map([['k', 'old']]))
    expect(await cache.get('k')).toBe('old')
    await settled()
    expect(loader.calls).toHaveLength(1)
    expect(cache.stats()).toMatchObject({ hits: 8, misses: 0, sharedLoads: 0, inFlight: 1 })
    loader.calls[0]?.resolve('new')
  })

  it.each(['getOrSet', 'getOrSetMany'] as const)(
    'replaces nothing that a listener removes when it is told of a hit of %s',
    async method => {
      const { cache, loader } = await aged(make(), 9_000, { refreshAhead: 0.5 })
      const removed = new Promise(resolve => {
        const leave = cache.on('hit', () => {
          leave()
          resolve(cache.delete('k'))
        })
      })
      if (method === 'getOrSet') expect(await cache.getOrSet('k', loader.load)).toBe('old')
      else expect(await cache.getOrSetMany(['k'], never)).toEqual(new Map([['k', 'old']]))
      await removed
      expect(await cache.getOrSet('k', () => 'new')).toBe('new')
      loader.calls[0]?.resolve('too late')
      await settled()
      expect(await cache.get('k')).toBe('new')
    },
  )

  it('keeps its failures from callers, who go on with what there is, and tries again', async () => {
    const { cache, loader } = await aged(make(), 9_000, { refreshAhead: 0.5 })
    const errors: unknown[] = []
    const refreshes: unknown[] = []
    cache.on('loadError', ({ error }) => errors.push(error))
    cache.on('refresh', ({ key, outcome }) => refreshes.push([key, outcome]))
    expect(await cache.getOrSet('k', loader.load)).toBe('old')
    await settled()
    loader.calls[0]?.reject('no')
    await settled()
    expect(await cache.getOrSet('k', loader.load)).toBe('old')
    await settled()
    loader.calls[1]?.resolve('new')
    await settled()
    expect(errors).toEqual(['no'])
    expect(refreshes).toEqual([
      ['k', 'error'],
      ['k', 'ok'],
    ])
    expect(cache.stats()).toMatchObject({ refreshes: 1, refreshErrors: 1, loadErrors: 1, stales: 0, hits: 2 })
  })

  it('has who comes after the value ended wait for the load under way', async () => {
    const { cache, clock, loader } = await aged(make(), 9_000, { refreshAhead: 0.5 })
    await cache.getOrSet('k', loader.load)
    await settled()
    clock.advance(1_000)
    const call = cache.getOrSet('k', never)
    await settled()
    loader.calls[0]?.resolve('new')
    expect(await call).toBe('new')
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, sharedLoads: 1, loads: 1 })
  })

  it('stores nothing over what was written meanwhile, and removes what is no more', async () => {
    const { cache, clock, loader } = await aged(make(), 9_000, { refreshAhead: 0.5 })
    await cache.getOrSet('k', loader.load)
    await settled()
    await cache.set('k', 'written')
    loader.calls[0]?.resolve('outdated')
    await settled()
    expect(await cache.get('k')).toBe('written')
    clock.advance(6_000)
    await cache.getOrSet('k', loader.load)
    await settled()
    loader.calls[1]?.resolve(undefined)
    await settled()
    expect(await cache.has('k')).toBe(false)
  })

  it('can be switched on and off for a call', async () => {
    const { cache, loader } = await aged(make(), 9_000, {})
    await cache.getOrSet('k', loader.load)
    await settled()
    expect(loader.calls).toHaveLength(0)
    const view = cache.namespace('n', { refreshAhead: 0.5 })
    await cache.getOrSet('k', loader.load, { refreshAhead: 0.9 })
    await view.getOrSet('k', () => 'x', { refreshAhead: false })
    await settled()
    expect(loader.calls).toHaveLength(1)
    loader.calls[0]?.resolve('new')
  })

  it('loads those of many that are due behind the answer, in one call', async () => {
    const { cache, clock } = await aged(make(), 9_000, { refreshAhead: 0.5 })
    await cache.set('fresh', 'F')
    await cache.set('l', 'L')
    clock.advance(0)
    await cache.namespace('x').set('y', 'z')
    const asked: (readonly string[])[] = []
    const load = (keys: readonly string[]): Map<string, string> => {
      asked.push(keys)
      return new Map(keys.map(key => [key, `${key} anew`]))
    }
    clock.advance(900)
    const found = await cache.getOrSetMany(['k', 'fresh', 'l', 'missing'], load)
    expect([...found.values()]).toEqual(['old', 'F', 'L', 'missing anew'])
    await settled()
    expect(asked.map(keys => [...keys]).sort()).toEqual([['k'], ['missing']])
    expect(await cache.get('k')).toBe('k anew')
    expect(cache.stats()).toMatchObject({ refreshes: 1, loads: 2, inFlight: 0 })
  })
})

describe.each(Object.entries(STORES))('two calls for many at once over %s', (_, make) => {
  it('load what is due once', async () => {
    const { cache } = await aged(make(), 9_000, { refreshAhead: 0.5 })
    const asked: (readonly string[])[] = []
    const load = async (keys: readonly string[]): Promise<Record<string, string>> => {
      asked.push(keys)
      return { k: 'new' }
    }
    const found = await Promise.all([cache.getOrSetMany(['k'], load), cache.getOrSetMany(['k'], load)])
    expect(found).toEqual([new Map([['k', 'old']]), new Map([['k', 'old']])])
    await settled()
    expect(asked).toEqual([['k']])
    expect(cache.stats()).toMatchObject({ hits: 2, refreshes: 1, inFlight: 0 })
  })
})

describe('earlyRefresh', () => {
  const clockAndCache = (random: () => number) => {
    const clock = new ManualClock()
    const store = new BareStore(clock)
    const cache = new Cache<number>({ store, clock, jitter: 0, ttl: 10, earlyRefresh: 1, random })
    return { clock, cache }
  }
  /** A load that takes half a second. */
  const slow = (clock: ManualClock) => (): number => {
    clock.advance(500)
    return clock.now()
  }

  it('loads anew by lot: the likelier the nearer the end and the longer the load takes', async () => {
    let lot = 1
    const { clock, cache } = clockAndCache(() => lot)
    await cache.getOrSet('k', slow(clock))
    clock.advance(9_000) // One second is left: two loads long.
    const refreshed = async (): Promise<boolean> => {
      const before = cache.stats().refreshes
      await cache.getOrSet('k', slow(clock))
      await settled()
      return cache.stats().refreshes > before
    }
    lot = Math.exp(-1.99)
    expect(await refreshed()).toBe(false)
    lot = Math.exp(-2.01)
    expect(await refreshed()).toBe(true)
  })

  it('does nothing before it knows how long loads take', async () => {
    const { clock, cache } = clockAndCache(() => 0)
    await cache.set('k', 1)
    clock.advance(9_999)
    await cache.getOrSet('k', slow(clock))
    await settled()
    expect(cache.stats()).toMatchObject({ loads: 0, refreshes: 0 })
  })

  it('measures each namespace for itself', async () => {
    const { clock, cache } = clockAndCache(() => 0)
    await cache.getOrSet('k', slow(clock))
    const view = cache.namespace('n')
    await view.set('k', 1)
    await view.getOrSet('k', slow(clock))
    await settled()
    expect(cache.stats()).toMatchObject({ loads: 1, refreshes: 0 })
  })

  it('learns how long loads take when it is said of calls alone', async () => {
    const clock = new ManualClock()
    const cache = new Cache<number>({
      store: new BareStore(clock),
      clock,
      jitter: 0,
      ttl: 10,
      random: () => 0,
    })
    await cache.getOrSet('k', slow(clock), { earlyRefresh: 1 })
    await cache.getOrSet('k', slow(clock), { earlyRefresh: 1 })
    await settled()
    expect(cache.stats()).toMatchObject({ hits: 1, refreshes: 1 })
  })
})

it('a hit that was overtaken by an invalidation is not followed by a refresh', async () => {
  const clock = new ManualClock()
  const store = new ControlledStore(clock)
  const cache = new Cache<string>({ store, clock, jitter: 0, refreshAhead: 0.5 })
  const until = clock.now() + 1_000
  store.inner.set('k', { value: 'old', createdAt: 0, freshUntil: until, expiresAt: until })
  const call = cache.getOrSet('k', never)
  store.next('get').happen()
  const deletion = cache.delete('k')
  await store.answerAll()
  await deletion
  expect(await call).toBe('old')
  await store.answerAll()
  expect(cache.stats()).toMatchObject({ hits: 1, inFlight: 0, loadErrors: 0 })
})

it('telemetry is told of refreshes, beside the loads they are', async () => {
  const clock = new ManualClock()
  const events: TelemetryEvent[] = []
  const cache = new Cache<number>({
    store: new BareStore(clock),
    clock,
    jitter: 0,
    ttl: 10,
    refreshAhead: 0.5,
    observer: { event: event => events.push(event) },
  })
  await cache.set('k', 1)
  clock.advance(5_000)
  await cache.getOrSet('k', () => 2)
  await settled()
  expect(events).toEqual([
    { type: 'load', outcome: 'ok', durationMs: expect.any(Number) },
    { type: 'refresh', outcome: 'ok', keys: 1 },
  ])
})
