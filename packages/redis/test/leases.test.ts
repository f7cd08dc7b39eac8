import { type Entry, isVacant, type Lease, SUPERSEDED } from '@cache/core'
import { RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisStore } from '../src/index.ts'
import { connected, entry, eventsOf, openClient, ownServer, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

let prefixes = 0
/** Two processes, as it were. */
async function pair(url = server.url) {
  const prefix = `leases${prefixes++}:`
  const [a, b] = [patientStore({ url, prefix }), patientStore({ url, prefix })]
  await Promise.all([connected(a), connected(b)])
  const client = openClient(url)
  return { a, b, client, prefix }
}

async function leaseOf(store: RedisStore, key = 'k', leaseMs = 5_000): Promise<Lease> {
  const read = await store.getOrLease(key, leaseMs)
  if (!isVacant(read) || !read.lease) throw new Error('no lease was granted')
  return read.lease
}

describe('a lease', () => {
  test('is granted to one of all who miss; a value is a value', async () => {
    const { a, b } = await pair()
    const reads = await Promise.all([a, b, a, b].map(store => store.getOrLease('k', 5_000)))
    expect(reads.filter(read => isVacant(read) && read.lease)).toHaveLength(1)
    expect(reads.every(isVacant)).toBe(true)
    await a.set('k', entry('v'))
    expect(await b.getOrLease('k', 5_000)).toMatchObject({ value: 'v' })
  })

  test('lies where the value will, which to all other reads is not there', async () => {
    const { a, b, client, prefix } = await pair()
    const events = eventsOf(b)
    await leaseOf(a)
    expect(await client.pttl(`${prefix}k`)).toBeLessThanOrEqual(5_000)
    expect(await b.get('k')).toBeUndefined()
    expect((await b.getMany(['k'])).found.size).toBe(0)
    expect(events.filter(({ type }) => type === 'error')).toEqual([])
  })

  test('stores what was loaded, and tells the others', async () => {
    const { a, b } = await pair()
    const heard: unknown[] = []
    b.bus.subscribe(message => heard.push(message))
    const lease = await leaseOf(a)
    const loaded = entry({ id: 1 })
    expect(await a.fill('k', loaded, lease)).toEqual({ status: 'applied' })
    expect(await b.get('k')).toEqual(loaded)
    expect(heard).toEqual([{ type: 'keys', keys: ['k'], source: a.bus.id, at: expect.any(Number) }])
  })

  test.each([
    ['removed', (store: RedisStore) => store.delete('k')],
    ['removed with others', (store: RedisStore) => store.deleteMany(['x', 'k'])],
    ['cleared', (store: RedisStore) => store.clear()],
    ['cleared with its scope', (store: RedisStore) => store.clear('k')],
  ])('is lost when its key is %s by another process', async (_how, invalidate) => {
    const { a, b } = await pair()
    const lease = await leaseOf(a)
    await invalidate(b)
    expect(await a.fill('k', entry('old'), lease)).toBe(SUPERSEDED)
    expect(await a.get('k')).toBeUndefined()
    expect(await b.get('k')).toBeUndefined()
  })

  test('is lost when its key is written', async () => {
    const { a, b } = await pair()
    const lease = await leaseOf(a)
    await b.set('k', entry('new'))
    expect(await a.fill('k', entry('old'), lease)).toBe(SUPERSEDED)
    expect(await a.renew('k', lease, 5_000)).toBe(false)
    expect(await b.get('k')).toMatchObject({ value: 'new' })
  })

  test('is lost when any program removes its key', async () => {
    const { a, client, prefix } = await pair()
    const lease = await leaseOf(a)
    await client.del(`${prefix}k`)
    expect(await a.fill('k', entry('old'), lease)).toBe(SUPERSEDED)
    expect(await client.exists(`${prefix}k`)).toBe(0)
  })

  test('granted anew is not the one of before', async () => {
    const { a, b } = await pair()
    const first = await leaseOf(a)
    await b.delete('k')
    const second = await leaseOf(b)
    expect(await a.fill('k', entry('old'), first)).toBe(SUPERSEDED)
    expect(await b.fill('k', entry('new'), second)).toEqual({ status: 'applied' })
    expect(await a.get('k')).toMatchObject({ value: 'new' })
  })

  test('lasts as long as it is renewed, and no longer', async () => {
    const { a, b, client, prefix } = await pair()
    const lease = await leaseOf(a, 'k', 300)
    expect(await a.renew('k', lease, 60_000)).toBe(true)
    expect(await client.pttl(`${prefix}k`)).toBeGreaterThan(50_000)
    expect(await a.renew('k', lease, 1)).toBe(true)
    await expect.poll(() => client.exists(`${prefix}k`)).toBe(0)
    expect(await a.renew('k', lease, 5_000)).toBe(false)
    await leaseOf(b)
  })

  test('given up is anybody’s; one that was lost cannot be given up for another', async () => {
    const { a, b } = await pair()
    const first = await leaseOf(a)
    await a.release('k', first)
    const second = await leaseOf(b)
    await a.release('k', first)
    expect(await a.getOrLease('k', 5_000)).toEqual({ vacant: true, lease: undefined })
    expect(await b.fill('k', entry('v'), second)).toEqual({ status: 'applied' })
    await a.release('k', first)
    await b.release('k', second)
    expect(await a.get('k')).toMatchObject({ value: 'v' })
  })

  test.each([
    ['is no envelope', 'some text'],
    ['is cut off', Buffer.from('cac4e102', 'hex')],
    ['is of a later version', Buffer.concat([Buffer.from('cac4e1ff', 'hex'), Buffer.alloc(100)])],
  ])('is granted over what %s, once', async (_what, bytes) => {
    const { a, b, client, prefix } = await pair()
    await client.set(`${prefix}k`, bytes)
    const lease = await leaseOf(a)
    expect(await b.getOrLease('k', 5_000)).toEqual({ vacant: true, lease: undefined })
    expect(await a.fill('k', entry('v'), lease)).toEqual({ status: 'applied' })
    expect(await b.get('k')).toMatchObject({ value: 'v' })
  })

  test('is granted over what is no string', async () => {
    const { a, client, prefix } = await pair()
    await client.rpush(`${prefix}k`, 'a')
    expect(await a.fill('k', entry('v'), await leaseOf(a))).toEqual({ status: 'applied' })
  })

  test('is granted over an entry whose tag was invalidated, and not over what was written meanwhile', async () => {
    const { a, b } = await pair()
    await a.set('k', { ...entry('old'), tags: ['t'] })
    await b.invalidateTags(['t'])
    const lease = await leaseOf(a)
    expect(await a.fill('k', { ...entry('new'), tags: ['t'] }, lease)).toEqual({ status: 'applied' })
    expect(await b.get('k')).toMatchObject({ value: 'new' })
  })

  test('is not touched by a touch', async () => {
    const { a, client, prefix } = await pair()
    await leaseOf(a)
    await a.touch('k', Date.now() + 100_000, Date.now() + 100_000)
    expect(await client.pttl(`${prefix}k`)).toBeLessThanOrEqual(5_000)
  })

  test('survives the scripts being forgotten', async () => {
    const { a, client } = await pair()
    const lease = await leaseOf(a)
    await client.script('FLUSH')
    expect(await a.renew('k', lease, 5_000)).toBe(true)
    await client.script('FLUSH')
    expect(await a.fill('k', entry('v'), lease)).toEqual({ status: 'applied' })
  })

  test('costs one command, as does the fill: a miss is two round trips', async () => {
    const { a, client } = await pair()
    await a.fill('other', entry('v'), await leaseOf(a, 'other'))
    await client.config('RESETSTAT')
    const lease = await leaseOf(a)
    await a.fill('k', entry('v'), lease)
    await a.getOrLease('k', 5_000)
    await a.get('k')
    await a.delete('k')
    const stats = await client.info('commandstats')
    const calls = Object.fromEntries(
      [...stats.matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g)].map(([, name, count]) => [name, Number(count)]),
    )
    // set: two asked for a lease, one by the script; getrange, publish: by the script, which counts as evalsha.
    expect(calls).toMatchObject({ set: 3, evalsha: 1, get: 1, unlink: 1, publish: 2, getrange: 1 })
    expect(Object.keys(calls).sort()).toEqual(
      expect.arrayContaining(['evalsha', 'get', 'getrange', 'publish', 'set', 'unlink']),
    )
  })
})

