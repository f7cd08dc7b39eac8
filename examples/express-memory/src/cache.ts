import { Cache, type Duration } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import type { Product } from './products.ts'

export interface ProductCacheOptions {
  readonly maxItems: number
  readonly ttl: Duration
}

export function createCache({ maxItems, ttl }: ProductCacheOptions): Cache<Product> {
  return new Cache<Product>({
    store: new MemoryStore({ maxItems, policy: 'tiny-lfu' }),
    ttl,
    grace: '1h', // An old product is better than none while the database is away.
    negativeTtl: '10s', // Products that do not exist are asked for, too.
  })
}
