import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { Database, type Product } from '../src/database.ts'
import type { Origin } from '../src/origin.ts'

/** The database without its thread. */
class DirectOrigin implements Origin {
  readonly #database = new Database(50)
  queries = 0

  async product(id: number): Promise<Product | null> {
    this.queries++
    return this.#database.product(id)
  }

  async updatePrice(id: number, priceCents: number): Promise<number | null> {
    return this.#database.updatePrice(id, priceCents)
  }

  async close(): Promise<void> {
    this.#database.close()
  }
}

let origin: DirectOrigin
let cache: Cache<Product | null>
let app: FastifyInstance

beforeEach(() => {
  origin = new DirectOrigin()
  cache = new Cache({ store: new MemoryStore({ maxItems: 100 }) })
  app = createApp(cache, origin)
})
afterEach(async () => {
  await app.close()
  await cache.close()
  await origin.close()
})

const get = (url: string) => app.inject({ method: 'GET', url })
const put = (id: number, payload: object) => app.inject({ method: 'PUT', url: `/products/${id}`, payload })

test('a product is read from the origin once', async () => {
  const first = await get('/products/3')
  const second = await get('/products/3')
  expect(first.statusCode).toBe(200)
  expect(first.json()).toMatchObject({ id: 3, revision: 1 })
  expect(second.body).toBe(first.body)
  expect(origin.queries).toBe(1)
})

test('readers at the same moment share one query', async () => {
  await Promise.all(Array.from({ length: 5 }, () => get('/products/4')))
  expect(origin.queries).toBe(1)
})

test('after a PUT the next GET shows the new price', async () => {
  await get('/products/5')
  expect((await put(5, { priceCents: 4_200 })).json()).toEqual({
    id: 5,
    revision: 2,
    invalidation: 'applied',
  })
  expect((await get('/products/5')).json()).toMatchObject({ priceCents: 4_200, revision: 2 })
})

test('a product that does not exist is 404, and asking again costs the origin nothing', async () => {
  expect((await get('/products/51')).statusCode).toBe(404)
  expect((await get('/products/51')).json()).toEqual({ error: 'There is no product 51' })
  expect(origin.queries).toBe(1)
  expect((await put(51, { priceCents: 1 })).statusCode).toBe(404)
})

test.each(['/products/abc', '/products/0', '/products/1.5'])('GET %s is 400', async url => {
  expect((await get(url)).statusCode).toBe(400)
})

test.each([{}, { priceCents: 0 }, { priceCents: 'much' }])(
  'PUT %j is 400 and changes nothing',
  async payload => {
    expect((await put(6, payload)).statusCode).toBe(400)
    expect((await get('/products/6')).json().revision).toBe(1)
  },
)

test('health answers, and stats tell hits, misses and origin queries', async () => {
  await get('/products/7')
  await get('/products/7')
  expect((await get('/health')).json()).toMatchObject({ status: 'ok' })
  expect((await get('/stats')).json()).toMatchObject({ cache: { hits: 1, misses: 1 }, originQueries: 1 })
})
