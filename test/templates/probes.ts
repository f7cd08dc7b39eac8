import { expect } from 'vitest'
import type { Service } from './installed-template.ts'

/** Two busy cores are no reason to fail. */
const PATIENCE = { timeout: 15_000 }

interface Surroundings {
  /** Starts a second process beside the first. */
  another(): Promise<Service>
}

interface Probe {
  /** What answers when it is ready. */
  readonly path: string
  /** Asks what the README promises. */
  probe(url: string, surroundings: Surroundings): Promise<void>
}

/** What to ask each template. */
export const PROBES: Readonly<Record<string, Probe>> = {
  'express-memory': {
    path: '/stats',
    async probe(url) {
      expect(await json(`${url}/products/1`)).toMatchObject({ name: 'Teapot', priceCents: 2_400 })
      await json(`${url}/products/1`)
      expect(await json(`${url}/stats`)).toMatchObject({ cache: { hits: 1, misses: 1 }, queries: 1 })
      await put(`${url}/products/1/price`, { priceCents: 2_600 })
      expect(await json(`${url}/products/1`)).toMatchObject({ priceCents: 2_600 })
    },
  },

  'custom-store': {
    path: '/',
    async probe(url) {
      const first = await json(url)
      expect(first).toMatchObject({ store: 'sqlite', since: expect.any(String) })
      expect(await json(url)).toEqual(first)
    },
  },

  'fastify-tiered': {
    path: '/health',
    async probe(url, { another }) {
      const isCoherent = (base: string) =>
        expect.poll(() => json(`${base}/health`), PATIENCE).toMatchObject({ cache: { state: 'coherent' } })
      await isCoherent(url)
      expect(await json(`${url}/products/1`)).toMatchObject({ priceCents: 2_400 })
      // The second process has it from Redis, and hears of it when the first one removes it.
      const second = await another()
      await isCoherent(second.url)
      expect(await json(`${second.url}/products/1`)).toMatchObject({ priceCents: 2_400 })
      expect(await put(`${url}/products/1/price`, { priceCents: 2_600 })).toMatchObject({
        invalidation: 'applied',
      })
      const metrics = await (await fetch(`${second.url}/metrics`)).text()
      expect(metrics).toContain('cache_loads_total{cache="products",outcome="ok"} 0')
      expect(await second.stop()).toBe(0)
    },
  },

  'hono-edge-style': {
    path: '/products/9',
    async probe(url) {
      const first = await fetch(`${url}/products/1`)
      expect(first.headers.get('cache-control')).toMatch(/^public, max-age=5\d, stale-while-revalidate=600$/)
      const headers = { 'if-none-match': first.headers.get('etag') ?? '' }
      expect((await fetch(`${url}/products/1`, { headers })).status).toBe(304)
    },
  },

  'worker-fleet': {
    path: '/settings/theme',
    async probe(url) {
      await fetch(`${url}/settings/theme`, { method: 'PUT', body: 'dark' })
      await expect.poll(async () => (await fetch(`${url}/settings/theme`)).text(), PATIENCE).toBe('dark')
    },
  },

  nestjs: {
    path: '/products',
    async probe(url, { another }) {
      const second = await another()
      expect(await json(`${url}/products`)).toHaveLength(3)
      expect(await json(`${second.url}/products/2`)).toMatchObject({ priceCents: 650 })
      await put(`${second.url}/products/2/price`, { priceCents: 700 })
      expect(await json(`${second.url}/products/2`)).toMatchObject({ priceCents: 700 })
      expect(await second.stop()).toBe(0)
    },
  },

  'nextjs-cache-handler': {
    path: '/',
    async probe(url, { another }) {
      const second = await another()
      const readAt = async (base: string) => /dateTime="([^"]+)"/.exec(await text(`${base}/products/1`))?.[1]
      const first = await readAt(url)
      expect(first).toMatch(/^\d{4}-/)
      // What one instance rendered, the other serves; what one revalidates, the other renders anew.
      expect(await readAt(second.url)).toBe(first)
      const revalidated = await fetch(`${second.url}/api/revalidate?tag=product:1`, { method: 'POST' })
      expect(revalidated.status).toBe(200)
      await expect.poll(() => readAt(url), PATIENCE).not.toBe(first)
      expect(await second.stop()).toBe(0)
    },
  },

  catalogue: {
    path: '/health',
    async probe(url) {
      expect(await json(`${url}/products/3`)).toMatchObject({ id: 3, revision: 1 })
      expect(await put(`${url}/products/3`, { priceCents: 4_200 })).toMatchObject({ invalidation: 'applied' })
      expect(await json(`${url}/products/3`)).toMatchObject({ priceCents: 4_200, revision: 2 })
    },
  },
}

async function text(url: string): Promise<string> {
  const response = await fetch(url)
  expect(response.status, url).toBe(200)
  return response.text()
}

async function json(url: string): Promise<unknown> {
  return JSON.parse(await text(url))
}

async function put(url: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) })
  expect(response.status, url).toBe(200)
  return response.json()
}
