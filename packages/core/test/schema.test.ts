import { Cache, ManualClock, type Schema, type SchemaResult, type Store } from '@cache/core'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { LeasingStore, Server } from './leasing-store.ts'
import { asynchronous, BareStore, FullStore, settled } from './stores.ts'
import { expectRejection, never, rejection, STORES } from './support.ts'

interface User {
  name: string
  age: number
}
const ADA: User = { name: 'Ada', age: 36 }
/** As an earlier release stored it. */
const OLD = { name: 'Ada' }

const later = <V>(schema: Schema<V>): Schema<V> => ({
  '~standard': {
    ...schema['~standard'],
    validate: async value => {
      await undefined
      return schema['~standard'].validate(value)
    },
  },
})
const zod = z.object({ name: z.string(), age: z.number() })
const SCHEMAS: Readonly<Record<string, Schema<User>>> = {
  zod,
  valibot: v.object({ name: v.string(), age: v.number() }),
  arktype: type({ name: 'string', age: 'number' }),
  'an asynchronous one': later(zod),
}

const STORES_AND_SCHEMAS = Object.entries(STORES).flatMap(([store, make]) =>
  Object.entries(SCHEMAS).map(([vendor, schema]) => ({ store, make, vendor, schema })),
)

describe.each(STORES_AND_SCHEMAS)('a schema ($vendor) over $store', ({ make, schema }) => {
  const setUp = () => {
    const { clock, store } = make()
    const options = { store, clock, jitter: 0, ttl: 10, grace: 60 } as const
    const cache = new Cache<unknown>(options)
    const users = cache.namespace('users', { schema })
    const mismatches: unknown[] = []
    users.on('mismatch', event => mismatches.push(event))
    /** What an earlier release, without that schema, left there. */
    const leave = (...keys: string[]) =>
      cache.setMany(Object.fromEntries(keys.map(key => [`users:${key}`, OLD])))
    return { clock, cache, users, mismatches, leave }
  }
  const mismatch = (key: string) => ({ key: `users:${key}`, paths: ['age'] })

  it('lets pass what matches, on every way in and out', async () => {
    const { users, mismatches } = setUp()
    await users.set('a', ADA)
    await users.setMany({ b: ADA })
    expect(await users.warm([['c', ADA]])).toMatchObject({ done: 1, failed: 0 })
    await users.getOrSet('d', () => ADA)
    await users.getOrSetMany(['e'], () => ({ e: ADA }))
    users.check('f', ADA)
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      expect(await users.get(key)).toEqual(ADA)
      expect(await users.get(key, { ttl: 20 })).toEqual(ADA)
      expect((await users.getEntry(key))?.value).toEqual(ADA)
      expect(await users.has(key)).toBe(true)
      expect(await users.getOrSet(key, never)).toEqual(ADA)
    }
    expect((await users.getMany(['a', 'e'])).get('e')).toEqual(ADA)
    expect((await users.getOrSetMany(['a', 'e'], never)).size).toBe(2)
    expect(mismatches).toEqual([])
    expect(users.stats()).toMatchObject({ misses: 2, mismatches: 0 })
  })

  it('makes a miss and an event of what is stored and no longer matches', async () => {
    const { users, mismatches, leave } = setUp()
    await leave('k')
    expect(await users.get('k')).toBeUndefined()
    expect(await users.get('k', { ttl: 20 })).toBeUndefined()
    expect(await users.getEntry('k')).toBeUndefined()
    expect(await users.has('k')).toBe(false)
    expect(await users.getMany(['k'])).toEqual(new Map())
    expect(mismatches).toEqual(Array(5).fill(mismatch('k')))
    expect(users.stats()).toMatchObject({ hits: 0, misses: 4, stales: 0, errors: 0, mismatches: 5 })
  })

  it('loads what no longer matches anew, and keeps the others of many', async () => {
    const { users, leave, cache } = setUp()
    await leave('a', 'b')
    await users.set('c', { ...ADA, age: 37 })
    expect(await users.getOrSet('a', ({ stale }) => (stale ? never() : ADA))).toEqual(ADA)
    const loadMissing = vi.fn((keys: readonly string[]) => new Map(keys.map(key => [key, ADA])))
    expect((await users.getOrSetMany(['a', 'b', 'c'], loadMissing)).size).toBe(3)
    expect(loadMissing.mock.calls).toEqual([[['b']]])
    for (const key of ['a', 'b']) expect(await cache.get(`users:${key}`)).toEqual(ADA)
  })

  it('never serves something stale that does not match', async () => {
    const { users, leave, clock } = setUp()
    await leave('k', 'l')
    clock.advance(10_000)
    const broken = () => Promise.reject(new Error('the origin is away'))
    await expect(users.getOrSet('k', broken)).rejects.toThrow('the origin is away')
    await expect(users.getOrSet('k', broken, { softTimeout: 0 })).rejects.toThrow('the origin is away')
    await expect(users.getOrSetMany(['k', 'l'], broken)).rejects.toThrow('the origin is away')
    expect(users.stats()).toMatchObject({ stales: 0 })
  })

  it('serves something stale that does, also in place of a loaded value that does not', async () => {
    const { users, clock } = setUp()
    await users.set('k', ADA)
    clock.advance(10_000)
    const errors: unknown[] = []
    users.on('loadError', ({ error }) => errors.push(error))
    expect(await users.getOrSet('k', () => OLD as User)).toEqual(ADA)
    expect(await users.getOrSetMany(['k'], () => ({ k: OLD as User }))).toEqual(new Map([['k', ADA]]))
    expect(errors).toMatchObject([{ code: 'INVALID_VALUE' }, { code: 'INVALID_VALUE' }])
    expect(await users.getOrSet('k', ({ keep }) => keep())).toEqual(ADA)
    expect(await users.get('k')).toEqual(ADA)
  })

  it('refuses to write what does not match, and says where', async () => {
    const { users, cache } = setUp()
    const bad = { name: 'secret', age: 'secret' } as unknown as User
    const message = /^the value does not match the schema, at age: nothing was stored$/
    await expectRejection(() => users.set('k', bad), 'INVALID_VALUE', message)
    await expectRejection(() => users.setMany({ a: ADA, k: bad }), 'INVALID_VALUE', message)
    expect(await cache.getMany(['users:k', 'users:a'])).toEqual(new Map())
    expect(users.stats()).toMatchObject({ sets: 0 })
  })

  it('rejects with a loaded value that does not match, and stores the others of many', async () => {
    const { users, cache } = setUp()
    const bad = { name: 'secret' } as User
    const message = /^what the loader gave does not match the schema, at age: nothing was stored$/
    await expectRejection(() => users.getOrSet('k', () => bad), 'INVALID_VALUE', message)
    const told: unknown[] = []
    users.on('load', ({ key }) => told.push(['load', key]))
    users.on('loadError', ({ key }) => told.push(['loadError', key]))
    const many = users.getOrSetMany(['k', 'a', 'b'], () => ({ k: bad, a: ADA }), { errorTtl: 5 })
    await expectRejection(() => many, 'INVALID_VALUE', message)
    expect(told.sort()).toEqual([
      ['load', 'users:a'],
      ['load', 'users:b'],
      ['loadError', 'users:k'],
    ])
    expect(await cache.getMany(['users:k', 'users:a'])).toEqual(new Map([['users:a', ADA]]))
    await expectRejection(() => users.getOrSet('k', never), 'INVALID_VALUE', message)
    expect(await users.getOrSet('b', () => ADA)).toEqual(ADA)
  })

  it('has nothing to say of what was not found, remembered or not', async () => {
    const { users } = setUp()
    expect(await users.getOrSet('k', () => undefined)).toBeUndefined()
    expect(await users.getOrSet('k', () => undefined, { negativeTtl: 5 })).toBeUndefined()
    expect(await users.getOrSet('k', never)).toBeUndefined()
    expect(await users.get('k')).toBeUndefined()
    expect(users.stats()).toMatchObject({ mismatches: 0, loadErrors: 0 })
  })
})

