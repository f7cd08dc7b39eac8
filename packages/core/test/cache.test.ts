import { Cache, MAX_KEY_LENGTH } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { STORES } from './support.ts'

const HOSTILE_KEYS = [
  '__proto__',
  'constructor',
  'toString',
  '👩‍👩‍👧 ключ',
  ' ',
  '\0',
  '*',
  'a:b',
  'x'.repeat(MAX_KEY_LENGTH),
]

describe.each(Object.entries(STORES))('a cache over %s', (_, make) => {
  it('keeps a value for the ttl of the cache, 300 seconds unless said otherwise', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.set('k', 'v')).toEqual({ status: 'applied' })
    clock.advance(299_999)
    expect(await cache.get('k')).toBe('v')
    clock.advance(1)
    expect(await cache.get('k')).toBeUndefined()
    expect(await cache.has('k')).toBe(false)
  })

  it('keeps a value for the ttl of the call, in seconds or with a unit', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, ttl: '1h' })
    await cache.set('short', 'v', { ttl: 2 })
    await cache.set('long', 'v', { ttl: '3d' })
    await cache.set('usual', 'v')
    clock.advance(2_000)
    expect(await cache.getMany(['short', 'long', 'usual'])).toEqual(
      new Map([
        ['long', 'v'],
        ['usual', 'v'],
      ]),
    )
    clock.advance(3_598_000)
    expect(await cache.getMany(['long', 'usual'])).toEqual(new Map([['long', 'v']]))
  })

  it('gives the entry with its times and metadata', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0 })
    const createdAt = clock.now()
    await cache.set('k', 'v', { ttl: 10, metadata: { source: 'test' } })
    const until = createdAt + 10_000
    const entry = { value: 'v', createdAt, freshUntil: until, expiresAt: until, metadata: { source: 'test' } }
    expect(await cache.getEntry('k')).toEqual(entry)
    expect(await cache.getEntry('nothing')).toBeUndefined()
    await cache.set('plain', 'v')
    expect(await cache.getEntry('plain')).not.toHaveProperty('metadata')
  })

  it('holds 0, "", false and null like any other value', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0 })
    for (const value of [0, '', false, null, Number.NaN]) {
      await cache.set('k', value)
      expect(await cache.get('k')).toBe(value)
      expect(await cache.has('k')).toBe(true)
      expect(await cache.getMany(['k'])).toEqual(new Map([['k', value]]))
      expect(await cache.getOrSet('k', () => expect.fail('loaded'))).toBe(value)
      expect(await cache.getOrSetMany(['k'], () => expect.fail('loaded'))).toEqual(new Map([['k', value]]))
      await cache.delete('k')
      expect(await cache.getOrSet('k', () => value)).toBe(value)
      expect(await cache.getOrSet('k', () => expect.fail('loaded'))).toBe(value)
      await cache.deleteMany(['k'])
      expect(await cache.getOrSetMany(['k'], () => ({ k: value }))).toEqual(new Map([['k', value]]))
      expect(await cache.get('k')).toBe(value)
    }
  })

  it('takes every well-formed string as a key, and changes no prototype', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0 })
    for (const view of [cache, cache.namespace('space')]) {
      for (const key of HOSTILE_KEYS) expect(await view.getMany([key])).toEqual(new Map())
      for (const key of HOSTILE_KEYS) expect(await view.getOrSetMany([key], () => ({}))).toEqual(new Map())
      await view.setMany(Object.fromEntries(HOSTILE_KEYS.map((key, n) => [key, n])))
      for (const [n, key] of HOSTILE_KEYS.entries()) expect(await view.get(key)).toBe(n)
      expect([...(await view.getMany(HOSTILE_KEYS)).keys()]).toEqual(HOSTILE_KEYS)
      expect(await view.deleteMany(HOSTILE_KEYS)).toEqual({ status: 'applied' })
      const loaded = await view.getOrSetMany(HOSTILE_KEYS, keys =>
        Object.fromEntries(keys.map(key => [key, key])),
      )
      expect([...loaded.keys()]).toEqual(HOSTILE_KEYS)
      await view.clear()
    }
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('deletes, whether or not there was something', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0 })
    await cache.set('k', 1)
    expect(await cache.delete('k')).toEqual({ status: 'applied' })
    expect(await cache.delete('k')).toEqual({ status: 'applied' })
    expect(await cache.get('k')).toBeUndefined()
  })

  it('reads many in the order asked, each key once, and only what is there', async () => {
    const { clock, store } = make()
    const cache = new Cache<number>({ store, clock, jitter: 0, batchSize: 2 })
    await cache.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 4],
      ['e', 5],
    ])
    const found = await cache.getMany(new Set(['e', 'missing', 'c', 'a', 'd']))
    expect([...found]).toEqual([
      ['e', 5],
      ['c', 3],
      ['a', 1],
      ['d', 4],
    ])
    expect([...(await cache.getMany(['b', 'a', 'b']))]).toEqual([
      ['b', 2],
      ['a', 1],
    ])
    expect(await cache.getMany([])).toEqual(new Map())
    expect(cache.stats()).toMatchObject({ hits: 6, misses: 1 })
  })

  it('writes many from an object, a Map or any iterable of pairs; the last of two equal keys counts', async () => {
    const { clock, store } = make()
    const cache = new Cache<number>({ store, clock, jitter: 0 })
    await cache.setMany({ a: 1 })
    await cache.setMany(new Map([['b', 2]]), { ttl: 1 })
    await cache.setMany(
      (function* () {
        yield ['c', 3] as const
        yield ['c', 4] as const
      })(),
    )
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
        ['c', 4],
      ]),
    )
    clock.advance(1_000)
    expect(await cache.has('b')).toBe(false)
    expect(await cache.setMany([])).toEqual({ status: 'applied' })
    expect(await cache.deleteMany([])).toEqual({ status: 'applied' })
  })

  it('lets a hit with a ttl live that long from now, and never shortens its life', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0, ttl: 10 })
    await cache.set('k', 'v', { metadata: { by: 'me' } })
    const createdAt = clock.now()
    clock.advance(9_000)
    expect(await cache.get('k', { ttl: 10 })).toBe('v')
    const until = createdAt + 19_000
    expect(await cache.getEntry('k')).toEqual({
      value: 'v',
      createdAt,
      freshUntil: until,
      expiresAt: until,
      metadata: { by: 'me' },
    })
    expect(await cache.get('k', { ttl: 1 })).toBe('v')
    expect(await cache.getEntry('k')).toMatchObject({ expiresAt: until })
    clock.advance(10_000)
    expect(await cache.get('k', { ttl: 10 })).toBeUndefined()
    expect(await cache.get('nothing', { ttl: 10 })).toBeUndefined()
    expect(cache.stats()).toMatchObject({ hits: 4, misses: 2, sets: 1, errors: 0 })
  })

  it('keeps a key that several callers slide at once', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0, ttl: 10 })
    await cache.set('k', 'v')
    clock.advance(5_000)
    const reads = [1, 2, 3].map(() => cache.get('k', { ttl: 10 }))
    expect(await Promise.all(reads)).toEqual(['v', 'v', 'v'])
    clock.advance(9_999)
    expect(await cache.get('k')).toBe('v')
  })

  it('puts the keys of a namespace under its prefix, and nests', async () => {
    const { clock, store, inner } = make()
    const cache = new Cache<number>({ store, clock, jitter: 0, namespace: 'app' })
    const users = cache.namespace('users')
    const admins = users.namespace('admins', { ttl: 1 })
    await cache.set('k', 1)
    await users.set('k', 2)
    await admins.setMany({ k: 3 })
    expect([...inner.entries.keys()]).toEqual(['app:k', 'app:users:k', 'app:users:admins:k'])
    expect([cache.address('k'), admins.address('k')]).toEqual(['app:k', 'app:users:admins:k'])
    expect(await cache.getMany(['k', 'users:k'])).toEqual(
      new Map([
        ['k', 1],
        ['users:k', 2],
      ]),
    )
    expect([await users.get('k'), await admins.get('k')]).toEqual([2, 3])
    expect(await admins.getOrSetMany(['k'], () => expect.fail('loaded'))).toEqual(new Map([['k', 3]]))
    clock.advance(1_000)
    expect([await users.has('k'), await admins.has('k')]).toEqual([true, false])
  })

  it('gives a namespace the ttl of what it is in', async () => {
    const { clock, store } = make()
    const view = new Cache({ store, clock, jitter: 0, ttl: 7 }).namespace('a').namespace('b')
    await view.set('k', 1)
    expect(await view.getEntry('k')).toMatchObject({ expiresAt: clock.now() + 7_000 })
  })

  it('clears a namespace and what is in it, and nothing beside it', async () => {
    const { clock, store, inner } = make()
    const cache = new Cache({ store, clock, jitter: 0 })
    const keys = ['k', 'users', 'user:1', 'users:1', 'users:old:1', 'users2:1', '__proto__']
    await cache.setMany(keys.map(key => [key, key] as const))
    expect(await cache.namespace('users').clear()).toEqual({ status: 'applied' })
    expect([...inner.entries.keys()]).toEqual(['k', 'users', 'user:1', 'users2:1', '__proto__'])
    await cache.clear()
    expect(inner.entries.size).toBe(0)
  })

  it('counts exactly', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0 })
    await cache.set('a', 1)
    await cache.setMany({ b: 2, c: 3 })
    await cache.get('a')
    await cache.getEntry('nothing')
    await cache.has('a')
    await cache.has('nothing')
    await cache.getMany(['b', 'c', 'nothing'])
    await cache.namespace('n').getOrSet('d', () => 4)
    await cache.getOrSet('n:d', () => 5)
    await cache.getOrSet('undefined', () => undefined)
    await cache.getOrSet('fails', () => Promise.reject(new Error('origin'))).catch(() => {})
    await cache.getOrSetMany(['a', 'e', 'f'], () => new Map([['e', 6]]))
    await cache.delete('a')
    await cache.deleteMany(['b', 'nothing'])
    expect(cache.stats()).toMatchObject({
      hits: 5,
      misses: 7,
      hitRatio: 5 / 12,
      sets: 3,
      deletes: 3,
      loads: 3,
      loadErrors: 1,
      sharedLoads: 0,
      errors: 0,
      inFlight: 0,
    })
  })

  it('tells what happens, with whole keys', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0 }).namespace('n')
    const seen: unknown[] = []
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
      cache.on(type, event => {
        const { durationMs, ...rest } = event as Record<string, unknown>
        if (type === 'load') expect(durationMs).toBeGreaterThanOrEqual(0)
        seen.push([type, rest])
      })
    }
    const error = new Error('origin')
    await cache.set('a', 1)
    await cache.get('a')
    await cache.getOrSet('b', () => 2)
    await cache.getOrSet('c', () => Promise.reject(error)).catch(() => {})
    await cache.setMany({ d: 4 })
    await cache.delete('a')
    await cache.deleteMany(['d'])
    await cache.clear()
    expect(seen).toEqual([
      ['invalidated', { key: 'n:a' }],
      ['set', { key: 'n:a', status: 'applied' }],
      ['hit', { key: 'n:a' }],
      ['miss', { key: 'n:b' }],
      ['load', { key: 'n:b' }],
      ['miss', { key: 'n:c' }],
      ['loadError', { key: 'n:c', error }],
      ['invalidated', { key: 'n:d' }],
      ['set', { key: 'n:d', status: 'applied' }],
      ['invalidated', { key: 'n:a' }],
      ['delete', { key: 'n:a', status: 'applied' }],
      ['invalidated', { key: 'n:d' }],
      ['delete', { key: 'n:d', status: 'applied' }],
      ['invalidated', { scope: 'n:' }],
      ['clear', { scope: 'n:', status: 'applied' }],
    ])
  })
})
