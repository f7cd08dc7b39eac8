import { Cache, type Entry } from '@cache/core'
import { RedisServer, TcpProxy } from '@cache/test-support'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Keyspace } from '../src/keyspace.ts'
import { connected, entry, openClient, openStore, ownServer, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

let prefixes = 0
async function fleet(size: number, url = server.url, prefix = `order${prefixes++}:`) {
  const stores = Array.from({ length: size }, () => patientStore({ url, prefix }))
  await Promise.all(stores.map(connected))
  return { stores, client: openClient(url), prefix, keys: new Keyspace(prefix) }
}

const tagged = (value: unknown, ...tags: string[]): Entry => ({ ...entry(value), tags })

describe('invalidating a tag', () => {
  test('outdates what has it in every process, and nothing else', async () => {
    const { stores } = await fleet(2)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    await a.setMany(
      new Map([
        ['x', tagged(1, 't', 'u')],
        ['y', tagged(2, 'u')],
        ['z', entry(3)],
      ]),
    )
    expect([...(await b.getMany(['x', 'y', 'z'])).found.keys()]).toEqual(['x', 'y', 'z'])
    expect(await a.invalidateTags(['t'])).toEqual({ status: 'applied' })
    for (const store of [a, b]) {
      await expect
        .poll(async () => [...(await store.getMany(['x', 'y', 'z'])).found.keys()])
        .toEqual(['y', 'z'])
      expect(await store.get('x')).toBeUndefined()
    }
    await b.set('x', tagged(4, 't'))
    expect(await a.get('x')).toMatchObject({ value: 4, tags: ['t'] })
  })

  test('wins over a load that had begun before, though its tags were known only afterwards', async () => {
    const { stores } = await fleet(2)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    const read = await a.getOrLease('k', 5_000)
    await b.invalidateTags(['t'])
    const lease = (read as { lease?: { token: string; stamp?: number } }).lease
    const filled = await a.fill('k', tagged('old', 't'), lease)
    expect(filled.status).toBe('superseded')
    expect(await a.get('k')).toBeUndefined()
    expect(await b.get('k')).toBeUndefined()
  })

  test('of others during a load leaves it valid', async () => {
    const { stores } = await fleet(2)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    await b.invalidateTags(['before'])
    await expect.poll(async () => (await a.get('none')) ?? 'settled').toBe('settled')
    const read = await a.getOrLease('k', 5_000)
    await b.invalidateTags(['other'])
    const lease = (read as { lease?: { token: string; stamp?: number } }).lease
    expect(await a.fill('k', tagged('v', 'new tag'), lease)).toEqual({ status: 'applied' })
    expect(await b.get('k')).toMatchObject({ value: 'v' })
  })

  test('holds for entries whose marker Redis evicted: they count no more', async () => {
    const { stores, client, keys } = await fleet(2)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    await a.set('k', tagged('v', 't'))
    await client.unlink(keys.tagKeyOf('t'))
    expect(await b.get('k')).toBeUndefined()
    await a.set('other', tagged('w', 'u'))
    await a.invalidateTags(['u'])
    await client.unlink(keys.tagKeyOf('u'))
    await b.set('third', tagged('x', 'u'))
    expect(await b.get('other')).toBeUndefined()
    expect(await b.get('third')).toMatchObject({ value: 'x' })
  })

  test('never falls back behind what was, should Redis lose the order', async () => {
    const { stores, client, keys } = await fleet(1)
    const [a] = stores as [(typeof stores)[0]]
    await a.invalidateTags(['t'])
    await a.set('k', tagged('v', 't'))
    await client.unlink(keys.last)
    await a.invalidateTags(['t'])
    expect(await a.get('k')).toBeUndefined()
  })

  test('lives as long as the entries it stands for, and no longer', async () => {
    const { stores, client, keys } = await fleet(1)
    const [a] = stores as [(typeof stores)[0]]
    await a.set('long', { ...entry('v', 100_000), tags: ['t'] })
    await a.set('short', { ...entry('v', 1_000), tags: ['t'] })
    await a.invalidateTags(['t', 'nobody has it'])
    const ttl = await client.pttl(keys.tagKeyOf('t'))
    expect(ttl).toBeGreaterThan(90_000)
    expect(ttl).toBeLessThanOrEqual(100_000)
    expect(await client.exists(keys.tagKeyOf('nobody has it'))).toBe(0)
  })

  test('reaches an entry whose life was extended, which lives on in every process', async () => {
    const { stores, client, keys } = await fleet(2)
    const [a, b] = stores.map(store => new Cache<string>({ store })) as [Cache<string>, Cache<string>]
    await a.set('k', 'v', { ttl: 2, tags: ['t'] })
    expect(await a.get('k', { ttl: 100 })).toBe('v')
    expect(await client.pttl(keys.tagKeyOf('t'))).toBeGreaterThan(90_000)
    expect(await b.get('k')).toBe('v')
    await b.invalidateTags(['t'])
    await expect.poll(() => a.get('k')).toBeUndefined()
  })

  test('costs one command; a read of a tagged entry one, once its tags are known', async () => {
    const { stores, client } = await fleet(1)
    const [a] = stores as [(typeof stores)[0]]
    await a.set('k', tagged('v', 't'))
    await a.invalidateTags(['warm up'])
    await client.config('RESETSTAT')
    await a.get('k')
    await a.get('k')
    await a.invalidateTags(['t', 'u'])
    const stats = await client.info('commandstats')
    expect(/cmdstat_evalsha:calls=1,/.test(stats)).toBe(true)
    expect(/cmdstat_get:calls=(\d+)/.exec(stats)?.[1]).toBe('4') // Two by the script: the order, and whether the clears are there.
    expect(stats).not.toContain('cmdstat_mget')
  })

  test('works through a cache, loads included', async () => {
    const { stores } = await fleet(2)
    const [a, b] = stores.map(store => new Cache<string>({ store })) as [Cache<string>, Cache<string>]
    expect(await a.getOrSet('k', () => 'v', { tags: ['t'] })).toBe('v')
    expect(await b.get('k')).toBe('v')
    expect((await b.invalidateTags(['t'])).status).toBe('applied')
    await expect.poll(() => a.get('k')).toBeUndefined()
    expect(await a.getOrSet('k', () => 'w', { tags: ['t'] })).toBe('w')
  })
})

describe('a write with tags whose stamp could not be had in time', () => {
  test('is not called applied unless it counts', async () => {
    const own = await ownServer()
    const client = openClient(own.url)
    const timeouts = { write: '2s', read: '4s', connect: '4s' } as const
    const store = openStore({ url: own.url, prefix: `order${prefixes++}:`, timeouts })
    own.freeze()
    const writing = store.set('k', tagged(1, 't'))
    await new Promise(resolve => setTimeout(resolve, 1_200)) // Half of the time for a write is for its stamp.
    own.thaw()
    const outcome = await writing
    expect(await client.exists('order')).toBe(0) // It answers again.
    if ((await store.get('k')) === undefined)
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } })
    else expect(outcome).toEqual({ status: 'applied' })
    expect(await store.set('k', tagged(2, 't'))).toEqual({ status: 'applied' })
    expect(await store.get('k')).toMatchObject({ value: 2 })
  })
})

