import { eventually, RedisServer } from '@cache/test-support'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import { collect, connected, entry, keysBesideOwn, openClient, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())
beforeEach(() => openClient(server.url).flushall())

/** Waits until what was cleared is gone from Redis itself, and nothing but it. */
async function swept(client: Redis, prefix: string, left: readonly string[]): Promise<void> {
  await eventually('swept', async () => (await keysBesideOwn(client, prefix)).length <= left.length)
  expect(await keysBesideOwn(client, prefix)).toEqual([...left].sort())
}

/** Large writes and, while they are under way, a clear. */
async function writeAndClear(store: RedisStore, scope: string) {
  const keys = Array.from({ length: 30 }, (_, i) => `${scope}${i}`)
  const writes = keys.map(key => store.set(key, entry('x'.repeat(20_000))))
  const cleared = store.clear()
  return { keys, outcomes: await Promise.all([...writes, cleared]) }
}

describe('clear', () => {
  test('removes every key of ours and none beside them', async () => {
    const store = patientStore({ url: server.url, prefix: 'cache:' })
    const neighbours = ['cache2:a', 'cache', 'cachet', 'Cache:a', 'xcache:a']
    const client = openClient(server.url)
    for (const key of neighbours) await client.set(key, '1')
    const entries = new Map(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, entry(i)]))
    await store.setMany(entries)
    expect((await store.getMany([...entries.keys()])).found.size).toBe(5_000)
    expect(await store.clear()).toEqual({ status: 'applied' })
    const { found, failures } = await store.getMany([...entries.keys()])
    expect({ found, failures }).toEqual({ found: new Map(), failures: undefined })
    await swept(client, 'cache:', neighbours)
  })

  test.each(['*', 'a*:', '[ab]:', 'a?:', 'a\\*:', '[^a]:', 'a-z:'])(
    'takes the prefix %s literally',
    async prefix => {
      const store = patientStore({ url: server.url, prefix })
      const client = openClient(server.url)
      const neighbours = ['a:1', 'b:1', 'ab:1', 'abc:1', 'a*1', 'c:', '\\', 'm:1']
      for (const key of neighbours) await client.set(key, '1')
      await store.set('own', entry(1))
      await store.clear()
      expect(await store.get('own')).toBeUndefined()
      await swept(client, prefix, neighbours)
    },
  )

  test('removes only what begins with a scope, if it is given one', async () => {
    const store = patientStore({ url: server.url })
    const keys = ['users:1', 'users:2', 'users', 'users*', 'orders:1']
    await store.setMany(new Map(keys.map(key => [key, entry(key)])))
    const read = async (): Promise<string[]> => [...(await store.getMany(keys)).found.keys()]
    const listed = async (): Promise<string[]> => (await collect(store.keys())).sort()
    await store.clear('users:')
    expect(await read()).toEqual(['users', 'users*', 'orders:1'])
    await eventually('swept', async () => (await listed()).length <= 3)
    expect(await listed()).toEqual(['orders:1', 'users', 'users*'])
    await store.clear('users*')
    expect(await read()).toEqual(['users', 'orders:1'])
    await eventually('swept', async () => (await listed()).length <= 2)
    expect(await listed()).toEqual(['orders:1', 'users'])
  })

  test('removes foreign bytes under the prefix too, if they are no text', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    await client.set(Buffer.concat([Buffer.from('cache:'), Buffer.from([0xff, 0xfe])]), '1')
    await client.lpush('cache:list', 'no entry either')
    await store.clear()
    await swept(client, 'cache:', [])
  })

  test('comes after the writes that were sent before it', async () => {
    const store = patientStore({ url: server.url })
    await connected(store)
    for (let round = 0; round < 20; round++) {
      const { keys, outcomes } = await writeAndClear(store, `${round}:`)
      for (const outcome of outcomes) expect(outcome).toEqual({ status: 'applied' })
      expect((await store.getMany(keys)).found.size).toBe(0)
    }
    await swept(openClient(server.url), 'cache:', [])
  })

  test('comes after the writes that were made before it, from before the connection on', async () => {
    for (let round = 0; round < 20; round++) {
      const store = patientStore({ url: server.url, prefix: `early${round}:` })
      const { keys, outcomes } = await writeAndClear(store, '')
      for (const outcome of outcomes) expect(outcome).toEqual({ status: 'applied' })
      expect((await store.getMany(keys)).found.size).toBe(0)
    }
  })

  test('comes before the writes that are made after it, and none of them is swept', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    await store.set('before', entry(1))
    const cleared = store.clear()
    const written = store.set('meanwhile', entry(2))
    expect([await cleared, await written]).toEqual([{ status: 'applied' }, { status: 'applied' }])
    expect(await store.set('after', entry(3))).toEqual({ status: 'applied' })
    await swept(client, 'cache:', ['cache:after', 'cache:meanwhile'])
    const { found } = await store.getMany(['before', 'meanwhile', 'after'])
    expect([...found.keys()]).toEqual(['meanwhile', 'after'])
  })

  test('never blocks Redis with KEYS or reaches beyond with FLUSHDB', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    await client.config('RESETSTAT')
    await store.set('k', entry(1))
    await store.clear()
    await eventually('swept', async () => (await client.exists('cache:k')) === 0)
    const stats = await client.info('commandstats')
    expect(stats).toContain('cmdstat_scan:')
    expect(stats).not.toMatch(/cmdstat_(keys|flushdb|flushall):/)
  })
})
