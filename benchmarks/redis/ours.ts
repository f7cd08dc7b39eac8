import type { CacheOptions, Entry, WriteOutcome } from '@cache/core'
import type { RedisStore } from '@cache/redis'
import { CACHE_WORKLOADS, type Contestant, NEAR_ITEMS, type Subject, TTL_MS } from './subject.ts'

const OUR_PACKAGES = ['@cache/redis', 'ioredis']
const ENOUGH_MS = 10_000

/** Ours with the options they come with. */
export const ours: readonly Contestant[] = [
  {
    name: '@cache/redis',
    packages: OUR_PACKAGES,
    workloads: ['get', 'getMany', 'setMany', 'link'],
    open: async url => overStore(await openStore(url)),
  },
  {
    name: '@cache/core+redis',
    packages: ['@cache/core', ...OUR_PACKAGES],
    workloads: CACHE_WORKLOADS,
    open: async url => overCache({ store: await openStore(url) }),
  },
  {
    name: '@cache/core+tiered',
    packages: ['@cache/core', '@cache/tiered', '@cache/memory', ...OUR_PACKAGES],
    workloads: CACHE_WORKLOADS,
    async open(url) {
      const { MemoryStore } = await import('@cache/memory')
      const { TieredStore } = await import('@cache/tiered')
      const l1 = new MemoryStore({ maxItems: NEAR_ITEMS })
      const store = new TieredStore({ l1, l2: await openStore(url) })
      const subject = await overCache({ store })
      await until('coherent', () => store.health().state === 'coherent')
      return subject
    },
  },
]

async function openStore(url: string): Promise<RedisStore> {
  const { RedisStore } = await import('@cache/redis')
  const store = new RedisStore({ url, prefix: 'ours:' })
  await until('connected', () => store.health().pool?.ready === store.health().pool?.size)
  return store
}

/** A store takes entries whole: what a cache would do for it is done here. */
function overStore(store: RedisStore): Subject {
  return {
    get: async key => (await store.get(key))?.value,
    async getMany(keys) {
      const { found } = await store.getMany(keys)
      return Array.from(found.values(), entry => entry.value)
    },
    set: async (key, value) => assertApplied(await store.set(key, entryOf(value))),
    async setMany(items) {
      const entries = new Map<string, Entry>()
      for (const [key, item] of items) entries.set(key, entryOf(item))
      assertApplied(await store.setMany(entries))
    },
    close: () => store.close(),
  }
}

async function overCache(options: CacheOptions): Promise<Subject> {
  const { Cache } = await import('@cache/core')
  const cache = new Cache({ ...options, ttl: TTL_MS / 1_000 })
  return {
    get: key => cache.get(key),
    getMany: async keys => (await cache.getMany(keys)).values(),
    set: async (key, value) => assertApplied(await cache.set(key, value)),
    setMany: async items => assertApplied(await cache.setMany(items)),
    getOrSet: (key, load) => cache.getOrSet(key, load),
    close: () => cache.close(),
  }
}

function entryOf(value: unknown): Entry {
  const createdAt = Date.now()
  const expiresAt = createdAt + TTL_MS
  return { value, createdAt, freshUntil: expiresAt, expiresAt }
}

function assertApplied({ status, error }: WriteOutcome): void {
  if (status !== 'applied') throw new Error(`a write was ${status}: ${error?.message ?? 'no error given'}`)
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + ENOUGH_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not ${what} within ${ENOUGH_MS} ms`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