describe('a batch of keys that have to take several connections', () => {
  test('is not overtaken by a later write of one of them', async () => {
    const store = openStore({ url: server.url, prefix: `order${prefixes++}:`, poolSize: 2 })
    await connected(store)
    for (let round = 0; round < 20; round++) {
      const writes = [
        store.delete('a'),
        store.set('b', entry(0)),
        store.setMany(new Map(['a', 'b', 'c'].map(key => [key, entry(0)]))),
        store.delete('c'),
      ]
      expect(await Promise.all(writes)).toEqual(Array(4).fill({ status: 'applied' }))
      expect(await store.get('c')).toBeUndefined()
    }
  })
})

describe('a batch of several chunks', () => {
  test.each([1, 2])('is not overtaken by later writes of its keys, with %i connections', async poolSize => {
    const store = openStore({ url: server.url, prefix: `order${prefixes++}:`, poolSize, batchSize: 5 })
    await connected(store)
    const keys = Array.from({ length: 60 }, (_, i) => `k${i}`)
    const entries = (value: number) => new Map(keys.map(key => [key, entry(value)]))
    const writes = [
      store.setMany(entries(1)),
      store.delete('k59'),
      store.set('k58', entry(2)),
      store.deleteMany(keys),
    ]
    writes.push(
      store.setMany(entries(3)),
      store.delete('k0'),
      store.set('k57', entry(4)),
      store.deleteMany(['k30']),
    )
    expect(await Promise.all(writes)).toEqual(Array(8).fill({ status: 'applied' }))
    const { found } = await store.getMany(keys)
    const expected = new Map(keys.map(key => [key, 3]))
    for (const key of ['k0', 'k30']) expected.delete(key)
    expected.set('k57', 4)
    expect(new Map([...found].map(([key, { value }]) => [key, value]))).toEqual(expected)
  })
})

