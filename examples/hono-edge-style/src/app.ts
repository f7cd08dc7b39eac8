import { Cache, type Clock, systemClock } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { Hono } from 'hono'
import { cachingHeaders, isUnchanged } from './http-caching.ts'
import type { Product, Products } from './products.ts'

/** Routes that need nothing but `fetch`: they run wherever a `Request` becomes a `Response`. */
export function createApp(products: Products, clock: Clock = systemClock): Hono {
  const cache = new Cache<Product>({
    store: new MemoryStore({ maxItems: 10_000, clock }),
    ttl: '1m',
    grace: '10m',
    softTimeout: 0, // Stale while revalidate: here as in the header.
    clock,
  })
  const app = new Hono()

  app.get('/products/:id', async context => {
    const id = Number(context.req.param('id'))
    const key = `product:${id}`
    const product = await cache.getOrSet(key, () => products.find(id))
    if (!product) return context.json({ error: 'There is no such product' }, 404)
    const entry = await cache.getEntry(key)
    // Gone already if it was written meanwhile: an answer that nobody should keep.
    if (!entry) return context.json(product, 200, { 'cache-control': 'no-cache' })
    const headers = cachingHeaders(entry, clock.now())
    if (isUnchanged(entry, context.req.header('if-none-match'))) return context.body(null, 304, headers)
    return context.json(entry.value, 200, headers)
  })

  app.put('/products/:id/price', async context => {
    const id = Number(context.req.param('id'))
    const { priceCents } = await context.req
      .json<{ priceCents?: unknown }>()
      .catch(() => ({ priceCents: null }))
    if (typeof priceCents !== 'number' || !Number.isSafeInteger(priceCents) || priceCents < 1) {
      return context.json({ error: 'priceCents must be an integer >= 1' }, 400)
    }
    const product = await products.setPrice(id, priceCents)
    if (!product) return context.json({ error: 'There is no such product' }, 404)
    await cache.delete(`product:${id}`)
    return context.json(product)
  })

  return app
}
