import { PrometheusMetrics } from '@cache/metrics-prometheus'
import { Registry } from 'prom-client'
import { createApp } from './app.ts'
import { createCache } from './cache.ts'
import { Products } from './products.ts'

const { HOST = '127.0.0.1', PORT = '3000', REDIS_URL = 'redis://127.0.0.1:6379' } = process.env

const register = new Registry()
const { observer } = new PrometheusMetrics({ register })
const cache = createCache(REDIS_URL, observer)
const app = createApp({ cache, products: new Products(), register })

// Fastify stops accepting and answers what is under way; then the cache lets go of Redis, and nothing is left to run.
app.addHook('onClose', () => cache.close())
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => app.close())

console.log(`${await app.listen({ host: HOST, port: Number(PORT) })}/products/1`)