describe('a schema', () => {
  const cacheOf = <V>(schema: Schema<V>, store: Store = new FullStore(new ManualClock())): Cache<V> =>
    new Cache({ store, schema })

  it('has what it gives stored and returned, to the one who loads as well', async () => {
    const store = new FullStore(new ManualClock())
    const cache = cacheOf(z.object({ name: z.string(), role: z.string().default('reader') }), store)
    const given = { name: 'Ada', password: 'x' } as unknown as { name: string; role: string }
    const made = { name: 'Ada', role: 'reader' }
    expect(await cache.getOrSet('a', () => given)).toEqual(made)
    expect((await cache.getOrSetMany(['b'], () => ({ b: given }))).get('b')).toEqual(made)
    await cache.set('c', given)
    await cache.setMany({ d: given })
    await cache.warm([['e', given]])
    expect([...store.entries.values()].map(({ value }) => value)).toEqual(Array(5).fill(made))
  })

  it('makes of stored text what it says, also behind another store', async () => {
    const store = new BareStore(new ManualClock())
    const cache = cacheOf(z.object({ at: z.coerce.date() }), store)
    await cache.set('k', { at: new Date(0) })
    store.entries.set('k', { ...store.get('k'), value: { at: '1970-01-01T00:00:00.000Z' } } as never)
    for (const value of [await cache.get('k'), (await cache.getEntry('k'))?.value]) {
      expect(value).toEqual({ at: new Date(0) })
    }
    expect((await cache.getMany(['k'])).get('k')).toEqual({ at: new Date(0) })
    expect(await cache.getOrSet('k', never)).toEqual({ at: new Date(0) })
  })

  it('that does not accept what it gives refuses every value at once, not when it is read', async () => {
    const cache = cacheOf(z.string().transform(Number) as unknown as Schema<number>)
    const message = /^what the schema made of a value does not match the schema/
    await expectRejection(() => cache.set('k', '5' as never), 'INVALID_VALUE', message)
    await expectRejection(() => cache.getOrSet('k', () => '5' as never), 'INVALID_VALUE', message)
    const nothing = cacheOf(z.any().transform(() => undefined) as Schema<unknown>)
    await expectRejection(() => nothing.set('k', 5), 'INVALID_VALUE', /^undefined cannot be stored/)
  })

  it('sees an object once, however often that is read', async () => {
    const clock = new ManualClock()
    for (const [store, times] of [
      [new FullStore(clock), 2],
      [asynchronous(new BareStore(clock)), 2],
    ] as const) {
      const validate = vi.fn(zod['~standard'].validate)
      const schema: Schema<User> = { '~standard': { ...zod['~standard'], validate } }
      const cache = new Cache({ store, clock, schema })
      await cache.set('k', ADA) // What zod makes is another object, which it sees as well.
      expect(validate).toHaveBeenCalledTimes(times)
      for (let reads = 0; reads < 3; reads++) expect(await cache.getOrSet('k', never)).toEqual(ADA)
      expect(await cache.namespace('n', { schema }).get('k')).toBeUndefined()
      expect((await cache.getMany(['k'])).size).toBe(1)
      expect(validate).toHaveBeenCalledTimes(times)
      await store.set('k', { ...(await store.get('k')), value: { ...ADA } } as never) // As from a remote.
      const first = await cache.get('k')
      expect(await cache.get('k')).toBe(first)
      expect(validate).toHaveBeenCalledTimes(times + 1)
    }
  })

  it('that throws makes misses, and refuses what is written with its error for a cause', async () => {
    const cause = new TypeError('broken')
    const broken = (thrown: () => never | Promise<never>): Schema =>
      ({ '~standard': { version: 1, vendor: 'test', validate: thrown } }) as Schema
    for (const fail of [
      () => Promise.reject(cause),
      () => {
        throw cause
      },
    ]) {
      const store = new FullStore(new ManualClock())
      await new Cache({ store }).set('k', 1)
      const cache = cacheOf(broken(fail), store)
      expect(await cache.get('k')).toBeUndefined()
      expect(cache.stats()).toMatchObject({ misses: 1, mismatches: 1 })
      const error = await rejection(() => cache.set('k', 1))
      expect(error).toMatchObject({ code: 'INVALID_VALUE', cause })
      expect(error.message).toBe('the value does not match the schema: nothing was stored')
    }
  })

  it('is told by the names of fields only: other keys may be part of the value', async () => {
    const cache = cacheOf(z.record(z.string(), z.array(z.object({ age: z.number() }))))
    const bad = { 'ada@example.org': [{ age: '36' }], friends: [{ age: 1 }, {}] }
    await expectRejection(
      () => cache.set('k', bad as never),
      'INVALID_VALUE',
      /, at …\.0\.age, friends\.1\.age:/,
    )
    const root = cacheOf(z.string())
    await expectRejection(() => root.set('k', 5 as never), 'INVALID_VALUE', /, at the value itself:/)
    const wide = cacheOf(z.array(z.number()))
    const error = await rejection(() => wide.set('k', Array(1_000).fill('x') as never))
    expect(error.message).toMatch(/, at 0, 1, 2, 3, 4, 5, 6, 7, 8, 9:/)
  })

  it('goes for the namespaces in its own, until they have one', async () => {
    const cache = cacheOf(z.looseObject({ name: z.string() }))
    const nested = cache.namespace('n')
    await expectRejection(() => nested.set('k', {} as never), 'INVALID_VALUE', /at name/)
    const own = cache.namespace('o', { schema: zod })
    await expectRejection(() => own.set('k', { name: 'Ada' } as never), 'INVALID_VALUE', /at age/)
  })

  it('counts items of a warm-up that do not match as failed', async () => {
    const cache = cacheOf(zod)
    expect(await cache.warm([['a', ADA], ['b', OLD as User]])).toMatchObject({ done: 1, failed: 1 }) // biome-ignore format: short
    expect(() => cache.check('b', OLD as User)).toThrow(/does not match the schema, at age/)
    const lazy = cacheOf(later(zod))
    expect(await lazy.warm([['a', ADA], ['b', OLD as User]])).toMatchObject({ done: 2, failed: 0 }) // biome-ignore format: short
    expect([await lazy.get('a'), await lazy.get('b')]).toEqual([ADA, undefined])
  })

  it.each([null, 5, 'zod', {}, { '~standard': {} }, { '~standard': { version: 2, validate: () => ({}) } }])(
    'must be one: %j',
    schema => {
      const make = () => new Cache({ store: new BareStore(new ManualClock()), schema: schema as never })
      expect(make).toThrow(/^schema must be a Standard Schema, such as those of zod, valibot and arktype/)
      const cache = new Cache({ store: new BareStore(new ManualClock()) })
      expect(() => cache.namespace('n', { schema: schema as never })).toThrow(/^schema must be/)
    },
  )
})

