import { ManualClock } from '@cache/core'
import type { Hono } from 'hono'
import { beforeEach, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { Products } from '../src/products.ts'

let clock: ManualClock
let products: Products
let app: Hono

beforeEach(() => {
  clock = new ManualClock()
  products = new Products()
  app = createApp(products, clock)
})

const get = (headers: Record<string, string> = {}) => app.request('/products/1', { headers })
const lifeOf = (response: Response) => {
  const header = response.headers.get('cache-control') ?? ''
  const [, maxAge, stale] = /^public, max-age=(\d+), stale-while-revalidate=(\d+)$/.exec(header) ?? []
  return { maxAge: Number(maxAge), stale: Number(stale) }
}

test('an answer may be kept as long as the entry is fresh, and no longer', async () => {
  const { maxAge, stale } = lifeOf(await get())
  // At most the ttl; up to a twentieth less, so that not everything ends at once.
  expect(maxAge).toBeGreaterThanOrEqual(57)
  expect(maxAge).toBeLessThanOrEqual(60)
  expect(stale).toBe(600)
  clock.advance(40_000)
  expect(lifeOf(await get())).toEqual({ maxAge: maxAge - 40, stale })
})

test('a stale answer is given at once, may not be kept, and is replaced behind', async () => {
  await get()
  clock.advance(100_000)
  const { maxAge, stale } = lifeOf(await get())
  expect(maxAge).toBe(0)
  expect(stale).toBeLessThan(600)
  await expect.poll(async () => lifeOf(await get()).maxAge).toBeGreaterThan(0)
  expect(products.queries).toBe(2)
})

test('who has the answer is told so, until it changes', async () => {
  const etag = (await get()).headers.get('etag') ?? ''
  const unchanged = await get({ 'if-none-match': `"other", ${etag}` })
  expect(unchanged.status).toBe(304)
  expect(await unchanged.text()).toBe('')
  clock.advance(1)
  await app.request('/products/1/price', { method: 'PUT', body: '{"priceCents":2600}' })
  const changed = await get({ 'if-none-match': etag })
  expect(changed.status).toBe(200)
  expect(await changed.json()).toMatchObject({ priceCents: 2_600 })
})

test('what does not exist is 404, what is no price 400', async () => {
  expect((await app.request('/products/9')).status).toBe(404)
  for (const body of ['', '{}', '{"priceCents":0}']) {
    expect((await app.request('/products/1/price', { method: 'PUT', body })).status).toBe(400)
  }
})
