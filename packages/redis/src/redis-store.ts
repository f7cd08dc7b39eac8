import {
  type Batching,
  type BatchRead,
  CacheError,
  type Checking,
  type Coherent,
  type Entry,
  type Enumerable,
  type FillOutcome,
  type Guaranteeing,
  guarded,
  type Health,
  type InvalidationBus,
  inspectable,
  isVacant,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Marking,
  type Measurable,
  type Observed,
  type Observer,
  ObserverSet,
  type Replacing,
  type Setback,
  type Store,
  type StoreCall,
  type StoreHealth,
  SUPERSEDED,
  type Tagging,
  type TierStats,
  type Touching,
  type WriteOutcome,
} from '@cache/core'
import { clear } from './clear.ts'
import { type RedisStoreOptions, resolveStoreOptions } from './options.ts'
import { partsOf, type StoreParts } from './store-parts.ts'
import { touch } from './touch.ts'
import { keysIn, purge } from './walk.ts'

/**
 * A store in Redis: a single server, 5.0 or newer, or one that speaks its protocol. Every command ends within
 * its deadline, whatever the server does; every write announces its keys to other processes in the same round
 * trip. Close it when done: until then its connections keep the process alive.
 *
 * A read that cannot be answered rejects with a `CacheError`: `UNAVAILABLE`, `TIMEOUT`, `CONFIGURATION` or
 * `STORE`. A write that cannot be done says so in its outcome; only `SERIALIZATION`, `INVALID_VALUE` and, after `close`,
 * `CLOSED` are thrown, at once and before anything is sent.
 */
