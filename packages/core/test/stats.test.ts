import { Cache, ManualClock, type TierStats } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, FullStore } from './stores.ts'

/** A store of two tiers that count what the test says. */
class TwoTiers extends BareStore {
  tiers: TierStats[] = [
    { tier: 'near', hits: 0, evictions: 0, expirations: 0 },
    { tier: 'far', hits: 0 },
  ]

  measure(): readonly TierStats[] {
    return this.tiers
  }
}

async function setUp() {
  const clock = new ManualClock(5_000)
  const store = new TwoTiers(clock)
  const cache = new Cache({ store, clock })
  await cache.set('k', 1)
  for (const key of ['k', 'k', 'k', 'x']) await cache.get(key)
  store.tiers = [
    { tier: 'near', items: 7, hits: 2, evictions: 3, expirations: 1 },
    { tier: 'far', hits: 1 },
  ]
  clock.advance(2_000)
  return { clock, store, cache }
}

describe('stats', () => {
  it('has counts, ratios and rates since the start, of each tier as well', async () => {
    const { cache } = await setUp()
    expect(cache.stats()).toMatchObject({
      since: 5_000,
      seconds: 2,
      hits: 3,
      misses: 1,
      hitRatio: 0.75,
      sets: 1,
      evictions: 3,
      expirations: 1,
      inFlight: 0,
      perSecond: { hits: 1.5, misses: 0.5, sets: 0.5, loads: 0, evictions: 1.5, expirations: 0.5 },
    })
    expect(cache.stats().tiers).toEqual([
      {
        ...{ tier: 'near', items: 7, hits: 2, evictions: 3, expirations: 1, hitRatio: 0.5 },
        perSecond: { hits: 1, evictions: 1.5, expirations: 0.5 },
      },
      // Of the two reads that the near tier left to it.
      { tier: 'far', hits: 1, hitRatio: 0.5, perSecond: { hits: 0.5 } },
    ])
  })

  it('has the same since it was reset, and goes on with the rest', async () => {
    const { cache, clock, store } = await setUp()
    const { sinceReset, ...before } = cache.stats()
    expect(sinceReset).toEqual({ ...sinceReset, since: 5_000, hits: 3, tiers: before.tiers })
    cache.namespace('n').resetStats()
    expect(cache.stats().sinceReset).toMatchObject({
      since: 7_000,
      seconds: 0,
      hits: 0,
      hitRatio: 0,
      evictions: 0,
    })
    expect(cache.stats().sinceReset.perSecond.hits).toBe(0)

    await cache.get('x')
    store.tiers = [
      { tier: 'near', items: 6, hits: 2, evictions: 5, expirations: 1 },
      { tier: 'far', hits: 1 },
    ]
    clock.advance(500)
    const { sinceReset: after, ...all } = cache.stats()
    expect(after).toMatchObject({ since: 7_000, seconds: 0.5, hits: 0, misses: 1, hitRatio: 0, evictions: 2 })
    expect(after.perSecond).toMatchObject({ misses: 2, evictions: 4 })
    expect(after.tiers[0]).toMatchObject({
      items: 6,
      hits: 0,
      hitRatio: 0,
      evictions: 2,
      perSecond: { evictions: 4 },
    })
    expect(all).toMatchObject({ since: 5_000, seconds: 2.5, hits: 3, misses: 2, hitRatio: 0.6, evictions: 5 })
  })

  it('is a plain snapshot that does not change', async () => {
    const { cache } = await setUp()
    const stats = cache.stats()
    const copy = structuredClone(stats)
    await cache.get('k')
    cache.resetStats()
    expect(stats).toEqual(copy)
    expect(JSON.parse(JSON.stringify(stats))).toEqual(copy)
  })

  it('makes sense before anything happened, and when the clock was set back', () => {
    const clock = new ManualClock(5_000)
    const cache = new Cache({ store: new FullStore(clock), clock })
    expect(cache.stats()).toMatchObject({ seconds: 0, hitRatio: 0 })
    clock.advance(-1_000)
    expect(cache.stats()).toMatchObject({ seconds: 0, since: 5_000 })
    expect(Object.values(cache.stats().perSecond).every(rate => rate === 0)).toBe(true)
  })
})