describe('a clear', () => {
  test('is over in one round trip: nobody reads what was there, however much it was', async () => {
    const { stores, client, prefix } = await fleet(2)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    const many = new Map(Array.from({ length: 3_000 }, (_, i) => [`users:${i}`, entry(i)]))
    await a.setMany(many)
    await a.set('orders:1', entry(1))
    await client.config('RESETSTAT')
    await a.clear('users:')
    const during = await client.info('commandstats')
    expect(during).toContain('cmdstat_evalsha:calls=1,')
    expect((await a.getMany([...many.keys()])).found.size).toBe(0)
    await expect.poll(async () => (await b.getMany([...many.keys()])).found.size).toBe(0)
    expect(await b.get('orders:1')).toMatchObject({ value: 1 })
    await expect.poll(async () => (await client.keys(`${prefix}users:*`)).length, { timeout: 10_000 }).toBe(0)
  })

  test('leaves alone what is written after it, also while it is being swept', async () => {
    const { stores, client, prefix } = await fleet(2)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    await a.setMany(new Map(Array.from({ length: 2_000 }, (_, i) => [`k${i}`, entry(i)])))
    const cleared = a.clear()
    const written = a.set('k0', entry('new'))
    await Promise.all([cleared, written])
    await b.set('k1', entry('new too'))
    await expect
      .poll(async () => (await client.keys(`${prefix}k*`)).length, { timeout: 10_000 })
      .toBeLessThanOrEqual(2)
    expect(await a.get('k0')).toMatchObject({ value: 'new' })
    expect(await b.get('k0')).toMatchObject({ value: 'new' })
  })

  test('refuses what was being loaded, before and after it is swept', async () => {
    const { stores } = await fleet(2)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    const lease = ((await a.getOrLease('k', 60_000)) as { lease?: { token: string; stamp?: number } }).lease
    await b.clear()
    expect((await a.fill('k', entry('old'), lease)).status).toBe('superseded')
    expect(await b.get('k')).toBeUndefined()
  })

  test('is known to a process that starts after it, and to one whose messages were lost', async () => {
    const own = await ownServer()
    const proxy = await TcpProxy.start(own.port)
    onTestFinished(() => proxy.stop())
    const { stores, prefix, keys, client } = await fleet(1, own.url)
    const [a] = stores as [(typeof stores)[0]]
    await a.set('k', entry('old'))
    const raw = await client.getBuffer(keys.keyOf('k'))
    await a.clear()
    // As if the sweep had not come by yet.
    await client.set(keys.keyOf('k'), raw as Buffer)
    const late = patientStore({ url: own.url, prefix })
    expect(await late.get('k')).toBeUndefined()
    expect((await late.getMany(['k'])).found.size).toBe(0)
    expect((await late.getOrLease('k', 1_000)) as object).toMatchObject({ vacant: true })
  })

  test('still holds for those who know of it when Redis has lost it, and what was swept stays away', async () => {
    const { stores, client, keys } = await fleet(2)
    const [a, b] = stores as [(typeof stores)[0], (typeof stores)[0]]
    await a.set('k', entry('old'))
    const raw = (await client.getBuffer(keys.keyOf('k'))) as Buffer
    await a.clear()
    await expect.poll(() => b.get('k')).toBeUndefined()
    await client.unlink(keys.clears)
    await client.set(keys.keyOf('k'), raw)
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await expect.poll(() => b.bus.connected).toBe(true)
    expect([await a.get('k'), await b.get('k')]).toEqual([undefined, undefined])
  })

  test('is known to a process that starts when Redis has evicted the list of clears', async () => {
    const own = await ownServer()
    const { stores, client, keys, prefix } = await fleet(1, own.url)
    const [a] = stores as [(typeof stores)[0]]
    await a.set('k', entry('old'))
    const raw = (await client.getBuffer(keys.keyOf('k'))) as Buffer
    await a.clear()
    await client.unlink(keys.clears)
    await client.set(keys.keyOf('k'), raw)
    const late = patientStore({ url: own.url, prefix })
    expect(await late.get('k')).toBeUndefined()
    await connected(late)
    expect(await late.get('k')).toBeUndefined()
    expect(await late.set('k', entry('new'))).toEqual({ status: 'applied' })
    await late.invalidateTags(['any']) // Which finds the list missing, and makes it anew.
    const later = patientStore({ url: own.url, prefix })
    await connected(later)
    expect(await later.get('k')).toMatchObject({ value: 'new' })
    await client.set(keys.keyOf('k'), raw)
    expect(await later.get('k')).toBeUndefined()
  })

  test('of hundreds of scopes is swept in one walk over the keys', async () => {
    const { stores, client, prefix } = await fleet(1)
    const [a] = stores as [(typeof stores)[0]]
    const entries = Array.from({ length: 3_000 }, (_, i) => [`s${i % 300}:${i}`, entry(i)] as const)
    await a.setMany(new Map([...entries, ['kept', entry('kept')]]))
    await client.config('RESETSTAT')
    await Promise.all(Array.from({ length: 300 }, (_, i) => a.clear(`s${i}:`)))
    await expect.poll(async () => (await client.keys(`${prefix}s*`)).length, { timeout: 10_000 }).toBe(0)
    const [, scans] = /cmdstat_scan:calls=(\d+)/.exec(await client.info('commandstats')) ?? []
    // A walk takes a dozen; one or two more for clears that came while one was under way.
    expect(Number(scans)).toBeLessThan(100)
    expect(await a.get('kept')).toMatchObject({ value: 'kept' })
  })

  test('counts those of many scopes, and more than there is room for as one of everything', async () => {
    const { stores, client, keys } = await fleet(1)
    const [a] = stores as [(typeof stores)[0]]
    await a.set('other', entry(1))
    for (let i = 0; i < 1_001; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, j) => a.clear(`scope${i + j}:`)))
    }
    const clears = JSON.parse((await client.get(keys.clears)) ?? '{}')
    expect(Object.keys(clears).length).toBeLessThanOrEqual(1_000)
  })
})