export class RedisStore
  implements
    Store,
    AsyncDisposable,
    Batching,
    Leasing,
    Tagging,
    Touching,
    Checking,
    Enumerable,
    Health,
    Observed,
    Coherent,
    Guaranteeing,
    Measurable,
    Marking,
    Replacing
{
  readonly name: 'redis' = 'redis'
  readonly guarantees: Guaranteeing['guarantees'] = { bounded: true, ordered: true }
  /** Announces what this store writes, and hears what others write under the same prefix; closed with it. */
  readonly bus: InvalidationBus
  readonly #observers = new ObserverSet()
  readonly #parts: StoreParts
  #hits = 0
  #misses = 0
  #closed = false

  /** @throws CacheError `INVALID_OPTION`; never because the server is away, and never with the URL */
  constructor(options: RedisStoreOptions) {
    this.#parts = partsOf(this.name, resolveStoreOptions(options), event => this.#observers.event(event))
    this.bus = this.#parts.stream
    // util.inspect shows how its connections are; neither keys, values nor where Redis is.
    inspectable(RedisStore, store => {
      return { name: store.name, state: store.#closed ? 'closed' : 'open', health: store.health() }
    })
  }

  async get(key: string, call?: StoreCall): Promise<Entry | undefined> {
    this.#assertOpen()
    const entry = await this.#parts.reader.read(key, call?.deadlineMs)
    this.#count(entry === undefined ? 0 : 1, 1)
    return entry
  }

  /** A chunk of `batchSize` keys that fails is reported in `failures`; the others are found all the same. */
  async getMany(keys: readonly string[], call?: StoreCall): Promise<BatchRead> {
    this.#assertOpen()
    const read = await this.#parts.reader.readMany(keys, call?.deadlineMs)
    this.#count(read.found.size, keys.length - (read.failures?.size ?? 0))
    return read
  }

  /** One round trip whether there is a value or not; two for a stale one, whose lease lies in it. What is there for a while is a placeholder; `delete` takes it away. */
  async getOrLease(key: string, leaseMs: number, freshAt?: number, call?: StoreCall): Promise<LeaseRead> {
    this.#assertOpen()
    const read = await this.#parts.leases.read(key, leaseMs, freshAt, call?.deadlineMs)
    this.#count(read === undefined || isVacant(read) ? 0 : 1, 1)
    return read
  }

  /** One round trip. Without a lease nothing is stored: another process may have written meanwhile. */
  fill(key: string, entry: Entry, lease: Lease | undefined, call?: StoreCall): Promise<FillOutcome> {
    if (this.#closed) return Promise.reject(this.#closedError())
    return lease ? this.#parts.writer.fill(key, entry, lease, call?.deadlineMs) : Promise.resolve(SUPERSEDED)
  }

  /** One round trip. */
  async replace(key: string, entry: Entry, expected: Entry): Promise<FillOutcome> {
    this.#assertOpen()
    return this.#parts.writer.replace(key, entry, expected)
  }

  async renew(key: string, lease: Lease, leaseMs: number): Promise<boolean> {
    this.#assertOpen()
    return this.#parts.leases.renew(key, lease, leaseMs)
  }

  async release(key: string, lease: Lease): Promise<void> {
    this.#assertOpen()
    await this.#parts.leases.release(key, lease)
  }

  check(_key: string, entry: Entry): void {
    this.#parts.codec.check(entry)
  }

  /** @returns `partial` if Redis has the entry but other processes were not told */
  set(key: string, entry: Entry, call?: StoreCall): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#parts.writer.set('set', [[key, entry]], call?.deadlineMs)
  }

  /** @throws CacheError `SERIALIZATION` or `INVALID_VALUE` if a single value is, before any is written */
  setMany(entries: ReadonlyMap<string, Entry>, call?: StoreCall): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#parts.writer.set('setMany', [...entries], call?.deadlineMs)
  }

  delete(key: string, call?: StoreCall): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#parts.writer.remove('delete', [key], call?.deadlineMs)
  }

  deleteMany(keys: readonly string[], call?: StoreCall): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#parts.writer.remove('deleteMany', [...new Set(keys)], call?.deadlineMs)
  }

  /** Nobody is told: other processes keep the entry until the expiry they know, and then read the new one. */
  async touch(
    key: string,
    freshUntil: number,
    expiresAt: number,
    tags: readonly string[] = [],
  ): Promise<WriteOutcome> {
    this.#assertOpen()
    if (this.#parts.writer.ttlMs({ expiresAt }) <= 0) return this.delete(key)
    return touch(this.#parts, key, { freshUntil, expiresAt, tags })
  }

  /**
   * Outdates every key that begins with `scope`, and none beside them, in one round trip. What they take in Redis is
   * given back in the background, page by page; if this process ends before, another one finishes that.
   */
  async clear(scope = ''): Promise<WriteOutcome> {
    this.#assertOpen()
    return clear(this.#parts, this.#parts.sweeper, scope)
  }

  /**
   * Removes every key under the prefix from Redis, our own ones included, and waits for it: for a prefix that is given up. It
   * takes as long as there are keys. Others who still use the prefix may not notice: to invalidate, use {@link clear}.
   *
   * @throws CacheError `UNAVAILABLE`, `TIMEOUT`, `CONFIGURATION` or `STORE`, with part of the keys removed
   */
  async purge(): Promise<void> {
    this.#assertOpen()
    await purge(this.#parts)
  }

  /** One round trip, however many entries have the tags. */
  async invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#parts.tags.invalidate(tags)
  }

  /**
   * Some keys may come twice, and those written or removed meanwhile may be missed (SCAN). Among them are keys that are being
   * loaded, and those outdated that have not been swept yet.
   */
  keys(scope = ''): AsyncGenerator<string, void, void> {
    return keysIn(this.#parts, scope)
  }

  /** One round trip. */
  mark(): Promise<number> {
    this.#assertOpen()
    return this.#parts.marks.mark()
  }

  onSetback(listener: (setback: Setback) => void): () => void {
    return this.#parts.marks.onSetback(listener)
  }

  health(): StoreHealth {
    const health = this.#parts.pool.health()
    if (!this.#closed) return health
    const { starting: _, ...rest } = health
    return { ...rest, available: false }
  }

  measure(): readonly TierStats[] {
    const messages = { sent: this.#parts.sender.sent, received: this.#parts.stream.received }
    const codec = this.#parts.codec.stats()
    return [{ tier: this.name, hits: this.#hits, misses: this.#misses, codec, messages }]
  }

  observe(observer: Observer): () => void {
    return this.#observers.add(guarded(observer))
  }

  /**
   * Waits for the commands that run, each of which ends by its deadline; a `client` of yours stays open. What Redis has
   * not answered by then, and may yet carry out or not, is told to observers.
   */
  async close(): Promise<void> {
    this.#closed = true
    this.#parts.sweeper.close()
    await this.bus.close()
    await this.#parts.writer.whenSent()
    await this.#parts.pool.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #count(hits: number, reads: number): void {
    this.#hits += hits
    this.#misses += reads - hits
  }

  #assertOpen(): void {
    if (this.#closed) throw this.#closedError()
  }

  #closedError(): CacheError {
    return new CacheError('CLOSED', `the ${this.name} store is closed`)
  }
}
