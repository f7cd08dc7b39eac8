import { type Contestant, type Item, type Load, TTL_S } from './subject.ts'

const TTL_MS = TTL_S * 1_000

/** Each in memory alone, with a time to live and, where it has that, with stale values kept. */
export const peers: readonly Contestant[] = [
  bentocache('bentocache', true),
  bentocache('bentocache, serialize: false', false),
  {
    name: 'cacheable',
    packages: ['cacheable'],
    async open(keys) {
      const { Cacheable } = await import('cacheable')
      const { createKeyv } = await import('@cacheable/memory')
      const cache = new Cacheable({ primary: createKeyv({ lruSize: keys }), ttl: TTL_MS })
      return { get: (key, load) => cache.getOrSet(key, load), close: () => cache.disconnect() }
    },
  },
  {
    name: 'cache-manager',
    packages: ['cache-manager'],
    async open(keys) {
      const { createCache } = await import('cache-manager')
      const { createKeyv } = await import('@cacheable/memory')
      const cache = createCache({ stores: [createKeyv({ lruSize: keys })], ttl: TTL_MS })
      return { get: (key, load) => cache.wrap(key, load), close: () => cache.disconnect() }
    },
  },
  {
    name: 'layered-loader',
    packages: ['layered-loader'],
    async open(keys) {
      const { Loader } = await import('layered-loader')
      let load: Load
      const loader = new Loader<Item>({
        inMemoryCache: { maxItems: keys, ttlInMsecs: TTL_MS },
        dataSourceGetOneFn: () => load(),
        dataSourceGetManyFn: async () => [],
        cacheKeyFromValueResolver: ({ id }) => id,
      })
      await loader.init()
      return {
        // As its documentation advises for what may be in memory.
        get: async (key, loadOne) => {
          load = loadOne
          return loader.getInMemoryOnly(key) ?? (await loader.get(key))
        },
      }
    },
  },
  {
    name: 'async-cache-dedupe',
    packages: ['async-cache-dedupe'],
    async open(keys) {
      const { createCache } = await import('async-cache-dedupe')
      let load: Load
      const cache = createCache({ ttl: TTL_S, storage: { type: 'memory', options: { size: keys } } }).define(
        'item',
        (_: string) => load(),
      )
      return {
        get(key, loadOne) {
          load = loadOne
          return cache.item(key)
        },
      }
    },
  },
  {
    name: '@epic-web/cachified',
    packages: ['@epic-web/cachified'],
    async open(keys) {
      const { cachified } = await import('@epic-web/cachified')
      const { LRUCache } = await import('lru-cache')
      const cache = new LRUCache<string, never>({ max: keys })
      return {
        get: (key, getFreshValue) =>
          cachified({ key, cache: cache as never, getFreshValue, ttl: TTL_MS, swr: TTL_MS }),
      }
    },
  },
]

function bentocache(name: string, serialize: boolean): Contestant {
  return {
    name,
    packages: ['bentocache'],
    async open(keys) {
      const { BentoCache, bentostore } = await import('bentocache')
      const { memoryDriver } = await import('bentocache/drivers/memory')
      const memory = bentostore().useL1Layer(memoryDriver({ maxItems: keys, serialize }))
      const bento = new BentoCache({ default: 'memory', ttl: TTL_MS, grace: TTL_MS, stores: { memory } })
      return {
        get: (key, factory) => bento.getOrSet({ key, factory }),
        close: () => bento.disconnectAll(),
      }
    },
  }
}
