import type { Cache } from '@cache/core'
import { createApp } from './app.ts'
import { type CatalogueCacheOptions, createCache } from './cache.ts'
import type { Product } from './database.ts'
import { type Origin, openOrigin } from './origin.ts'

export interface ServiceOptions extends CatalogueCacheOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
}

export interface Service {
  readonly url: string
  readonly cache: Cache<Product | null>
  readonly origin: Origin
  /** Answers what is under way, then lets go of everything. */
  close(): Promise<void>
}

/** Database, cache and routes, listening. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const cache = createCache(options)
  const origin = await openOrigin()
  const app = createApp(cache, origin)
  const { host, port } = options
  const url = await app.listen({ host, port })
  return {
    url,
    cache,
    origin,
    async close() {
      await app.close()
      await cache.close()
      await origin.close()
    },
  }
}
