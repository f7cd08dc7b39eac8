import { APPLIED, Cache, CacheError, ManualClock, type Observer, type Store } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, FullStore, failingStore, settled } from './stores.ts'

describe.each(['throws', 'rejects'] as const)('a store that %s', kind => {
  const errors = [new CacheError('UNAVAILABLE', 'away'), new Error('ECONNRESET')]

  it.each(errors)('makes misses of reads: %s', async error => {
    const cache = new Cache({ store: failingStore(error, kind) })
    const seen: CacheError[] = []
    cache.on('error', event => seen.push(event.error))
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.get('k', { ttl: 5 })).toBeUndefined()
    expect(await cache.getEntry('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map())
    expect(seen).toHaveLength(5)
    const own = error instanceof CacheError
    for (const told of seen) {
      expect(own ? told : told.cause).toBe(error)
      expect(told.code).toBe(own ? 'UNAVAILABLE' : 'STORE')
    }
    if (!own) expect(seen[0]?.message).toBe('failing failed in get')
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 5, errors: 5 })
  })

  it.each(errors)('says so in the outcome of writes: %s', async error => {
    const cache = new Cache({ store: failingStore(error, kind) })
    const code = error instanceof CacheError ? 'UNAVAILABLE' : 'STORE'
    const statuses: string[] = []
    for (const type of ['set', 'delete', 'clear'] as const)
      cache.on(type, event => statuses.push(event.status))
    for (const call of [
      () => cache.set('k', 1),
      () => cache.delete('k'),
      () => cache.clear(),
      () => cache.setMany({ a: 1, b: 2 }),
      () => cache.deleteMany(['a', 'b']),
    ]) {
      expect(await call()).toMatchObject({ status: 'failed', error: { code } })
    }
    expect(statuses).toEqual(Array(7).fill('failed'))
    expect(
      await cache.warm([
        ['a', 1],
        ['b', 2],
      ]),
    ).toMatchObject({ done: 0, failed: 2 })
    expect(cache.stats().errors).toBe(7) // A warm-up reads before it writes.
  })
})

describe('an outcome of the store', () => {
  it('comes back as it is, and its error is told', async () => {
    const error = new CacheError('TIMEOUT', 'late')
    const store: Store = {
      name: 'queueing',
      get: () => undefined,
      set: () => ({ status: 'queued', error }),
      delete: () => ({ status: 'partial', error }),
      clear: () => APPLIED,
      close: () => {},
    }
    const cache = new Cache({ store })
    const told: unknown[] = []
    cache.on('error', ({ operation }) => told.push(operation))
    expect(await cache.set('k', 1)).toEqual({ status: 'queued', error })
    expect(await cache.delete('k')).toEqual({ status: 'partial', error })
    expect(await cache.clear()).toBe(APPLIED)
    expect(told).toEqual(['set', 'delete'])
  })
})

describe('observers and listeners', () => {
  const boom = (): never => {
    throw new Error('boom')
  }
  const broken: Observer[] = [
    { attach: boom, event: boom },
    { attach: () => boom, event: async () => boom() },
  ]

  it.each(broken)('that throw harm nothing: %o', async observer => {
    const clock = new ManualClock()
    const cache = new Cache({ store: new BareStore(clock), clock, observer })
    for (const type of [
      'hit',
      'miss',
      'load',
      'loadError',
      'set',
      'delete',
      'clear',
      'invalidated',
    ] as const) {
      cache.on(type, boom)
      cache.on(type, async () => boom())
    }
    expect(await cache.set('k', 1)).toEqual({ status: 'applied' })
    expect(await cache.get('k')).toBe(1)
    expect(await cache.getOrSet('new', () => 2)).toBe(2)
    await expect(cache.getOrSet('fails', () => Promise.reject(new Error('origin')))).rejects.toThrow('origin')
    expect(await cache.getOrSetMany(['k', 'newer'], () => ({ newer: 3 }))).toEqual(
      new Map([
        ['k', 1],
        ['newer', 3],
      ]),
    )
    expect(await cache.delete('k')).toEqual({ status: 'applied' })
    expect(await cache.clear()).toEqual({ status: 'applied' })
    await cache.close()
    await settled() // An unhandled rejection fails the run.
  })

  it('hear what the store reports, and the observer gets the source and every event', async () => {
    const store = new FullStore(new ManualClock())
    const seen: unknown[] = []
    const observer: Observer = {
      attach: source => {
        seen.push(source.name, source.health())
        return () => seen.push('detached')
      },
      event: event => seen.push(event.type),
    }
    const cache = new Cache({ store, observer, name: 'products' })
    for (const type of ['state', 'gap', 'flush', 'error'] as const) {
      cache.on(type, event => seen.push({ ...event, heard: true }))
    }
    const error = new CacheError('CORRUPT', 'bad magic')
    const events = [
      { type: 'state', store: 'tiered', state: 'bypass' },
      { type: 'gap', store: 'tiered', reason: 'reset' },
      { type: 'flush', store: 'tiered' },
      { type: 'error', store: 'redis', operation: 'get', error },
      { type: 'remote', store: 'redis', operation: 'get', outcome: 'ok', durationMs: 1 },
    ] as const
    for (const event of events) store.observers.event(event)
    await cache.getOrSet('k', () => 1)
    await cache.getOrSet('l', () => Promise.reject(new Error('origin'))).catch(() => {})
    await cache.close()
    store.observers.event(events[0])
    const heard = (event: object): object => ({ ...event, heard: true })
    expect(seen).toEqual([
      'products',
      { available: true, state: 'coherent' },
      ...events.slice(0, 4).flatMap(event => [event.type, heard(event)]),
      'remote',
      'load',
      'load',
      'detached',
    ])
    expect(cache.stats().errors).toBe(1)
  })
})

describe('stats and health', () => {
  it('add up what the tiers of the store measure', () => {
    const cache = new Cache({ store: new FullStore(new ManualClock()) })
    expect(cache.stats()).toMatchObject({ evictions: 5, expirations: 1, hitRatio: 0 })
    expect(cache.stats().tiers.map(({ tier }) => tier)).toEqual(['near', 'far'])
    expect(cache.health()).toEqual({ available: true, state: 'coherent' })
    expect(cache.name).toBe('cache')
  })

  it('are empty for a store that does not tell', () => {
    const cache = new Cache({ store: new BareStore(new ManualClock()), name: 'plain' }).namespace('n')
    expect(cache.stats()).toMatchObject({ tiers: [], evictions: 0, expirations: 0 })
    expect(cache.health()).toBeUndefined()
    expect(cache.name).toBe('plain')
  })
})
