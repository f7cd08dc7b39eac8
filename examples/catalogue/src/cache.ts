import { Cache, type Observer, type Store } from '@cache/core'
import { MemoryStore, type PolicyName } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { TieredStore } from '@cache/tiered'
import type { Product } from './database.ts'

export interface CatalogueCacheOptions {
  /** Without it the cache is memory only. */
  readonly redisUrl?: string
  /** Put before every key in Redis. */
  readonly prefix?: string
  /** Products in memory. */
  readonly maxItems: number
  readonly policy: PolicyName
  /** Seconds a page may be served. */
  readonly ttl: number
  readonly observer: Observer
}

/** A page takes about 4 KB: only much larger ones would be short of bytes before they are of items. */
const MAX_BYTES = 64 * 1_024 * 1_024

/** Memory in front of Redis, or memory alone. An unreachable Redis is no error here, nor later. */
export function createCache(options: CatalogueCacheOptions): Cache<Product | null> {
  const { redisUrl, prefix = 'catalogue:', maxItems, policy, ttl, observer } = options
  const memory = new MemoryStore({ maxItems, maxBytes: MAX_BYTES, policy })
  const store: Store = redisUrl
    ? new TieredStore({ l1: memory, l2: new RedisStore({ url: redisUrl, prefix }) })
    : memory
  return new Cache<Product | null>({ store, name: 'products', ttl, observer })
}
