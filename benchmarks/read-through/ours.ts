import { Cache, type CacheOptions, type Store } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { PrometheusMetrics } from '@cache/metrics-prometheus'
import { RedisStore } from '@cache/redis'
import { TieredStore } from '@cache/tiered'
import { type Contestant, type Item, type Subject, TTL_S } from './subject.ts'

/** What the goals speak of: ttl, grace, jitter and statistics are on. */
const OPTIONS = { ttl: TTL_S, grace: 600, jitter: 0.05 } as const

const PLAIN = '@cache/core+memory'

export const ours: readonly Contestant[] = [
  { name: PLAIN, packages: [], open: async keys => readThrough(new MemoryStore({ maxItems: keys })) },
  {
    name: `${PLAIN}, get`,
    packages: [],
    async open(keys) {
      const cache = cacheOver(new MemoryStore({ maxItems: keys }))
      return {
        get: async (key, load) => (await cache.get(key)) ?? cache.getOrSet(key, load),
        close: () => cache.close(),
      }
    },
  },
  {
    name: `${PLAIN}+metrics`,
    packages: [],
    beside: PLAIN,
    async open(keys) {
      return readThrough(new MemoryStore({ maxItems: keys }), { observer: new PrometheusMetrics().observer })
    },
  },
  {
    name: '@cache/core+tiered',
    packages: ['@cache/tiered'],
    async open(keys, url) {
      const l2 = new RedisStore({ url, prefix: `bench${process.pid}:` })
      const store = new TieredStore({ l1: new MemoryStore({ maxItems: keys }), l2 })
      while (store.health().state !== 'coherent') await new Promise(resolve => setTimeout(resolve, 10))
      return readThrough(store)
    },
  },
]

function cacheOver(store: Store, options: Partial<CacheOptions> = {}): Cache<Item> {
  return new Cache<Item>({ store, ...OPTIONS, ...options })
}

function readThrough(store: Store, options?: Partial<CacheOptions>): Subject {
  const cache = cacheOver(store, options)
  return { get: (key, load) => cache.getOrSet(key, load), close: () => cache.close() }
}
