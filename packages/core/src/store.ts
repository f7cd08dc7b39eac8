import type { Awaitable } from './awaitable.ts'
import type { Entry } from './entry.ts'
import type { CacheError } from './errors.ts'
import type { InvalidationBus } from './invalidation-bus.ts'
import type { FillOutcome } from './leasing.ts'
import type { Observer } from './observer.ts'
import type { WriteOutcome } from './outcome.ts'

/** What the caller of a store asks for besides; a store that waits for nothing leaves it unread. */
export interface StoreCall {
  /** How long the call may wait for a remote, in milliseconds, in the place of what the store was set up with. */
  readonly deadlineMs: number
}

/**
 * Where entries live: the five methods every store has. Mechanism only: a store keeps an entry until its
 * `expiresAt` and hands it back whole; what fresh, stale or missing means is decided above it, in `Cache`.
 *
 * A read that cannot be answered throws or rejects (best with a `CacheError`); the layer above makes a miss of
 * it. A write that cannot be done says so in its outcome, or throws. Writes of one key take effect in the order
 * in which they were called; the cache relies on it to keep a late value from undoing an invalidation. Keys arrive
 * validated.
 */
export interface Store {
  /** For metrics, errors and logs: `memory`, `redis`, `tiered`. */
  readonly name: string
  get(key: string, call?: StoreCall): Awaitable<Entry | undefined>
  set(key: string, entry: Entry, call?: StoreCall): Awaitable<WriteOutcome>
  /** Removes a key; `applied` also when there was nothing to remove. */
  delete(key: string, call?: StoreCall): Awaitable<WriteOutcome>
  /** Removes every key that begins with `scope`; without it, everything this store may touch. */
  clear(scope?: string): Awaitable<WriteOutcome>
  /** Releases what the store holds. Later calls may fail with `CLOSED`. */
  close(): Awaitable<void>
}

/** What a batched read found, and which keys could not be asked for. */
export interface BatchRead {
  readonly found: ReadonlyMap<string, Entry>
  /** Keys whose read failed, each with its reason: they are not misses. */
  readonly failures?: ReadonlyMap<string, CacheError>
}

/** Optional: many keys at once. Without it the layer above loops. */
export interface Batching {
  getMany(keys: readonly string[], call?: StoreCall): Awaitable<BatchRead>
  setMany(entries: ReadonlyMap<string, Entry>, call?: StoreCall): Awaitable<WriteOutcome>
  deleteMany(keys: readonly string[], call?: StoreCall): Awaitable<WriteOutcome>
}

/**
 * Optional: answers at once what is at hand, so that such a read, as most are, is spared all that a miss needs: who may load,
 * deadlines, promises.
 */
export interface Near {
  /**
   * The entry that {@link Store.get} would give, if it is at hand here and fresh: `freshUntil` is later than `freshAt`, or it is
   * never stale. Counts as a hit then; otherwise nothing is counted, and `get` comes next. Keys arrive as strings, but
   * not validated: nothing is stored under one that is not valid.
   *
   * @param freshAt epoch milliseconds, up to some milliseconds old
   */
  getFresh(key: string, freshAt: number): Entry | undefined
}

/**
 * Optional: moves the times of an entry in place (sliding ttl). Without it the layer above writes the entry again,
 * which is sound only for a store that no other process writes to.
 */
export interface Touching {
  /**
   * Moves `freshUntil` and `expiresAt` (epoch milliseconds) of a key that still exists to these times where they
   * are later: it never creates a key and never shortens its life, whoever wrote it meanwhile.
   *
   * @param tags of the entry, for a store that keeps something for them which has to live as long
   */
  touch(key: string, freshUntil: number, expiresAt: number, tags?: readonly string[]): Awaitable<WriteOutcome>
}

/** Optional: writes an entry only in the place of another one. */
export interface Replacing {
  /**
   * @param expected the entry that is to be replaced, known by when it was created
   * @returns `superseded` if another one is there, or none, or what is written is outdated by then
   */
  replace(key: string, entry: Entry, expected: Entry): Awaitable<FillOutcome>
}

/**
 * Optional: invalidates by tag. An entry whose `tags` include one that was invalidated after the entry was written here (or,
 * if it has a `stamp` of this store, after that) is not returned any more. Without it, entries cannot have tags.
 */
export interface Tagging {
  invalidateTags(tags: readonly string[]): Awaitable<WriteOutcome>
}

/** Optional: tells beforehand what `set` would refuse, so that a large batch is refused before its first write. */
export interface Checking {
  /** @throws CacheError `SERIALIZATION` or `INVALID_VALUE`, as `set` would */
  check(key: string, entry: Entry): void
}

/** Optional: lists the keys it holds that begin with `scope`. */
export interface Enumerable {
  keys(scope?: string): Iterable<string> | AsyncIterable<string>
}

/** What one tier holds and did since it was made. Plain numbers, read when asked. */
export interface TierStats {
  /** The store's name. */
  readonly tier: string
  readonly items?: number
  /** Bytes held, where the store knows or estimates them. */
  readonly bytes?: number
  readonly hits?: number
  /** Reads that found nothing here. */
  readonly misses?: number
  /** The bounds on `items` and `bytes`, of a tier that has them. */
  readonly maxItems?: number
  readonly maxBytes?: number
  readonly evictions?: number
  /** Of the evictions, those for want of bytes; the others were for want of items. */
  readonly evictionsForBytes?: number
  readonly expirations?: number
  /** Of a near tier: entries of the remote that were kept. */
  readonly promotions?: number
  /** Of a remote tier: loaded values that it refused, since their key was written or removed meanwhile. */
  readonly supersededFills?: number
  /** Of a tier that keeps values as bytes. */
  readonly codec?: CodecStats
  /** Of a tier that brings its own bus: invalidations told to other processes, and heard from them. */
  readonly messages?: { readonly sent: number; readonly received: number }
}

