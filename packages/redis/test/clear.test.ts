import { RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { collect, entry, openClient, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())
beforeEach(() => openClient(server.url).flushall())

describe('clear', () => {
  test('removes every key of ours and none beside them', async () => {
    const store = patientStore({ url: server.url, prefix: 'cache:' })
    const neighbours = ['cache2:a', 'cache', 'cachet', 'Cache:a', 'xcache:a']
    const client = openClient(server.url)
    for (const key of neighbours) await client.set(key, '1')
    await store.setMany(new Map(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, entry(i)])))
    expect(await store.clear()).toEqual({ status: 'applied' })
    expect((await client.keys('*')).sort()).toEqual(neighbours.sort())
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
      expect((await client.keys('*')).sort()).toEqual(neighbours.sort())
    },
  )

  test('removes only what begins with a scope, if it is given one', async () => {
    const store = patientStore({ url: server.url })
    const keys = ['users:1', 'users:2', 'users', 'users*', 'orders:1']
    await store.setMany(new Map(keys.map(key => [key, entry(key)])))
    await store.clear('users:')
    expect((await collect(store.keys())).sort()).toEqual(['orders:1', 'users', 'users*'])
    await store.clear('users*')
    expect((await collect(store.keys('users'))).sort()).toEqual(['users'])
  })

  test('removes foreign bytes under the prefix too, if they are no text', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    await client.set(Buffer.concat([Buffer.from('cache:'), Buffer.from([0xff, 0xfe])]), '1')
    await store.clear()
    expect(await client.dbsize()).toBe(0)
  })

  test('comes after the writes that were sent before it', async () => {
    const store = patientStore({ url: server.url })
    await store.get('connected')
    for (let round = 0; round < 20; round++) {
      const writes = Array.from({ length: 30 }, (_, i) =>
        store.set(`${round}:${i}`, entry('x'.repeat(20_000))),
      )
      const cleared = store.clear()
      await Promise.all(writes)
      expect(await cleared).toEqual({ status: 'applied' })
      expect(await collect(store.keys())).toEqual([])
    }
  })

  test('never blocks Redis with KEYS or reaches beyond with FLUSHDB', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    await client.config('RESETSTAT')
    await store.set('k', entry(1))
    await store.clear()
    const stats = await client.info('commandstats')
    expect(stats).toContain('cmdstat_scan:')
    expect(stats).not.toMatch(/cmdstat_(keys|flushdb|flushall):/)
  })
})
