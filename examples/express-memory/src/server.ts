import type { Duration } from '@cache/core'
import { createApp } from './app.ts'
import { createCache } from './cache.ts'
import { Products } from './products.ts'

const { HOST = '127.0.0.1', PORT = '3000', CACHE_MAX_ITEMS = '10000', CACHE_TTL = '5m' } = process.env

// Both are checked by the cache, which says what it accepts.
const ttl = /^\d+$/.test(CACHE_TTL) ? Number(CACHE_TTL) : (CACHE_TTL as Duration)
const cache = createCache({ maxItems: Number(CACHE_MAX_ITEMS), ttl })

const server = createApp(cache, new Products()).listen(Number(PORT), HOST, error => {
  if (error) throw error
  console.log(`http://${HOST}:${PORT}/products/1`)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  // What is under way is answered, then the process ends by itself.
  process.once(signal, () => server.close(() => cache.close()))
}