/** What serializer and compressors did since they were made. */
export interface CodecStats {
  /** Times in milliseconds, of all calls together, estimated from some of them. What is decoded at a near hit is not counted. */
  readonly serializer: {
    readonly name: string
    readonly encoded: number
    readonly encodeMs: number
    readonly decoded: number
    readonly decodeMs: number
  }
  /** Each compressor that packed anything. */
  readonly compression: readonly CompressionStats[]
  /** Values stored as they are though there is a compressor. */
  readonly skipped: {
    /** For they are not above its threshold. */
    readonly small: number
    /** For it did not make them smaller by much. */
    readonly incompressible: number
  }
}

export interface CompressionStats {
  /** The compressor's. */
  readonly name: string
  readonly values: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** Optional: tells sizes and counts without waiting; a store of stores lists its tiers, nearest first. */
export interface Measurable {
  measure(): readonly TierStats[]
}

/** An entry that a store removed of its own accord. */
export interface Removal {
  readonly key: string
  /** The store's name. */
  readonly tier: string
  /** There was no more room, or its time was up. */
  readonly cause: 'evicted' | 'expired'
}

/** Optional: tells what it removes of its own accord, when it does; costs nothing while nobody listens. */
export interface Removing {
  /** @returns a function that ends it */
  onRemoval(listener: (removal: Removal) => void): () => void
}

/** Connections to a remote. */
export interface PoolHealth {
  readonly size: number
  /** Those that can take a command now. */
  readonly ready: number
  /** Commands that wait for an answer. */
  readonly inFlight: number
  /** Of these, those that could not be sent yet, as their connection is being made. */
  readonly waiting?: number
  /** How long commands waited for that in all, in milliseconds. */
  readonly waitedMs?: number
}

/** The state of a store that can be away. */
export interface StoreHealth {
  /** Whether it would answer now, as far as is known without asking it. */
  readonly available: boolean
  /** Of a store that connects: its first connection is still being made, and calls wait for it within their deadline. */
  readonly starting?: boolean
  readonly pool?: PoolHealth
  /** How long it was away since it was made, in milliseconds. */
  readonly outageMs?: number
  /** Of a tiered store: invalidations that wait for the remote. */
  readonly journal?: number
  /** How long the one that has waited longest does, in milliseconds; not there if none waits. */
  readonly journalAgeMs?: number
  /** Of a tiered store: whether the remote is asked (`closed`), not asked (`open`), or asked once to see. */
  readonly breaker?: 'closed' | 'open' | 'half-open'
  /** Of a tiered store: whether what the near tier holds can be trusted, and who serves. */
  readonly state?: TierState
}

/**
 * - `coherent`: both tiers serve, and peers' writes arrive.
 * - `bypass`: the remote answers but its invalidation stream is broken: reads go past the near tier.
 * - `fallback`: the remote is away: the near tier serves alone.
 */
export type TierState = 'coherent' | 'bypass' | 'fallback'

/** Optional: tells whether a remote is there, without asking it. */
export interface Health {
  health(): StoreHealth
}

/** Optional: reports what happens inside to an observer. The `Cache` hands its own down once. */
export interface Observed {
  /** @returns a function that ends the observation */
  observe(observer: Observer): () => void
}

/** Optional: offers a bus on which every write through this store, by any process, is announced. */
export interface Coherent {
  readonly bus: InvalidationBus | undefined
}

/** Optional: what a store promises beyond the contract, so that nobody above it has to see to it. */
export interface Guaranteeing {
  readonly guarantees: {
    /** Every call ends in time by itself, whatever happens to the remote. */
    readonly bounded?: boolean
    /** Writes of one key take effect in the order of the calls, also one that was given up because it took too long. */
    readonly ordered?: boolean
    /** What it confirmed stays confirmed: no restart and no failover brings back what was there before. */
    readonly durable?: boolean
  }
}

const has = (store: object, method: string): boolean =>
  typeof (store as Record<string, unknown>)[method] === 'function'

export const isBatching = <S extends Store>(store: S): store is S & Batching =>
  has(store, 'getMany') && has(store, 'setMany') && has(store, 'deleteMany')
export const isNear = <S extends Store>(store: S): store is S & Near => has(store, 'getFresh')
export const isTouching = <S extends Store>(store: S): store is S & Touching => has(store, 'touch')
export const isReplacing = <S extends Store>(store: S): store is S & Replacing => has(store, 'replace')
export const isTagging = <S extends Store>(store: S): store is S & Tagging => has(store, 'invalidateTags')
export const isChecking = <S extends Store>(store: S): store is S & Checking => has(store, 'check')
export const isEnumerable = <S extends Store>(store: S): store is S & Enumerable => has(store, 'keys')
export const isMeasurable = <S extends Store>(store: S): store is S & Measurable => has(store, 'measure')
export const isRemoving = <S extends Store>(store: S): store is S & Removing => has(store, 'onRemoval')
export const hasHealth = <S extends Store>(store: S): store is S & Health => has(store, 'health')
export const isObserved = <S extends Store>(store: S): store is S & Observed => has(store, 'observe')
export const isCoherent = <S extends Store>(store: S): store is S & Coherent => 'bus' in store
export const isGuaranteeing = <S extends Store>(store: S): store is S & Guaranteeing => 'guarantees' in store
