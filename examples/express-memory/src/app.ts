import type { Cache } from '@cache/core'
import express, { type Express } from 'express'
import type { Product, Products } from './products.ts'

/** The routes: read through the cache, write and invalidate. */
export function createApp(cache: Cache<Product>, products: Products): Express {
  const app = express()
  app.use(express.json())

  app.get('/products/:id', async (request, response) => {
    const id = Number(request.params.id)
    const product = await cache.getOrSet(`product:${id}`, () => products.find(id))
    if (product) response.json(product)
    else response.status(404).json({ error: `There is no product ${request.params.id}` })
  })

  app.put('/products/:id/price', async (request, response) => {
    const id = Number(request.params.id)
    const { priceCents } = request.body ?? {}
    if (!Number.isSafeInteger(priceCents) || priceCents < 1) {
      response.status(400).json({ error: 'priceCents must be an integer >= 1' })
      return
    }
    const product = await products.setPrice(id, priceCents)
    // After the database has it, before the caller is told: whoever asks from now on gets the new price.
    await cache.delete(`product:${id}`)
    if (product) response.json(product)
    else response.status(404).json({ error: `There is no product ${request.params.id}` })
  })

  app.get('/stats', (_request, response) => {
    response.json({ cache: cache.stats(), queries: products.queries })
  })

  return app
}
