import { createServer } from 'node:http'
import { Cache, type Store } from '@cache/core'
import { HttpStore } from './http-store.ts'
import { SqliteStore } from './sqlite-store.ts'

/** `KV_URL` names a key-value API; without it entries lie in the file `CACHE_FILE`. */
const { KV_URL, CACHE_FILE = './cache.sqlite', HOST = '127.0.0.1', PORT = '3000' } = process.env

const store: Store = KV_URL
  ? new HttpStore({ url: KV_URL, prefix: 'demo:' })
  : new SqliteStore({ path: CACHE_FILE })
const cache = new Cache<string>({ store, ttl: '1m' })

/** Answers since when it has known: for a minute the same, whether or not it was started again meanwhile. */
const server = createServer(async (_, response) => {
  const since = await cache.getOrSet('since', () => new Date().toISOString())
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ store: store.name, since }))
})
server.listen(Number(PORT), HOST, () => console.log(`http://${HOST}:${PORT}, in ${store.name}`))

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    await new Promise(resolve => server.close(resolve))
    await cache.close()
  })
}
