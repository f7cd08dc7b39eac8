import { APPLIED, Cache, type Entry, ManualClock, type Store } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, settled } from './stores.ts'
import { ControlledLoader, expectRejection, never, STORES } from './support.ts'

/** A store that keeps entries as bytes, as a remote one does. */
function remote(clock: ManualClock): Store {
  const inner = new BareStore(clock)
  const copy = (entry: Entry | undefined): Entry | undefined => entry && JSON.parse(JSON.stringify(entry))
  return {
    name: 'remote',
    get: async key => copy(inner.get(key)),
    set: async (key, entry) => inner.set(key, copy(entry) as Entry),
    delete: async key => inner.delete(key),
    clear: async scope => inner.clear(scope),
    close: () => {},
  }
}

const MAKERS: [string, () => { clock: ManualClock; store: Store }][] = [
  ...Object.entries(STORES),
  [
    'a remote store',
    () => {
      const clock = new ManualClock()
      return { clock, store: remote(clock) }
    },
  ],
]

describe.each(MAKERS)('negativeTtl over %s', (_, make) => {
  it('remembers for that long that there is nothing: reads answer without loading, as hits', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 60, grace: 60, negativeTtl: 5 })
    expect(await cache.getOrSet('k', () => undefined)).toBeUndefined()
    clock.advance(4_999)
    expect(await cache.getOrSet('k', never)).toBeUndefined()
    expect(await cache.getOrSetMany(['k'], never)).toEqual(new Map())
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.getMany(['k'])).toEqual(new Map())
    expect(await cache.getEntry('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
    expect(cache.stats()).toMatchObject({ hits: 5, misses: 1, stales: 0 })
    clock.advance(1)
    expect(await cache.getOrSet('k', () => 'there')).toBe('there')
  })

  it('ends when the key is written or removed', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, negativeTtl: 5 })
    await cache.getOrSet('k', () => undefined)
    await cache.set('k', 'written')
    expect(await cache.get('k')).toBe('written')
    await cache.delete('k')
    await cache.getOrSet('k', () => undefined)
    await cache.delete('k')
    expect(await cache.getOrSet('k', () => 'there')).toBe('there')
  })

  it('is remembered of many, each for itself', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, negativeTtl: 5 })
    expect(await cache.getOrSetMany(['a', 'b'], () => ({ a: 'A' }))).toEqual(new Map([['a', 'A']]))
    expect(await cache.getOrSetMany(['a', 'b'], never)).toEqual(new Map([['a', 'A']]))
    expect(await cache.getOrSet('b', never)).toBeUndefined()
  })

  it('is off unless asked for, and for a call', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock })
    await cache.getOrSet('k', () => undefined)
    expect(await cache.getOrSet('k', () => 'v', { negativeTtl: 5 })).toBe('v')
    await cache.getOrSet('l', () => undefined, { negativeTtl: 5 })
    expect(await cache.getOrSet('l', never)).toBeUndefined()
    const view = cache.namespace('n', { negativeTtl: 5 })
    await view.getOrSet('k', () => undefined, { negativeTtl: false })
    expect(await view.getOrSet('k', () => 'v')).toBe('v')
  })

  it('leaves null a value like any other, and does not slide', async () => {
    const { clock, store } = make()
    const cache = new Cache<string | null>({ store, clock, jitter: 0, negativeTtl: 5 })
    await cache.getOrSet('null', () => null)
    expect(await cache.getOrSet('null', never)).toBeNull()
    expect(await cache.has('null')).toBe(true)
    await cache.getOrSet('k', () => undefined)
    expect(await cache.get('k', { ttl: 60 })).toBeUndefined()
    clock.advance(5_000)
    expect(await cache.getOrSet('k', () => 'v')).toBe('v')
  })

  it('is not loaded anew ahead of time', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, negativeTtl: 10, refreshAhead: 0.5 })
    await cache.getOrSet('k', () => undefined)
    clock.advance(9_000)
    expect(await cache.getOrSet('k', never)).toBeUndefined()
    expect(await cache.getOrSetMany(['k'], never)).toEqual(new Map())
    await settled()
    expect(cache.stats()).toMatchObject({ hits: 2, loads: 1, loadErrors: 0 })
  })

  it('takes the place of a stale value', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10, grace: 60, negativeTtl: 5 })
    await cache.set('k', 'old')
    clock.advance(10_000)
    expect(await cache.getOrSet('k', () => undefined)).toBeUndefined()
    expect(await cache.getOrSet('k', never)).toBeUndefined()
    clock.advance(5_000)
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('origin')))).rejects.toThrow('origin')
  })
})

