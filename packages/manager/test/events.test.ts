import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { eventually, RedisServer } from '@cache/test-support'
import { TieredStore } from '@cache/tiered'
import { afterAll, beforeAll, expect, test } from 'vitest'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

test('a tiered cache tells what its memory evicts, and how an outage begins and ends', async () => {
  const l1 = new MemoryStore({ maxItems: 2, policy: 'fifo' })
  const l2 = new RedisStore({ url: server.url, prefix: 'events:', poolSize: 1 })
  await using cache = new Cache({ store: new TieredStore({ l1, l2 }), ttl: 60 })
  await eventually('Redis is used', () => cache.health()?.state === 'coherent')
  const heard = new Set<string>()
  const evicted: unknown[] = []
  cache.on('evict', event => evicted.push(event))
  for (const event of ['error', 'gap', 'state', 'recovered'] as const) {
    cache.on(event, () => heard.add(event))
  }
  for (const key of ['a', 'b', 'c']) await cache.set(key, 1)
  expect(evicted).toEqual([{ key: 'a', tier: 'memory' }])

  await server.kill()
  await eventually('it is noticed', async () => {
    await cache.set('b', 9)
    await cache.get('none')
    return ['error', 'gap', 'state'].every(event => heard.has(event))
  })
  expect(heard.has('recovered')).toBe(false)
  await server.restart()
  await eventually('it is over', () => heard.has('recovered'))
  expect(await cache.get('b')).toBeOneOf([9, undefined])
})
