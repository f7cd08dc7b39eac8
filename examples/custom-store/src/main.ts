import { Cache, type Store } from '@cache/core'
import { HttpStore } from './http-store.ts'
import { SqliteStore } from './sqlite-store.ts'

/** `KV_URL` names a key-value API; without it entries lie in the file `CACHE_FILE`. */
const { KV_URL, CACHE_FILE = './cache.sqlite' } = process.env

const store: Store = KV_URL
  ? new HttpStore({ url: KV_URL, prefix: 'demo:' })
  : new SqliteStore({ path: CACHE_FILE })
await using cache = new Cache<number>({ store, ttl: '1m' })

const started = await cache.getOrSet('started', () => {
  console.log('nothing is cached: it is loaded')
  return Date.now()
})
console.log(`in ${store.name} since ${new Date(started).toISOString()}; run it again within a minute`)
