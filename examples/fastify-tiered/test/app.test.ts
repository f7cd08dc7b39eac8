import { PrometheusMetrics } from '@cache/metrics-prometheus'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { createCache } from '../src/cache.ts'
import { Products } from '../src/products.ts'

// Nobody listens there: everything below is what memory does while Redis is away.
const NO_REDIS = 'redis://127.0.0.1:1'

let products: Products
let app: FastifyInstance

beforeEach(() => {
  products = new Products()
  const register = new Registry()
  const cache = createCache(NO_REDIS, new PrometheusMetrics({ register }).observer)
  app = createApp({ cache, products, register })
  app.addHook('onClose', () => cache.close())
})
afterEach(() => app.close())

const get = (url: string) => app.inject({ method: 'GET', url })
const setPrice = (id: number, payload: object) =>
  app.inject({ method: 'PUT', url: `/products/${id}/price`, payload })

test('readers of one product share one query', async () => {
  const answers = await Promise.all([1, 2, 3].map(() => get('/products/1')))
  for (const answer of answers) expect(answer.json()).toMatchObject({ name: 'Teapot' })
  expect(products.queries).toBe(1)
})

test('a new price is seen by the next reader, and is said to wait for Redis', async () => {
  await get('/products/2')
  expect((await setPrice(2, { priceCents: 700 })).json()).toMatchObject({ invalidation: 'queued' })
  expect((await get('/products/2')).json()).toMatchObject({ priceCents: 700 })
})

test('what does not exist is 404, what is no price 400', async () => {
  expect((await get('/products/9')).statusCode).toBe(404)
  expect((await setPrice(9, { priceCents: 1 })).statusCode).toBe(404)
  expect((await setPrice(1, { priceCents: 0 })).statusCode).toBe(400)
})

test('it is healthy without Redis, and counts', async () => {
  await get('/products/1')
  expect((await get('/health')).json()).toMatchObject({ status: 'ok', cache: { state: 'fallback' } })
  expect((await get('/metrics')).body).toContain('cache_loads_total{cache="products",outcome="ok"} 1')
})
