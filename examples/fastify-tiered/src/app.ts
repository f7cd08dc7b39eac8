import type { Cache } from '@cache/core'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { Product, Products } from './products.ts'

const PARAMS = { type: 'object', properties: { id: { type: 'integer', minimum: 1 } } } as const

const PRICE = {
  type: 'object',
  required: ['priceCents'],
  properties: { priceCents: { type: 'integer', minimum: 1 } },
} as const

export interface AppParts {
  readonly cache: Cache<Product>
  readonly products: Products
  readonly register: Registry
}

/** The routes: read through the cache, write and invalidate, and what a platform asks for. */
export function createApp({ cache, products, register }: AppParts): FastifyInstance {
  const app = Fastify()

  app.get<{ Params: { id: number } }>(
    '/products/:id',
    { schema: { params: PARAMS } },
    async (request, reply) => {
      const { id } = request.params
      const product = await cache.getOrSet(`product:${id}`, () => products.find(id))
      return product ?? reply.code(404).send({ error: `There is no product ${id}` })
    },
  )

  app.put<{ Params: { id: number }; Body: { priceCents: number } }>(
    '/products/:id/price',
    { schema: { params: PARAMS, body: PRICE } },
    async (request, reply) => {
      const { id } = request.params
      const product = await products.setPrice(id, request.body.priceCents)
      if (!product) return reply.code(404).send({ error: `There is no product ${id}` })
      // `queued` while Redis is away: the other processes hear of it when it is back.
      const { status } = await cache.delete(`product:${id}`)
      return { ...product, invalidation: status }
    },
  )

  // Healthy without Redis, too: the service answers, only with more work for the database.
  app.get('/health', async () => ({ status: 'ok', cache: cache.health() }))

  app.get('/metrics', async (_request, reply) => {
    reply.type(register.contentType)
    return register.metrics()
  })

  return app
}
