import 'reflect-metadata'
import type { INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AppModule } from '../src/app.module.js'
import { ProductsService } from '../src/products/products.service.js'

let app: INestApplication
let products: ProductsService
let url: string

beforeEach(async () => {
  app = await NestFactory.create(AppModule.forRoot({}), { logger: false })
  await app.listen(0, '127.0.0.1')
  products = app.get(ProductsService)
  url = await app.getUrl()
})
afterEach(() => app.close())

const get = async (path: string) => (await fetch(`${url}${path}`)).json()
const setPrice = (id: number, body: object) =>
  fetch(`${url}/products/${id}/price`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('readers of one product share one query', async () => {
  const answers = await Promise.all([1, 2, 3].map(() => get('/products/1')))
  for (const answer of answers) expect(answer).toMatchObject({ name: 'Teapot' })
  expect(products.queries).toBe(1)
})

test('a new price is seen in the product and in the list', async () => {
  await Promise.all([get('/products/2'), get('/products')])
  await setPrice(2, { priceCents: 700 })
  expect(await get('/products/2')).toMatchObject({ priceCents: 700 })
  expect(await get('/products')).toContainEqual({ id: 2, name: 'Cup', priceCents: 700 })
})

test('what a handler throws is the answer, and is not kept', async () => {
  expect(await get('/products/9')).toMatchObject({ statusCode: 404 })
  expect(await get('/products/9')).toMatchObject({ statusCode: 404 })
  expect(products.queries).toBe(2)
  expect((await setPrice(1, { priceCents: 0 })).status).toBe(400)
})
