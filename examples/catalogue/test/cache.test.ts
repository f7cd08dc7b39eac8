import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueCacheOptions, createCache } from '../src/cache.ts'
import { Database } from '../src/database.ts'
import { findRedisServer, OwnRedis } from '../src/demo/redis.ts'

const OPTIONS: CatalogueCacheOptions = { maxItems: 1, policy: 'lru', ttl: 60, observer: {} }
const database = new Database(10)
let redis: OwnRedis
beforeAll(async () => {
  redis = await OwnRedis.start(findRedisServer(process.env) ?? 'redis-server')
})
afterAll(async () => {
  database.close()
  await redis.stop()
})

test('a page that memory had no room for comes from Redis, whole; missing products too', async () => {
  await using cache = createCache({ ...OPTIONS, redisUrl: redis.url })
  await cache.set('product:1', database.product(1))
  await cache.set('product:2', null)
  await cache.set('product:3', database.product(3))
  expect(await cache.get('product:1')).toEqual(database.product(1))
  expect(await cache.get('product:2')).toBeNull()
  expect(cache.stats().tiers).toMatchObject([
    { tier: 'memory', hits: 0 },
    { tier: 'redis', hits: 2 },
  ])
})

test('without a URL it is memory alone, and nothing can be away', async () => {
  await using cache = createCache(OPTIONS)
  await cache.set('product:1', database.product(1))
  expect(await cache.get('product:1')).toEqual(database.product(1))
  expect(cache.stats().tiers).toMatchObject([{ tier: 'memory', hits: 1 }])
  expect(cache.health()).toBeUndefined()
})