describe('what else lies at the own keys', () => {
  const becomeList = async (client: Redis, key: string): Promise<void> => {
    await client.del(key)
    await client.rpush(key, 'x')
  }

  const HOSTILE: Readonly<Record<string, (client: Redis, keys: Keyspace) => Promise<unknown>>> = {
    'last: a text': (client, { last }) => client.set(last, 'no version'),
    'last: a list': (client, { last }) => becomeList(client, last),
    'last: as late as a number can be': (client, { last }) => client.set(last, Number.MAX_SAFE_INTEGER),
    'clears: a text': (client, { clears }) => client.set(clears, 'nothing'),
    'clears: null': (client, { clears }) => client.set(clears, 'null'),
    'clears: of no versions': (client, { clears }) => client.set(clears, '{"a":"x","b":1e400}'),
    'clears: a list': (client, { clears }) => becomeList(client, clears),
    'recent: a text': (client, { recent }) => client.set(recent, 'x'),
    'a marker: a text': (client, keys) => client.set(keys.tagKeyOf('t'), 'x'),
    'a marker: a list': (client, keys) => becomeList(client, keys.tagKeyOf('t')),
    'a message: as late as a number can be': client =>
      client.publish(
        'cache:invalidate',
        `{"v":1,"source":"x","type":"clear","version":${Number.MAX_SAFE_INTEGER}}`,
      ),
  }

  test.each(Object.entries(HOSTILE))(
    '%s costs values at most, and invalidations hold',
    async (_what, write) => {
      const own = await ownServer()
      const client = openClient(own.url)
      const keys = new Keyspace('cache:')
      const early = patientStore({ url: own.url })
      await connected(early)
      await client.del(keys.last)
      await write(client, keys)
      const late = patientStore({ url: own.url })
      await connected(late)
      await early.set('first', tagged(0, 't')) // May be lost: it puts right what it finds.
      for (const store of [early, late]) {
        await store.clear()
        expect(await store.set('k', tagged(1, 't'))).toEqual({ status: 'applied' })
        expect(await store.get('k')).toMatchObject({ value: 1 })
        expect(await store.invalidateTags(['t'])).toEqual({ status: 'applied' })
        expect(await store.get('k')).toBeUndefined()
        await store.set('k', tagged(2, 't'))
        expect(await store.clear()).toEqual({ status: 'applied' })
        expect(await store.get('k')).toBeUndefined()
      }
    },
  )
})

