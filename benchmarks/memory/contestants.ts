import { BoundedMap, POLICY_NAMES, type PolicyName } from '@cache/memory'

/** What every cache here can do in the same words. */
export interface Subject {
  get(key: string): unknown
  set(key: string, value: Value): unknown
}

export interface Value {
  readonly id: number
}

export interface Contestant {
  /** What `--only` and the tables call it: the package, or our class and its policy, `+ttl` if entries expire. */
  readonly name: string
  /** The npm package it comes from, for its version. */
  readonly package?: string
  /** Loads it. Each process loads the code of one contestant. */
  load(): Promise<(capacity: number) => Subject>
}

/** What all are compared with: no bound, no order, no expiry. */
export const REFERENCE = 'Map'

/** Long enough that nothing expires while it is measured. */
const HOUR_MS = 3_600_000

const ours: readonly Contestant[] = POLICY_NAMES.flatMap(policy => [bounded(policy), boundedWithTtl(policy)])

const peers: readonly Contestant[] = [
  {
    name: 'lru-cache',
    package: 'lru-cache',
    load: async () => {
      const { LRUCache } = await import('lru-cache')
      return max => new LRUCache<string, Value>({ max })
    },
  },
  {
    name: 'lru-cache+ttl',
    package: 'lru-cache',
    load: async () => {
      const { LRUCache } = await import('lru-cache')
      return max => new LRUCache<string, Value>({ max, ttl: HOUR_MS })
    },
  },
  {
    name: 'quick-lru',
    package: 'quick-lru',
    load: async () => {
      const { default: QuickLRU } = await import('quick-lru')
      return maxSize => new QuickLRU<string, Value>({ maxSize })
    },
  },
  {
    name: 'quick-lru+ttl',
    package: 'quick-lru',
    load: async () => {
      const { default: QuickLRU } = await import('quick-lru')
      return maxSize => new QuickLRU<string, Value>({ maxSize, maxAge: HOUR_MS })
    },
  },
  {
    name: 'tiny-lru',
    package: 'tiny-lru',
    load: async () => {
      const { LRU } = await import('tiny-lru')
      return max => new LRU<Value>(max)
    },
  },
  {
    name: 'tiny-lru+ttl',
    package: 'tiny-lru',
    load: async () => {
      const { LRU } = await import('tiny-lru')
      return max => new LRU<Value>(max, HOUR_MS)
    },
  },
  {
    name: 'mnemonist',
    package: 'mnemonist',
    load: async () => {
      const { LRUMap } = await import('mnemonist')
      return capacity => new LRUMap<string, Value>(capacity)
    },
  },
  {
    name: 'toad-cache',
    package: 'toad-cache',
    load: async () => {
      const { LruMap } = await import('toad-cache')
      return max => new LruMap<Value>(max)
    },
  },
  {
    name: 'toad-cache+ttl',
    package: 'toad-cache',
    load: async () => {
      const { LruMap } = await import('toad-cache')
      return max => new LruMap<Value>(max, HOUR_MS)
    },
  },
  {
    name: '@isaacs/ttlcache+ttl',
    package: '@isaacs/ttlcache',
    load: async () => {
      const { TTLCache } = await import('@isaacs/ttlcache')
      return max => new TTLCache<string, Value>({ max, ttl: HOUR_MS })
    },
  },
  {
    name: '@cacheable/memory+ttl',
    package: '@cacheable/memory',
    load: async () => {
      const { CacheableMemory } = await import('@cacheable/memory')
      return lruSize => new CacheableMemory({ lruSize, ttl: HOUR_MS })
    },
  },
  {
    // Values are cloned on every read by default; the others hand them out as they are.
    name: '@cacheable/memory+ttl+no-clone',
    package: '@cacheable/memory',
    load: async () => {
      const { CacheableMemory } = await import('@cacheable/memory')
      return lruSize => new CacheableMemory({ lruSize, ttl: HOUR_MS, useClone: false })
    },
  },
]

/** Everybody, the reference first. */
export const CONTESTANTS: readonly Contestant[] = [
  { name: REFERENCE, load: async () => () => new Map<string, Value>() },
  ...ours,
  ...peers,
]

function bounded(policy: PolicyName): Contestant {
  return {
    name: `bounded-map/${policy}`,
    package: '@cache/memory',
    load: async () => maxItems => new BoundedMap<string, Value>({ maxItems, policy }),
  }
}

function boundedWithTtl(policy: PolicyName): Contestant {
  return {
    name: `bounded-map/${policy}+ttl`,
    package: '@cache/memory',
    load: async () => maxItems => new BoundedMap<string, Value>({ maxItems, policy, ttl: HOUR_MS / 1_000 }),
  }
}
