import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { TieredStore } from '@cache/tiered'

/** Settings of the application, read for every request and written seldom: what memory is best at. */
export function createSettings(redisUrl: string): Cache<string> {
  return new Cache<string>({
    name: 'settings',
    store: new TieredStore({
      l1: new MemoryStore({ maxItems: 1_000 }),
      l2: new RedisStore({ url: redisUrl, prefix: 'settings:', poolSize: 2 }),
    }),
    ttl: '1d',
  })
}