describe('a schema over leases', () => {
  const fleet = async (ageMs: number, schema: Schema<User> = zod) => {
    const clock = new ManualClock()
    const server = new Server()
    const options = { clock, jitter: 0, ttl: 10, grace: 60 } as const
    const [old, one, other] = [0, 1, 2].map(() => new LeasingStore(server, clock)) as [
      LeasingStore,
      LeasingStore,
      LeasingStore,
    ]
    await new Cache({ ...options, store: old }).set('k', OLD)
    clock.advance(ageMs)
    const first = new Cache({ ...options, store: one, schema })
    const second = new Cache({ ...options, store: other, schema })
    return { clock, server, first, second }
  }

  it.each([
    ['fresh', 0],
    ['stale', 10_000],
  ])('has one process replace a %s value that does not match, and the others wait', async (_, age) => {
    const { clock, server, first, second } = await fleet(age)
    const { promise, resolve } = Promise.withResolvers<User>()
    const load = vi.fn(() => promise)
    const calls = [first.getOrSet('k', load), second.getOrSet('k', load)]
    await settled()
    clock.advance(400)
    await settled()
    expect(load).toHaveBeenCalledTimes(1)
    resolve(ADA)
    expect(await Promise.all(calls)).toEqual([ADA, ADA])
    expect(server.entries.get('k')?.value).toEqual(ADA)
    expect([server.granted, server.leases.size]).toEqual([1, 0])
  })

  it('has many replaced under leases as well', async () => {
    const { server, first } = await fleet(0)
    expect(await first.getOrSetMany(['k', 'l'], () => ({ k: ADA }))).toEqual(new Map([['k', ADA]]))
    expect(server.entries.get('k')?.value).toEqual(ADA)
    expect(server.leases.size).toBe(0)
  })

  it('takes what another process stored while it asked for the lease', async () => {
    const validate = (value: unknown): SchemaResult<User> | Promise<SchemaResult<User>> => {
      if ((value as Partial<User>).age === undefined) server.entries.set('k', { ...entry(), value: ADA })
      return zod['~standard'].validate(value) as SchemaResult<User>
    }
    const { server, first, clock } = await fleet(0, {
      '~standard': { version: 1, vendor: 'test', validate },
    })
    const entry = () => ({ createdAt: 0, freshUntil: clock.now() + 20_000, expiresAt: clock.now() + 20_000 })
    expect(await first.getOrSet('k', never)).toEqual(ADA)
  })
})