test('a server that comes back empty keeps tags that it never heard of', async () => {
  const own = await ownServer()
  const store = patientStore({ url: own.url })
  await connected(store)
  await store.invalidateTags(['old'])
  await own.kill()
  await own.restart()
  await connected(store)
  await store.set('k', tagged('v', 'new'))
  expect(await store.get('k')).toMatchObject({ value: 'v' })
})

test('emptied while all listen, it loses one value of a new tag at most', async () => {
  const own = await ownServer()
  const store = patientStore({ url: own.url })
  await connected(store)
  await store.invalidateTags(['old'])
  await openClient(own.url).flushall()
  await store.set('first', tagged('v', 'new'))
  await store.set('second', tagged('w', 'newer'))
  expect(await store.get('second')).toMatchObject({ value: 'w' })
})

test('a marker that somebody made eternal is invalidated like any other', async () => {
  const { stores, client, keys, prefix } = await fleet(1)
  const [a] = stores as [(typeof stores)[0]]
  await a.set('k', tagged('v', 't'))
  await client.persist(keys.tagKeyOf('t'))
  await a.invalidateTags(['t'])
  const late = patientStore({ url: server.url, prefix })
  await connected(late)
  expect(await late.get('k')).toBeUndefined()
})

test('a read for a lease does not wait for own invalidations beyond its deadline', async () => {
  const own = await ownServer()
  const store = openStore({ url: own.url, timeouts: { read: '50ms', write: '5s' } })
  await connected(store)
  own.freeze()
  const clearing = store.clear()
  await expect(store.getOrLease('k', 1_000)).rejects.toMatchObject({ code: 'TIMEOUT' })
  expect(await Promise.race([clearing, 'still waiting'])).toBe('still waiting')
  own.thaw()
  await clearing
})

test('a later invalidation counts as later, also when Redis has to be told the script of the earlier one first', async () => {
  const own = await ownServer()
  const store = patientStore({ url: own.url, poolSize: 2 })
  await connected(store)
  await store.invalidateTags(['t']) // This script is known from here on; that of a clear is not.
  const calls = [store.clear(), store.set('k', tagged('v', 't')), store.invalidateTags(['t'])] as const
  expect(await Promise.all(calls)).toMatchObject([{ status: 'applied' }, {}, { status: 'applied' }])
  expect(await store.get('k')).toBeUndefined()
})

test('invalidations made at once reach Redis in their order, once each', async () => {
  const own = await ownServer()
  const store = patientStore({ url: own.url, poolSize: 5 })
  await connected(store)
  await store.invalidateTags(['t'])
  const client = openClient(own.url)
  await client.config('RESETSTAT')
  await Promise.all(Array.from({ length: 200 }, () => store.invalidateTags(['t'])))
  expect(await client.info('commandstats')).toContain('cmdstat_evalsha:calls=200,')
})
