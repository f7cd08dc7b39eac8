import { Cache, type Observer } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { TieredStore } from '@cache/tiered'
import type { Product } from './products.ts'

/** Memory in front of Redis. All processes on one Redis see each other's writes; without it memory serves. */
export function createCache(redisUrl: string, observer: Observer = {}): Cache<Product> {
  return new Cache<Product>({
    name: 'products',
    store: new TieredStore({
      l1: new MemoryStore({ maxItems: 10_000, policy: 'tiny-lfu' }),
      // The `1` is the version of what is stored: change it when `Product` changes its shape.
      l2: new RedisStore({ url: redisUrl, prefix: 'products:1:' }),
    }),
    ttl: '5m',
    grace: '1h', // An old product is better than none while the database is away.
    refreshAhead: 0.8, // What is asked for often is never waited for.
    negativeTtl: '10s', // Products that do not exist are asked for, too.
    observer,
  })
}
