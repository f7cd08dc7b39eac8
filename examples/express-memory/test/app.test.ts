import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { createCache } from '../src/cache.ts'
import { Products } from '../src/products.ts'

let products: Products
let server: Server
let url: string

beforeEach(async () => {
  products = new Products()
  const cache = createCache({ maxItems: 100, ttl: '1m' })
  server = createApp(cache, products).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.close()
})

const setPrice = (id: number, body: object) =>
  fetch(`${url}/products/${id}/price`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('readers of one product share one query', async () => {
  const answers = await Promise.all([1, 2, 3].map(() => fetch(`${url}/products/1`)))
  for (const answer of answers) expect(await answer.json()).toMatchObject({ name: 'Teapot' })
  expect(products.queries).toBe(1)
})

test('a new price is seen by the next reader', async () => {
  await fetch(`${url}/products/2`)
  expect((await setPrice(2, { priceCents: 700 })).status).toBe(200)
  expect(await (await fetch(`${url}/products/2`)).json()).toMatchObject({ priceCents: 700 })
})

test('what does not exist is asked for once', async () => {
  expect((await fetch(`${url}/products/9`)).status).toBe(404)
  expect((await fetch(`${url}/products/9`)).status).toBe(404)
  expect(products.queries).toBe(1)
})

test.each([{}, { priceCents: 0 }, { priceCents: '7' }])('%j is no price', async body => {
  expect((await setPrice(1, body)).status).toBe(400)
})
