import type { Item } from './payload.ts'

/** What everybody here can do in the same words. A call that did not do it rejects. */
export interface Subject {
  /** What Redis holds under a key. */
  get(key: string): Promise<unknown>
  /** The same of many keys, in any order. */
  getMany(keys: readonly string[]): Promise<Iterable<unknown>>
  setMany(items: ReadonlyMap<string, Item>): Promise<void>
  /** One value of any kind; not measured. */
  set(key: string, value: unknown): Promise<void>
  /** Read-through; a store alone has none. */
  getOrSet?(key: string, load: () => Promise<Item>): Promise<unknown>
  close(): unknown
}

export interface Contestant {
  /** What `--only` and the tests call it. */
  readonly name: string
  /** The npm packages it is made of, for their versions. */
  readonly packages: readonly string[]
  readonly workloads: readonly Workload[]
  /** Connects it to a server and resolves once it is ready. Each process loads the code of one contestant. */
  open(url: string): Promise<Subject>
}

/**
 * - `get`: one key, in sequence.
 * - `getMany`, `setMany`: 100 keys, in sequence.
 * - `miss`: read-through of a key that Redis does not have.
 * - `link`: single reads beside readers of large values, on a link of limited bandwidth.
 */
export const WORKLOADS = ['get', 'getMany', 'setMany', 'miss', 'link'] as const
export type Workload = (typeof WORKLOADS)[number]

/** Everything but the link. */
export const CACHE_WORKLOADS: readonly Workload[] = ['get', 'getMany', 'setMany', 'miss']

/** How long entries live: none expires while it is measured. */
export const TTL_MS = 600_000

/**
 * Entries in the near tiers: far fewer than the keys that are read in turn, so that every read goes to Redis, and
 * enough for a near tier to do its work.
 */
export const NEAR_ITEMS = 100
