import { Cache, type Schema, type Store } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { eventually, RedisServer } from '@cache/test-support'
import { TieredStore } from '@cache/tiered'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

let stores = 0
const redis = (prefix: string): RedisStore => new RedisStore({ url: server.url, prefix, poolSize: 2 })
const STORES: Readonly<Record<string, () => readonly [Store, Store]>> = {
  memory: () => [new MemoryStore(), new MemoryStore()],
  'memory that clones': () => [new MemoryStore({ copy: 'clone' }), new MemoryStore()],
  Redis: () => [redis(`r${++stores}:`), redis(`r${stores}:`)],
  'memory before Redis': () => [
    new TieredStore({ l1: new MemoryStore(), l2: redis(`t${++stores}:`) }),
    new TieredStore({ l1: new MemoryStore(), l2: redis(`t${stores}:`) }),
  ],
}

const user = z.object({ name: z.string(), born: z.coerce.date() })
const ADA = { name: 'Ada', born: new Date('1815-12-10') }

/** The schema, and how often it was asked. */
function counted<V>(schema: Schema<V>) {
  const validate = vi.fn(schema['~standard'].validate)
  return { validate, schema: { '~standard': { ...schema['~standard'], validate } } as Schema<V> }
}

async function usable(cache: Cache): Promise<void> {
  await eventually('the store is there', () => {
    const health = cache.health()
    return health === undefined || (health.available && (health.state ?? 'coherent') === 'coherent')
  })
}

describe.each(Object.entries(STORES))('after a deploy with another schema, over %s', (name, make) => {
  test('what the release before stored is a miss and loaded anew, once', async () => {
    const [store, other] = make()
    await using cache = new Cache({ store, ttl: 60, grace: 60 })
    await using _peer = new Cache({ store: other })
    await usable(cache)
    const { schema, validate } = counted(user)
    const users = cache.namespace('users', { schema })
    const mismatches: unknown[] = []
    cache.on('mismatch', event => mismatches.push(event))

    await cache.setMany({ 'users:a': { name: 'Ada' }, 'users:b': { name: 'Ada' }, 'users:c': ADA })
    expect(await users.get('a')).toBeUndefined()
    expect(await users.getEntry('a')).toBeUndefined()
    expect(await users.getMany(['a', 'b', 'c'])).toEqual(new Map([['c', ADA]]))
    const load = vi.fn(() => ADA)
    expect(await Promise.all([users.getOrSet('a', load), users.getOrSet('a', load)])).toEqual([ADA, ADA])
    expect(load).toHaveBeenCalledTimes(1)
    const loadMissing = vi.fn(() => ({ b: ADA }))
    expect((await users.getOrSetMany(['a', 'b', 'c'], loadMissing)).size).toBe(3)
    expect(loadMissing.mock.calls).toEqual([[['b']]])
    expect(mismatches).toContainEqual({ key: 'users:b', paths: ['born'] })

    const entry = await users.getEntry('a')
    expect(entry?.value).toEqual(ADA)
    expect(entry?.value.born).toBeInstanceOf(Date)
    const before = validate.mock.calls.length
    for (let reads = 0; reads < 3; reads++) expect(await users.getOrSet('a', load)).toEqual(ADA)
    const readsValidated = validate.mock.calls.length - before
    expect(readsValidated).toBe(name === 'memory' || name === 'memory before Redis' ? 0 : 3)
    expect(load).toHaveBeenCalledTimes(1)
  })
})

test('what Redis gave is validated once as long as memory keeps it', async () => {
  const prefix = `p${++stores}:`
  await using writer = new Cache({ store: redis(prefix) })
  const { schema, validate } = counted(user)
  const store = new TieredStore({ l1: new MemoryStore(), l2: redis(prefix) })
  await using cache = new Cache({ store, schema })
  await usable(writer)
  await usable(cache as Cache<unknown>)
  await writer.set('k', ADA)
  // Until the message that it was written has come, which drops it from memory.
  await eventually('memory keeps it', async () => {
    const before = await cache.get('k')
    return before === (await cache.get('k'))
  })
  validate.mockClear()
  const first = await cache.get('k')
  expect(first).toEqual(ADA)
  expect(await cache.get('k')).toBe(first)
  expect(await cache.getOrSet('k', () => expect.fail('loaded'))).toBe(first)
  expect(validate).not.toHaveBeenCalled()
})
