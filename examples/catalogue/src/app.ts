import type { Cache } from '@cache/core'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Product } from './database.ts'
import type { Origin } from './origin.ts'

const PARAMS = {
  type: 'object',
  properties: { id: { type: 'integer', minimum: 1 } },
} as const

const PRICE = {
  type: 'object',
  required: ['priceCents'],
  properties: { priceCents: { type: 'integer', minimum: 1 } },
} as const

/** The routes. A product that does not exist is cached too, as `null`: asking again costs the origin nothing. */
export function createApp(cache: Cache<Product | null>, origin: Origin): FastifyInstance {
  const app = Fastify()

  app.get<{ Params: { id: number } }>(
    '/products/:id',
    { schema: { params: PARAMS } },
    async (request, reply) => {
      const { id } = request.params
      const product = await cache.getOrSet(`product:${id}`, () => origin.product(id))
      return product ?? notFound(reply, id)
    },
  )

  app.put<{ Params: { id: number }; Body: { priceCents: number } }>(
    '/products/:id',
    { schema: { params: PARAMS, body: PRICE } },
    async (request, reply) => {
      const { id } = request.params
      const revision = await origin.updatePrice(id, request.body.priceCents)
      if (revision === null) return notFound(reply, id)
      // After the origin has it, before the caller is told: whoever asks from now on gets the new price.
      const { status } = await cache.delete(`product:${id}`)
      return { id, revision, invalidation: status }
    },
  )

  // Healthy without Redis, too: the service answers, only with more work for the origin.
  app.get('/health', async () => ({ status: 'ok', cache: cache.health() }))

  app.get('/stats', async () => ({ cache: cache.stats(), originQueries: origin.queries }))

  return app
}

function notFound(reply: { code(status: number): unknown }, id: number): { error: string } {
  reply.code(404)
  return { error: `There is no product ${id}` }
}
