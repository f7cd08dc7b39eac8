import { randomUUID } from 'node:crypto'
import {
  APPLIED,
  type Batching,
  type BatchRead,
  CacheError,
  type Checking,
  type Coherent,
  type Entry,
  type Enumerable,
  type FillOutcome,
  failed,
  type Guaranteeing,
  guarded,
  type Health,
  type Invalidation,
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
  type StoreOperation,
  SUPERSEDED,
  type Tagging,
  type TierStats,
  type Touching,
  toCacheError,
  type WriteOutcome,
} from '@cache/core'
import { announce } from './bus/announce.ts'
import { channelOf, type VersionedMessage } from './bus/message.ts'
import { PubSub } from './bus/pub-sub.ts'
import { Sender } from './bus/sender.ts'
import { clear } from './clear.ts'
import { watchMasters } from './cluster-masters.ts'
import type { Command } from './connection.ts'
import { EntryCodec } from './entry-codec.ts'
import { EntryWriter } from './entry-writer.ts'
import { Keyspace } from './keyspace.ts'
import { LargeKeys } from './large-keys.ts'
import { Leases } from './leases.ts'
import { Marks } from './marks.ts'
import { type RedisStoreOptions, type ResolvedStoreOptions, resolveStoreOptions } from './options.ts'
import { type Emit, Pool } from './pool.ts'
import { Reader } from './reader.ts'
import { scan } from './scan.ts'
import { ServerOrder } from './server-order.ts'
import { Sweeper } from './sweeper.ts'
import { Tags, type TagsOptions } from './tags.ts'
import { touchCommand } from './touch.ts'
import { Writer } from './writer.ts'

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
  readonly #options: ResolvedStoreOptions
  readonly #observers = new ObserverSet()
  readonly #pool: Pool
  readonly #keys: Keyspace
  readonly #codec: EntryCodec
  readonly #reader: Reader
  readonly #writer: EntryWriter
  readonly #leases: Leases
  readonly #tags: Tags
  readonly #sweeper: Sweeper
  readonly #marks: Marks
  /** What goes along with an invalidation of tags or of a scope. */
  readonly #invalidations: TagsOptions
  readonly #sender: Sender
  readonly #pubSub: PubSub
  #hits = 0
  #misses = 0
  #closed = false

  static {
    // util.inspect shows how its connections are; neither keys, values nor where Redis is.
    inspectable(RedisStore, store => {
      return { name: store.name, state: store.#closed ? 'closed' : 'open', health: store.health() }
    })
  }

  /** @throws CacheError `INVALID_OPTION`; never because the server is away, and never with the URL */
  constructor(options: RedisStoreOptions) {
    this.#options = resolveStoreOptions(options)
    const { prefix, batchSize, readMs, writeMs, clock } = this.#options
    const emit: Emit = event => this.#observers.event(event)
    const tell = (operation: StoreOperation, error: CacheError): void =>
      emit({ type: 'error', store: this.name, operation, error })
    const keys = new Keyspace(prefix)
    const pool = new Pool({
      ...this.#options,
      size: this.#options.poolSize,
      name: this.name,
      emit,
      onServer: (runId, client) => this.#marks.met(runId, client),
    })
    const channel = channelOf(prefix)
    const sender = new Sender(randomUUID(), clock)
    const largeKeys = new LargeKeys()
    const codec = new EntryCodec(this.#options)
    const order = new ServerOrder({
      keys,
      ask: (command, ms) => pool.run('sync', pool.forRead(), ms, command),
      readMs,
      clock,
    })
    const common = { pool, keys, order, largeKeys, codec, channel, sender, readMs, writeMs, clock, batchSize }
    this.#pool = pool
    this.#keys = keys
    this.#marks = new Marks(common)
    if (pool.cluster) watchMasters(pool.cluster, () => this.#marks.metPart())
    this.#codec = codec
    this.#invalidations = common
    this.#reader = new Reader({ ...common, timeoutMs: readMs, onCorrupt: tell })
    this.#leases = new Leases({ ...common, reader: this.#reader })
    this.#tags = new Tags(common)
    const writer = new Writer({ ...common, timeoutMs: writeMs })
    this.#writer = new EntryWriter({ ...common, writer, tags: this.#tags })
    this.#sweeper = new Sweeper({
      ...common,
      run: command => pool.run('clear', pool.forRead(), writeMs, command),
      onError: error => tell('clear', error),
    })
    this.#sender = sender
    this.#pubSub = new PubSub({
      ...common,
      ...this.#options,
      id: sender.id,
      mode: this.#options.busMode,
      publish: invalidation => this.#announce(invalidation),
      onLag: lagMs => emit({ type: 'invalidation', store: this.name, lagMs }),
    })
    this.bus = this.#pubSub
    this.#follow(order)
  }

  async get(key: string, call?: StoreCall): Promise<Entry | undefined> {
    this.#assertOpen()
    const entry = await this.#reader.read(key, call?.deadlineMs)
    this.#count(entry === undefined ? 0 : 1, 1)
    return entry
  }

  /** A chunk of `batchSize` keys that fails is reported in `failures`; the others are found all the same. */
  async getMany(keys: readonly string[], call?: StoreCall): Promise<BatchRead> {
    this.#assertOpen()
    const read = await this.#reader.readMany(keys, call?.deadlineMs)
    this.#count(read.found.size, keys.length - (read.failures?.size ?? 0))
    return read
  }

  /** One round trip whether there is a value or not; two for a stale one, whose lease lies in it. What is there for a while is a placeholder; `delete` takes it away. */
  async getOrLease(key: string, leaseMs: number, freshAt?: number, call?: StoreCall): Promise<LeaseRead> {
    this.#assertOpen()
    const read = await this.#leases.read(key, leaseMs, freshAt, call?.deadlineMs)
    this.#count(read === undefined || isVacant(read) ? 0 : 1, 1)
    return read
  }

  /** One round trip. Without a lease nothing is stored: another process may have written meanwhile. */
  fill(key: string, entry: Entry, lease: Lease | undefined, call?: StoreCall): Promise<FillOutcome> {
    if (this.#closed) return Promise.reject(this.#closedError())
    return lease ? this.#writer.fill(key, entry, lease, call?.deadlineMs) : Promise.resolve(SUPERSEDED)
  }

  /** One round trip. */
  async replace(key: string, entry: Entry, expected: Entry): Promise<FillOutcome> {
    this.#assertOpen()
    return this.#writer.replace(key, entry, expected)
  }

  async renew(key: string, lease: Lease, leaseMs: number): Promise<boolean> {
    this.#assertOpen()
    return this.#leases.renew(key, lease, leaseMs)
  }

  async release(key: string, lease: Lease): Promise<void> {
    this.#assertOpen()
    await this.#leases.release(key, lease)
  }

  check(_key: string, entry: Entry): void {
    this.#codec.check(entry)
  }

  /** @returns `partial` if Redis has the entry but other processes were not told */
  set(key: string, entry: Entry, call?: StoreCall): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#writer.set('set', [[key, entry]], call?.deadlineMs)
  }

  /** @throws CacheError `SERIALIZATION` or `INVALID_VALUE` if a single value is, before any is written */
  setMany(entries: ReadonlyMap<string, Entry>, call?: StoreCall): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#writer.set('setMany', [...entries], call?.deadlineMs)
  }

  delete(key: string, call?: StoreCall): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#writer.remove('delete', [key], call?.deadlineMs)
  }

  deleteMany(keys: readonly string[], call?: StoreCall): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#writer.remove('deleteMany', [...new Set(keys)], call?.deadlineMs)
  }

  /** Nobody is told: other processes keep the entry until the expiry they know, and then read the new one. */
  async touch(
    key: string,
    freshUntil: number,
    expiresAt: number,
    tags: readonly string[] = [],
  ): Promise<WriteOutcome> {
    this.#assertOpen()
    const { writeMs } = this.#options
    const ttlMs = this.#writer.ttlMs({ expiresAt })
    if (ttlMs <= 0) return this.delete(key)
    const command = touchCommand(this.#keys.keyOf(key), { freshUntil, expiresAt, ttlMs })
    try {
      await Promise.all([
        this.#pool.write('touch', this.#pool.routeOf(key, 0), [key], writeMs, command),
        // Their markers have to live as long; a marker that is missing counts for nothing that was there before.
        tags.length > 0 && this.#tags.mark([{ tags, stamp: 0, ttlMs }], this.#options.clock.now() + writeMs),
      ])
      return APPLIED
    } catch (thrown) {
      return failed(toCacheError(thrown, 'STORE', 'the expiry could not be moved'))
    }
  }

  /**
   * Outdates every key that begins with `scope`, and none beside them, in one round trip. What they take in Redis is
   * given back in the background, page by page; if this process ends before, another one finishes that.
   */
  async clear(scope = ''): Promise<WriteOutcome> {
    this.#assertOpen()
    return clear(this.#invalidations, this.#sweeper, scope)
  }

  /**
   * Removes every key under the prefix from Redis, our own ones included, and waits for it: for a prefix that is given up. It
   * takes as long as there are keys. Others who still use the prefix may not notice: to invalidate, use {@link clear}.
   *
   * @throws CacheError `UNAVAILABLE`, `TIMEOUT`, `CONFIGURATION` or `STORE`, with part of the keys removed
   */
  async purge(): Promise<void> {
    this.#assertOpen()
    const { writeMs } = this.#options
    const run = <T>(command: Command<T>): Promise<T> =>
      this.#pool.run('clear', this.#pool.forRead(), writeMs, command)
    await this.#invalidations.order.stamp() // Or it would be asked for, and made, behind our back.
    for await (const page of scan(this.#keys.prefix, run, this.#pool.cluster)) {
      await Promise.all(page.map(key => run(client => client.unlink([key]))))
    }
  }

  /** One round trip, however many entries have the tags. */
  async invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#tags.invalidate(tags)
  }

  /**
   * Some keys may come twice, and those written or removed meanwhile may be missed (SCAN). Among them are keys that are being
   * loaded, and those outdated that have not been swept yet.
   */
  async *keys(scope = ''): AsyncGenerator<string, void, void> {
    const { readMs } = this.#options
    const run = <T>(command: Command<T>): Promise<T> =>
      this.#pool.run('getMany', this.#pool.forRead(), readMs, command)
    for await (const page of scan(this.#keys.keyOf(scope), run, this.#pool.cluster)) {
      for (const redisKey of page) {
        const key = this.#keys.entryKeyOf(redisKey.toString())
        if (key !== undefined) yield key
      }
    }
  }

  /** One round trip. */
  mark(): Promise<number> {
    this.#assertOpen()
    return this.#marks.mark()
  }

  onSetback(listener: (setback: Setback) => void): () => void {
    return this.#marks.onSetback(listener)
  }

  health(): StoreHealth {
    const health = this.#pool.health()
    if (!this.#closed) return health
    const { starting: _, ...rest } = health
    return { ...rest, available: false }
  }

  measure(): readonly TierStats[] {
    const messages = { sent: this.#sender.sent, received: this.#pubSub.received }
    const codec = this.#codec.stats()
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
    this.#sweeper.close()
    await this.bus.close()
    await this.#writer.whenSent()
    await this.#pool.close()
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

  /** The order of invalidations is known as long as the bus brings them all. */
  #follow(order: ServerOrder): void {
    this.bus.subscribe((message: VersionedMessage) => {
      if (message.version === undefined) return
      if (message.type === 'tags') order.noteTags(message.tags, message.version)
      if (message.type === 'clear') order.noteClear(message.scope ?? '', message.version)
      this.#sweeper.watch()
    })
    this.bus.onGap(({ connected }) => {
      order.gap(connected).then(
        () => this.#sweeper.watch(),
        () => {}, // Then every read asks.
      )
    })
  }

  #announce(invalidation: Invalidation): Promise<WriteOutcome> {
    const { pool, channel, sender, writeMs } = this.#invalidations
    return announce({ pool, operation: 'publish', channel, sender, timeoutMs: writeMs }, invalidation)
  }
}