it('that there is nothing can have tags, of the call and of the loader', async () => {
  const clock = new ManualClock()
  const store = Object.assign(new BareStore(clock), { invalidateTags: () => APPLIED })
  const cache = new Cache<string>({ store, clock, negativeTtl: 5 })
  await cache.getOrSet(
    'k',
    ({ setTags }) => {
      setTags(['b'])
      return undefined
    },
    { tags: ['a'] },
  )
  expect(store.entries.get('k')?.tags).toEqual(['a', 'b'])
})

it('nobody can say by metadata that there is nothing', async () => {
  const clock = new ManualClock()
  const cache = new Cache<null>({ store: new BareStore(clock), clock })
  await expectRejection(
    () => cache.set('k', null, { metadata: { 'cache:negative': true } }),
    'INVALID_VALUE',
    /^metadata must not have the key "cache:negative"/,
  )
})

describe.each(Object.entries(STORES))('errorTtl over %s', (_, make) => {
  const origin = new Error('origin')

  it('gives the same error to whoever asks within that time, without loading', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, errorTtl: 5 })
    const loader = new ControlledLoader<string>()
    const calls = [cache.getOrSet('k', loader.load), cache.getOrSet('k', loader.load)]
    const outcomes = Promise.allSettled(calls)
    await settled()
    loader.calls[0]?.reject(origin)
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: origin })
    clock.advance(4_999)
    await expect(cache.getOrSet('k', never)).rejects.toBe(origin)
    await expect(cache.getOrSetMany(['k', 'l'], () => ({ l: 'L' }))).rejects.toBe(origin)
    expect(await cache.get('l')).toBe('L')
    expect(cache.stats()).toMatchObject({ loadErrors: 1, inFlight: 0 })
    clock.advance(1)
    expect(await cache.getOrSet('k', () => 'v')).toBe('v')
  })

  it('is forgotten when the key is written, removed or cleared', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, errorTtl: 5 })
    const view = cache.namespace('n')
    for (const invalidate of [
      () => view.set('k', 'v').then(() => view.get('k')),
      () => view.delete('k'),
      () => view.deleteMany(['x', 'k']),
      () => cache.clear(),
    ]) {
      await view.delete('k')
      await expect(view.getOrSet('k', () => Promise.reject(origin))).rejects.toBe(origin)
      await expect(view.getOrSet('k', never)).rejects.toBe(origin)
      await invalidate()
      expect(await view.getOrSet('k', () => 'v')).toBe('v')
    }
  })

  it('is not remembered of a load that was overtaken', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, errorTtl: 5 })
    const loader = new ControlledLoader<string>()
    const call = cache.getOrSet('k', loader.load)
    const outcome = Promise.allSettled([call])
    await settled()
    await cache.delete('k')
    loader.calls[0]?.reject(origin)
    await outcome
    expect(await cache.getOrSet('k', () => 'v')).toBe('v')
    const many = Promise.allSettled([cache.getOrSetMany(['a', 'b'], loader.load as never)])
    await settled()
    await cache.delete('a')
    loader.calls[1]?.reject(origin)
    await many
    expect(await cache.getOrSet('a', () => 'v')).toBe('v')
    await expect(cache.getOrSet('b', never)).rejects.toBe(origin)
  })

  it('has a stale value served without troubling its origin, also for many and ahead of time', async () => {
    const { clock, store } = make()
    const options = { jitter: 0, ttl: 10, grace: 60, errorTtl: 5 }
    const cache = new Cache<string>({ store, clock, ...options, refreshAhead: 0.5 })
    await cache.set('k', 'old')
    clock.advance(9_000)
    let loads = 0
    const fail = (): never => {
      loads++
      throw origin
    }
    expect(await cache.getOrSet('k', fail)).toBe('old')
    await settled()
    expect(await cache.getOrSet('k', fail)).toBe('old')
    expect(await cache.getOrSetMany(['k'], fail)).toEqual(new Map([['k', 'old']]))
    clock.advance(1_000)
    expect(await cache.getOrSet('k', fail)).toBe('old')
    expect(await cache.getOrSetMany(['k'], fail)).toEqual(new Map([['k', 'old']]))
    await settled()
    expect(loads).toBe(1)
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 2, stales: 2, loadErrors: 1 })
    clock.advance(5_000)
    expect(await cache.getOrSet('k', fail)).toBe('old')
    expect(loads).toBe(2)
  })

  it('is remembered of all keys of a call that failed', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, errorTtl: 5 })
    await expect(cache.getOrSetMany(['a', 'b'], () => Promise.reject(origin))).rejects.toBe(origin)
    await expect(cache.getOrSet('b', never)).rejects.toBe(origin)
  })
})