describe('version', () => {
  it('has values of another version not seen, and left alone', async () => {
    const cache = new Cache({ store: new BareStore(new ManualClock()) })
    const [two, three] = [cache.namespace('users', { version: 2 }), cache.namespace('users', { version: 3 })]
    await two.set('7', 'old')
    expect(await three.get('7')).toBeUndefined()
    expect(await three.getOrSet('7', () => 'new')).toBe('new')
    expect([await two.get('7'), await cache.get('users:v3:7')]).toEqual(['old', 'new'])
    await three.clear()
    expect([await two.get('7'), await three.get('7')]).toEqual(['old', undefined])
    await cache.namespace('users').clear()
    expect(await two.get('7')).toBeUndefined()
  })

  it('goes for a whole cache as well, and is a number or a word', () => {
    const store = new BareStore(new ManualClock())
    expect(new Cache({ store, version: 0 }).address('k')).toBe('v0:k')
    const cache = new Cache({ store, namespace: 'n', version: '2026-11' })
    expect(cache.address('k')).toBe('n:v2026-11:k')
    expect(cache.namespace('m', { version: 1 }).namespace('o').address('k')).toBe('n:v2026-11:m:v1:o:k')
    for (const version of [-1, 1.5, Number.NaN, '', 'a:b', '\ud800', null, true]) {
      expect(() => cache.namespace('n', { version: version as never })).toThrow(
        /^version must be an integer >= 0/,
      )
      expect(() => new Cache({ store, version: version as never })).toThrow(/^version must be/)
    }
  })
})
