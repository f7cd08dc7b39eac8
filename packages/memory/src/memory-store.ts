import {
  APPLIED,
  type Batching,
  type BatchRead,
  batchOutcome,
  CacheError,
  type Clock,
  type Codec,
  type Entry,
  type Enumerable,
  failed,
  inspectable,
  isExpired,
  isFreshAt,
  isNegative,
  type Measurable,
  type Near,
  type Removal,
  type Removing,
  type Store,
  systemClock,
  type Tagging,
  TagLog,
  type TierStats,
  type Touching,
  toCacheError,
  type WarmUpItem,
  type WriteOutcome,
} from '@cache/core'
import { BoundedMap } from './bounded-map.ts'
import { type Copier, type CopyMode, copierOf } from './copy.ts'
import type { PolicyName, PolicyType } from './policies/index.ts'

export interface MemoryStoreOptions {
  /** Most entries it holds: 1 to 15,000,000. Default 10,000. */
  readonly maxItems?: number
  /** Most bytes its entries take by the estimate of `estimateBytes`, at least 1. Default: no such bound. */
  readonly maxBytes?: number
  /** Who leaves when there is no more room: a name, or a class of your own. Default `'lru'`. */
  readonly policy?: PolicyName | PolicyType
  /** Protection of cached objects against being changed. Default `'none'`. */
  readonly copy?: CopyMode
  /**
   * Keeps values as the bytes this makes of them (serialized, compressed): less heap, a bound on bytes that is all but
   * exact, and no object that anybody could change. Every hit decodes. Default: values are kept as they are.
   */
  readonly codec?: Codec
  /** Time. Default: the machine's. */
  readonly clock?: Clock
}

/**
 * A store in this process. It answers at once: no method returns a promise, and with `copy: 'none'` a hit hands out
 * the very entry that was stored.
 *
 * Once closed, it refuses every read and write with `CLOSED`.
 */
