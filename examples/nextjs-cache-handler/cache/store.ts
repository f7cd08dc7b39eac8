import { existsSync, readFileSync } from 'node:fs'
import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore, v8 } from '@cache/redis'
import { TieredStore } from '@cache/tiered'
import type { CacheHandlerValue } from 'next/dist/server/lib/incremental-cache'

const { REDIS_URL } = process.env

/** Memory in front of Redis; memory alone without `REDIS_URL`, and while Next builds. */
const root = new Cache<CacheHandlerValue | number>({
  name: 'next',
  store: createStore(),
  jitter: 0, // Next says to the second how long a page lives.
})

/** What Next rendered or fetched. */
export const entries: Cache<CacheHandlerValue> = root.namespace('entries')

/** When a tag was last revalidated, in milliseconds since the epoch; 0: never, as far as anybody knows. */
export const revalidations: Cache<number> = root.namespace('revalidated')

export const closeCache = (): Promise<void> => root.close()

function createStore(): MemoryStore | TieredStore {
  const memory = new MemoryStore({ maxItems: 10_000, maxBytes: 100 << 20 })
  if (!REDIS_URL || process.env.NEXT_PHASE === 'phase-production-build') return memory
  // Buffers and maps are in what Next stores: `v8` keeps them, JSON would not.
  const l2 = new RedisStore({ url: REDIS_URL, prefix: `next:${buildId()}:`, serializer: v8 })
  return new TieredStore({ l1: memory, l2 })
}

/** Pages name the scripts of the build that rendered them: each build has its own. */
function buildId(): string {
  const file = '.next/BUILD_ID'
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'unbuilt'
}