describe('a server that refuses writes', () => {
  test('is read all the same, and grants nothing', async () => {
    const master = await RedisServer.start()
    const own = await ownServer()
    try {
      const { a } = await pair(own.url)
      await a.set('k', entry('v'))
      const client = openClient(own.url)
      await client.replicaof('127.0.0.1', String(master.port))
      await client.config('SET', 'replica-serve-stale-data', 'yes')
      expect([await a.getOrLease('none', 5_000).catch(() => 'refused')]).not.toEqual([
        expect.objectContaining({ lease: expect.anything() }),
      ])
    } finally {
      await master.stop()
    }
  })

  test('for want of memory likewise', async () => {
    const own = await ownServer()
    const { a, client } = await pair(own.url)
    await a.set('k', entry('v'))
    await client.config('SET', 'maxmemory', '1')
    expect(await a.getOrLease('k', 5_000)).toMatchObject({ value: 'v' })
    expect(await a.getOrLease('none', 5_000)).toBeUndefined()
    expect(await a.fill('none', entry('v'), { token: '0102030405060708' })).toBe(SUPERSEDED)
  })
})

test('a lease that was asked for in vain does not block others', async () => {
  const own = await ownServer()
  const hasty = new RedisStore({ url: own.url, prefix: 'hasty:', timeouts: { read: '50ms' } })
  const other = patientStore({ url: own.url, prefix: 'hasty:' })
  await Promise.all([connected(hasty), connected(other)])
  own.freeze()
  await expect(hasty.getOrLease('k', 60_000)).rejects.toMatchObject({ code: 'TIMEOUT' })
  own.thaw()
  // Were it not given back, it would stand for a minute.
  await expect
    .poll(
      async () => {
        const read = await other.getOrLease('k', 5_000)
        return isVacant(read) && read.lease !== undefined
      },
      { timeout: 10_000 },
    )
    .toBe(true)
  await hasty.close()
})