export class MemoryStore
  implements Store, AsyncDisposable, Near, Batching, Tagging, Touching, Enumerable, Measurable, Removing
{
  readonly name: 'memory' = 'memory'
  readonly #map: BoundedMap<string, Entry>
  readonly #maxBytes: number | undefined
  readonly #codec: Codec | undefined
  readonly #copier: Copier
  readonly #clock: Clock
  readonly #tags = new TagLog()
  /** When those entries that have tags were stored, in the order of {@link #tags}. */
  readonly #storedAt = new WeakMap<Entry, number>()
  readonly #removalListeners = new Set<(removal: Removal) => void>()
  #hits = 0
  #misses = 0
  #closed = false

  /** @throws CacheError `INVALID_OPTION` naming the option, the value received and what is accepted */
  constructor(options: MemoryStoreOptions = {}) {
    const { maxItems = 10_000, maxBytes, policy = 'lru', copy, codec, clock = systemClock } = options
    this.#map = new BoundedMap({
      maxItems,
      policy,
      ...(maxBytes !== undefined && { maxBytes }),
      // The map looks at the machine's clock less often than at one that was given.
      ...(options.clock && { clock }),
    })
    this.#maxBytes = maxBytes
    this.#codec = codec
    this.#copier = copierOf(copy, codec)
    this.#clock = clock
    inspectable(MemoryStore, store => store.#facts())
  }

  getFresh(key: string, freshAt: number): Entry | undefined {
    this.#assertOpen()
    const stored = this.#map.get(key)
    if (stored === undefined || !isFreshAt(stored, freshAt)) return undefined
    if (stored.tags !== undefined && this.#isOutdated(stored)) return undefined
    const entry = this.#copier.load(stored)
    this.#hits++
    return entry
  }

  get(key: string): Entry | undefined {
    this.#assertOpen()
    const entry = this.#map.get(key)
    if (entry === undefined) {
      this.#misses++
      return undefined
    }
    if (entry.tags !== undefined && this.#isOutdated(entry)) {
      this.#map.delete(key)
      this.#misses++
      return undefined
    }
    this.#hits++
    return this.#copier.load(entry)
  }

  /** `failed` with `INVALID_VALUE` for an entry larger than `maxBytes`; what the key held before is gone then. */
  set(key: string, entry: Entry): WriteOutcome {
    this.#assertOpen()
    const stored = this.#copier.store(entry.tags === undefined ? entry : { ...entry })
    if (stored.tags !== undefined) this.#storedAt.set(stored, this.#tags.now)
    if (this.#map.setUntil(key, stored, entry.expiresAt)) return APPLIED
    if (isExpired(entry, this.#clock.now())) return APPLIED
    return failed(
      new CacheError(
        'INVALID_VALUE',
        'the entry is larger than the maxBytes of the memory store: raise maxBytes, or store less under one key',
      ),
    )
  }

  delete(key: string): WriteOutcome {
    this.#assertOpen()
    this.#map.delete(key)
    return APPLIED
  }

  clear(scope?: string): WriteOutcome {
    this.#assertOpen()
    if (scope === undefined || scope === '') this.#map.clear()
    else for (const key of this.keys(scope)) this.#map.delete(key)
    return APPLIED
  }

  /** What it outdates is removed when it is next asked for, or its time is up, or room is needed. */
  invalidateTags(tags: readonly string[]): WriteOutcome {
    this.#assertOpen()
    this.#tags.invalidate(tags)
    return APPLIED
  }

  close(): void {
    this.#closed = true
    this.#map.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  getMany(keys: readonly string[]): BatchRead {
    this.#assertOpen()
    const found = new Map<string, Entry>()
    for (const key of keys) {
      const entry = this.get(key)
      if (entry !== undefined) found.set(key, entry)
    }
    return { found }
  }

  setMany(entries: ReadonlyMap<string, Entry>): WriteOutcome {
    this.#assertOpen()
    const failures = new Map<string, CacheError>()
    for (const [key, entry] of entries) {
      const error = this.#trySet(key, entry)
      if (error) failures.set(key, error)
    }
    return batchOutcome(entries.size, failures)
  }

  deleteMany(keys: readonly string[]): WriteOutcome {
    this.#assertOpen()
    for (const key of keys) this.delete(key)
    return APPLIED
  }

  touch(key: string, freshUntil: number, expiresAt: number): WriteOutcome {
    this.#assertOpen()
    const entry = this.#map.peek(key)
    if (entry === undefined) return APPLIED
    const later = {
      ...entry,
      freshUntil: Math.max(entry.freshUntil, freshUntil),
      expiresAt: Math.max(entry.expiresAt, expiresAt),
    }
    if (entry.tags !== undefined) this.#storedAt.set(later, this.#storedAt.get(entry) ?? 0)
    this.#map.amend(key, later, later.expiresAt)
    return APPLIED
  }

  /** Next to be evicted first. */
  keys(scope = ''): IterableIterator<string> {
    this.#assertOpen()
    return this.#keysIn(scope)
  }

  /**
   * What is fresh now, next to be evicted first, as items that `cache.warm` takes after a restart: by their whole keys, until when
   * they were fresh. With values that survive JSON it can be kept in a file. That something is known not to exist is left out.
   */
  *snapshot(): Generator<WarmUpItem, void, void> {
    this.#assertOpen()
    const now = this.#clock.now()
    for (const [key, stored] of this.#map.entries()) {
      if (stored.freshUntil <= now || this.#isOutdated(stored)) continue
      const entry = this.#copier.load(stored)
      if (isNegative(entry)) continue
      const { value, freshUntil, tags, metadata } = entry
      yield { key, value, freshUntil, ...(tags && { tags }), ...(metadata && { metadata }) }
    }
  }

  measure(): readonly TierStats[] {
    const { size: items, maxItems, bytes, evictions, evictionsForBytes, expirations } = this.#map
    const codec = this.#codec?.stats?.()
    return [
      {
        tier: this.name,
        items,
        maxItems,
        ...(this.#maxBytes !== undefined && { bytes, maxBytes: this.#maxBytes }),
        hits: this.#hits,
        misses: this.#misses,
        evictions,
        evictionsForBytes,
        expirations,
        ...(codec && { codec }),
      },
    ]
  }

  /** Entries that were deleted, replaced, cleared or outdated by a tag are not told. */
  onRemoval(listener: (removal: Removal) => void): () => void {
    const listeners = this.#removalListeners
    listeners.add(listener)
    if (listeners.size === 1) {
      this.#map.onRemove = (key, _, cause) => {
        if (cause === 'evicted' || cause === 'expired') this.#tellRemoval({ key, tier: this.name, cause })
      }
    }
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#map.onRemove = undefined
    }
  }

  /** All listeners, also behind one that throws: that the map reports. */
  #tellRemoval(removal: Removal): void {
    const errors: unknown[] = []
    for (const listener of this.#removalListeners) {
      try {
        listener(removal)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  #isOutdated(stored: Entry): boolean {
    return this.#tags.isOutdated(stored.tags, this.#storedAt.get(stored) ?? 0)
  }

  *#keysIn(scope: string): IterableIterator<string> {
    for (const key of this.#map.keys()) if (key.startsWith(scope)) yield key
  }

  #trySet(key: string, entry: Entry): CacheError | undefined {
    try {
      return this.set(key, entry).error
    } catch (thrown) {
      return toCacheError(thrown, 'STORE', 'the memory store could not keep the entry')
    }
  }

  /** What util.inspect shows: how much it holds; neither keys nor values. */
  #facts(): object {
    const { size: items, bytes } = this.#map
    const state = this.#closed ? 'closed' : 'open'
    return { state, items, bytes: this.#maxBytes === undefined ? undefined : bytes }
  }

  #assertOpen(): void {
    if (this.#closed) throw new CacheError('CLOSED', 'the memory store is closed')
  }
}
