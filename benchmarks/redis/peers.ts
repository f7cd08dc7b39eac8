import type { Item } from './payload.ts'
import { CACHE_WORKLOADS, type Contestant, NEAR_ITEMS, TTL_MS } from './subject.ts'

/** Each with a near tier and Redis behind it, and with invalidation between processes where it has that. */
export const peers: readonly Contestant[] = [
  {
    name: 'bentocache',
    packages: ['bentocache', 'ioredis'],
    workloads: CACHE_WORKLOADS,
    async open(url) {
      const { BentoCache, bentostore } = await import('bentocache')
      const { memoryDriver } = await import('bentocache/drivers/memory')
      const { redisBusDriver, redisDriver } = await import('bentocache/drivers/redis')
      const { hostname: host, port } = new URL(url)
      const connection = { host, port: Number(port) }
      const store = bentostore()
        .useL1Layer(memoryDriver({ maxItems: NEAR_ITEMS }))
        .useL2Layer(redisDriver({ connection }))
        .useBus(redisBusDriver({ connection }))
      const bento = new BentoCache({ default: 'tiered', ttl: TTL_MS, stores: { tiered: store } })
      return {
        get: key => bento.get({ key }),
        // It has no calls for many keys.
        getMany: keys => Promise.all(keys.map(key => bento.get({ key }))),
        async set(key, value) {
          await bento.set({ key, value })
        },
        async setMany(items) {
          await Promise.all(Array.from(items, ([key, value]) => bento.set({ key, value })))
        },
        getOrSet: (key, load) => bento.getOrSet({ key, factory: load }),
        close: () => bento.disconnectAll(),
      }
    },
  },
  {
    name: 'cacheable',
    packages: ['cacheable', '@keyv/redis'],
    workloads: CACHE_WORKLOADS,
    async open(url) {
      const { Cacheable } = await import('cacheable')
      const { createKeyv: inMemory } = await import('@cacheable/memory')
      const { createKeyv: inRedis } = await import('@keyv/redis')
      const [primary, secondary] = [inMemory({ lruSize: NEAR_ITEMS }), inRedis(url)]
      const cache = new Cacheable({ primary, secondary, ttl: TTL_MS })
      return {
        get: key => cache.get(key),
        getMany: keys => cache.getMany([...keys]),
        async set(key, value) {
          await cache.set(key, value)
        },
        async setMany(items) {
          await cache.setMany(Array.from(items, ([key, value]) => ({ key, value })))
        },
        getOrSet: (key, load) => cache.getOrSet(key, load),
        close: () => cache.disconnect(),
      }
    },
  },
  {
    name: 'cache-manager',
    packages: ['cache-manager', '@keyv/redis'],
    workloads: CACHE_WORKLOADS,
    async open(url) {
      const { createCache } = await import('cache-manager')
      const { createKeyv: inMemory } = await import('@cacheable/memory')
      const { createKeyv: inRedis } = await import('@keyv/redis')
      const cache = createCache({ stores: [inMemory({ lruSize: NEAR_ITEMS }), inRedis(url)], ttl: TTL_MS })
      return {
        get: key => cache.get(key),
        getMany: keys => cache.mget([...keys]),
        async set(key, value) {
          await cache.set(key, value)
        },
        async setMany(items) {
          await cache.mset(Array.from(items, ([key, value]) => ({ key, value })))
        },
        getOrSet: (key, load) => cache.wrap(key, load),
        close: () => cache.disconnect(),
      }
    },
  },
  {
    name: 'layered-loader',
    packages: ['layered-loader', 'ioredis'],
    workloads: CACHE_WORKLOADS,
    async open(url) {
      const { Redis } = await import('ioredis')
      const { createNotificationPair, Loader, RedisCache } = await import('layered-loader')
      const [publisherRedis, consumerRedis, data] = [new Redis(url), new Redis(url), new Redis(url)]
      const { publisher, consumer } = createNotificationPair<Item>({
        channel: 'layered-loader',
        publisherRedis,
        consumerRedis,
      })
      const asyncCache = new RedisCache<Item>(data, { json: true, ttlInMsecs: TTL_MS })
      // A loader is given once, not with each call: this one finds the call's.
      const loads = new Map<string, () => Promise<Item>>()
      const loader = new Loader<Item>({
        inMemoryCache: { maxItems: NEAR_ITEMS, ttlInMsecs: TTL_MS },
        asyncCache,
        notificationConsumer: consumer,
        notificationPublisher: publisher,
        cacheKeyFromValueResolver: ({ id }) => id,
        dataSourceGetOneFn: async key => loads.get(key)?.(),
        dataSourceGetManyFn: async () => [],
      })
      await loader.init()
      return {
        get: key => loader.get(key),
        getMany: keys => loader.getMany([...keys]),
        set: (key, value) => loader.forceSetValue(key, value as Item),
        // The loader has no call that writes many: this is its far tier alone, told to nobody.
        async setMany(items) {
          await asyncCache.setMany(Array.from(items, ([key, value]) => ({ key, value })))
        },
        async getOrSet(key, load) {
          loads.set(key, load)
          try {
            return await loader.get(key)
          } finally {
            loads.delete(key)
          }
        },
        close() {
          for (const client of [publisherRedis, consumerRedis, data]) client.disconnect()
        },
      }
    },
  },
]