describe('a lease over a stale entry', () => {
  /** Stale for a while, and kept for longer. */
  const stale = (value: unknown, expiresInMs = 60_000): Entry => {
    const now = Date.now()
    return { value, createdAt: now - 10, freshUntil: now - 1, expiresAt: now + expiresInMs }
  }

  async function refreshOf(store: RedisStore, leaseMs = 5_000): Promise<Lease> {
    const read = await store.getOrLease('k', leaseMs)
    if (!isVacant(read) || !read.lease) throw new Error('no lease was granted')
    expect(read.stale?.value).toBe('old')
    return read.lease
  }

  test('is granted to one of all who ask, and all have the entry', async () => {
    const { a, b } = await pair()
    await a.set('k', stale('old'))
    const reads = await Promise.all([a, b, a, b].map(store => store.getOrLease('k', 5_000)))
    expect(reads.every(isVacant)).toBe(true)
    expect(reads.map(read => isVacant(read) && read.stale?.value)).toEqual(['old', 'old', 'old', 'old'])
    expect(reads.filter(read => isVacant(read) && read.lease)).toHaveLength(1)
    expect((await b.get('k'))?.value).toBe('old')
  })

  test('is asked for ahead of time, by whoever says at which', async () => {
    const { a, b } = await pair()
    const fresh = entry('old')
    await a.set('k', fresh)
    expect(await a.getOrLease('k', 5_000, fresh.freshUntil - 1)).toMatchObject({ value: 'old' })
    expect(await a.getOrLease('k', 5_000, fresh.freshUntil)).toMatchObject({
      vacant: true,
      lease: { token: expect.any(String) },
      stale: { value: 'old' },
    })
    expect(await b.getOrLease('k', 5_000)).toMatchObject({ value: 'old' })
  })

  test('has what was loaded in the place of the entry', async () => {
    const { a, b } = await pair()
    await a.set('k', stale('old'))
    expect(await a.fill('k', entry('new'), await refreshOf(a))).toEqual({ status: 'applied' })
    expect(await b.getOrLease('k', 5_000)).toMatchObject({ value: 'new' })
  })

  test.each([
    ['written', (b: RedisStore) => b.set('k', entry('theirs')), 'theirs'],
    ['removed', (b: RedisStore) => b.delete('k'), undefined],
    ['cleared', (b: RedisStore) => b.clear(), undefined],
  ] as const)('is lost when the key is %s', async (_how, change, left) => {
    const { a, b } = await pair()
    await a.set('k', stale('old'))
    const lease = await refreshOf(a)
    expect(await change(b)).toMatchObject({ status: 'applied' })
    expect(await a.fill('k', entry('late'), lease)).toEqual(SUPERSEDED)
    expect((await b.get('k'))?.value).toBe(left)
  })

  test('given up, leaves the entry as it was, and can be had again', async () => {
    const { a, b, client, prefix } = await pair()
    await a.set('k', stale('old'))
    const ttl = await client.pttl(`${prefix}k`)
    await a.release('k', await refreshOf(a))
    expect((await b.get('k'))?.value).toBe('old')
    expect(await client.pttl(`${prefix}k`)).toBeGreaterThan(ttl - 5_000)
    await refreshOf(b)
  })

  test('is anybody’s when it is over, and lasts if it is renewed', async () => {
    const { a, b } = await pair()
    await a.set('k', stale('old'))
    const lease = await refreshOf(a, 200)
    expect(await a.renew('k', lease, 60_000)).toBe(true)
    await new Promise(resolve => setTimeout(resolve, 250))
    expect(await b.getOrLease('k', 60_000)).toMatchObject({ vacant: true, lease: undefined })
    expect(await a.renew('k', lease, 1)).toBe(true)
    await new Promise(resolve => setTimeout(resolve, 20))
    await refreshOf(b)
    expect(await a.renew('k', lease, 1)).toBe(false)
    expect(await a.fill('k', entry('late'), lease)).toEqual(SUPERSEDED)
  })

  test('outlives the entry, to which nobody else comes then', async () => {
    const { a, b } = await pair()
    await a.set('k', stale('old', 100))
    const lease = await refreshOf(a)
    await new Promise(resolve => setTimeout(resolve, 120))
    expect(await b.get('k')).toBeUndefined()
    expect(await b.getOrLease('k', 5_000)).toEqual({ vacant: true, lease: undefined })
    expect(await a.fill('k', entry('new'), lease)).toEqual({ status: 'applied' })
  })

  test('cannot be had of a server that refuses writes: the entry is all there is', async () => {
    const own = await ownServer()
    const { a, client } = await pair(own.url)
    await a.set('k', stale('old'))
    await client.config('SET', 'min-replicas-to-write', '1')
    expect(await a.getOrLease('k', 5_000)).toMatchObject({ value: 'old' })
  })
})
