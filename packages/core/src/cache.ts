import {
  assertKeys,
  assertMetadata,
  assertSource,
  assertStore,
  assertValue,
  pairs,
  prefixOf,
  toItem,
  toTags,
} from './arguments.ts'
import { type Awaitable, chain, isPending } from './awaitable.ts'
import { deleteMany, readMany, setMany } from './batch.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Duration, toMilliseconds } from './duration.ts'
import { Engine, type EntryOptions } from './engine.ts'
import type { Entry, Metadata } from './entry.ts'
import { CacheError, invalidOption } from './errors.ts'
import type { CacheEvents } from './events.ts'
import { assertKey } from './key.ts'
import type { Observer } from './observer.ts'
import { integer } from './options.ts'
import type { WriteOutcome, WriteStatus } from './outcome.ts'
import { type Loader, readThrough } from './read-through.ts'
import { type ManyLoader, readThroughMany } from './read-through-many.ts'
import { readSliding } from './slide.ts'
import type { CacheStats } from './stats.ts'
import type { Store, StoreHealth } from './store.ts'
import { warm } from './warm.ts'
import type { WarmUpItem, WarmUpProgress } from './warm-up.ts'

export interface CacheOptions {
  /** Where entries live. The cache owns it: closing the cache closes it. */
  readonly store: Store
  /** Names this cache in metrics and errors. @default 'cache' */
  readonly name?: string
  /** Puts all keys under this namespace, see {@link Cache.namespace}. @default none */
  readonly namespace?: string
  /** How long values live unless a call says otherwise. @default 300 (seconds) */
  readonly ttl?: Duration
  /** Keys a store is asked for at once. An integer >= 1. @default 100 */
  readonly batchSize?: number
  /**
   * How long a read waits for another process that loads the same key before it loads by itself, over a store that knows
   * (Redis). @default '5s'
   */
  readonly leaseWait?: Duration
  /** Where telemetry goes; it is handed down to the store. @default none */
  readonly observer?: Observer
  /** @default the machine's clock */
  readonly clock?: Clock
}

export interface GetOptions {
  /** Sliding expiry: a hit lives at least this long from now; it is never shortened. */
  readonly ttl?: Duration
}

export interface SetOptions {
  /** How long the value lives. @default the cache's ttl */
  readonly ttl?: Duration
  /** Names by which the value can be invalidated together with others: {@link Cache.invalidateTags}. At most 100. */
  readonly tags?: readonly string[]
  /** A plain object to keep beside the value; `getEntry` returns it. */
  readonly metadata?: Metadata
}

export interface LoadOptions {
  /** How long a loaded value lives. @default the cache's ttl */
  readonly ttl?: Duration
  /** Tags of a loaded value, as of {@link SetOptions.tags}. */
  readonly tags?: readonly string[]
}

/** Values by key, for writing: an object, a `Map`, or any iterable of pairs. */
export type Items<V> = Readonly<Record<string, V>> | Iterable<readonly [key: string, value: V]>

/** Values or items to warm a cache with. */
export type WarmUpSource<V> =
  | Iterable<WarmUpItem<V> | readonly [key: string, value: V]>
  | AsyncIterable<WarmUpItem<V> | readonly [key: string, value: V]>

const DEFAULT_TTL = 300
const DEFAULT_BATCH_SIZE = 100
const DEFAULT_LEASE_WAIT = '5s'

/**
 * A read-through cache over a {@link Store}. Bad input rejects with a `CacheError` before anything is written. A
 * store that fails is a miss for a read and says so in the outcome of a write: it never rejects into the caller.
 */
export class Cache<V = unknown> implements AsyncDisposable {
  readonly #engine: Engine
  readonly #prefix: string
  /** Milliseconds. */
  readonly #ttl: number
  /** Of what is written without options. */
  readonly #defaults: EntryOptions
  readonly #batchSize: number

  /** @throws CacheError `INVALID_OPTION`, `INVALID_TTL` */
  constructor(options: CacheOptions) {
    const inherited = views.get(options)
    assertStore(options.store)
    this.#ttl = toMilliseconds(options.ttl ?? DEFAULT_TTL, 'ttl', 'INVALID_TTL')
    this.#defaults = { ttl: this.#ttl }
    this.#batchSize = integer(options.batchSize ?? DEFAULT_BATCH_SIZE, 'batchSize', 1)
    this.#prefix = inherited?.prefix ?? (options.namespace === undefined ? '' : prefixOf(options.namespace))
    this.#engine =
      inherited?.engine ??
      new Engine({
        name: options.name ?? 'cache',
        store: options.store,
        clock: options.clock ?? systemClock,
        observer: options.observer,
        leaseWait: toMilliseconds(options.leaseWait ?? DEFAULT_LEASE_WAIT, 'leaseWait'),
      })
  }

  get name(): string {
    return this.#engine.name
  }

  /** The key as the store and the events see it: with the prefix of its namespace. @throws CacheError `INVALID_KEY` */
  address(key: string): string {
    assertKey(key)
    return this.#prefix === '' ? key : this.#prefix + key
  }

  /**
   * The value of a key, or `undefined`.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `CLOSED`
   */
  get<T extends V = V>(key: string, options?: GetOptions): Promise<T | undefined> {
    const found = this.#find(key, options)
    if (isPending(found)) return found.then(entry => entry?.value as T | undefined)
    return Promise.resolve(found?.value as T | undefined)
  }

  /** The value of a key with its times and metadata, or `undefined`. Otherwise as {@link get}. */
  async getEntry<T extends V = V>(key: string): Promise<Entry<T> | undefined> {
    return (await this.#find(key)) as Entry<T> | undefined
  }

  /** Whether a key has a value. Counts neither as hit nor as miss. @throws CacheError `INVALID_KEY`, `CLOSED` */
  async has(key: string): Promise<boolean> {
    return (await this.#engine.read(this.#open(key))) !== undefined
  }

  /**
   * Writes a value. `undefined` is refused: it means "not found".
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_VALUE`, `SERIALIZATION`, `CLOSED`
   */
  async set(key: string, value: V, options?: SetOptions): Promise<WriteOutcome> {
    const address = this.#open(key)
    const entry = this.#entry(value, options)
    const { events, store } = this.#engine
    this.#engine.invalidate(address)
    const outcome = await this.#engine.write('set', () => store.set(address, entry))
    this.#engine.sets++
    events.emit('set', { key: address, status: outcome.status })
    return outcome
  }

  /**
   * Whether {@link set} would take a value: throws what it would reject with, and writes nothing.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_VALUE`, `SERIALIZATION`
   */
  check(key: string, value: V, options?: SetOptions): void {
    const address = this.address(key)
    const entry = this.#entry(value, options)
    this.#engine.checking?.check(address, entry)
  }

  /** Removes a key; `applied` also when there was nothing. @throws CacheError `INVALID_KEY`, `CLOSED` */
  async delete(key: string): Promise<WriteOutcome> {
    const address = this.#open(key)
    const { events, store } = this.#engine
    this.#engine.invalidate(address)
    const outcome = await this.#engine.write('delete', () => store.delete(address))
    this.#engine.deletes++
    events.emit('delete', { key: address, status: outcome.status })
    return outcome
  }

  /**
   * The values of those keys that have one, in the order of `keys`.
   *
   * @throws CacheError `INVALID_KEY`, `CLOSED`
   */
  async getMany<T extends V = V>(keys: Iterable<string>): Promise<Map<string, T>> {
    const addresses = this.#addresses(keys)
    const found = await readMany(this.#engine, [...addresses.keys()], this.#batchSize)
    const values = new Map<string, T>()
    for (const [address, key] of addresses) {
      const entry = found.get(address)
      if (entry) values.set(key, entry.value as T)
      if (entry) this.#engine.hit(address)
      else this.#engine.miss(address)
    }
    return values
  }

  /**
   * Writes many values; `options` go for all of them. All are checked before anything is written, values as far as
   * the store can tell beforehand; one that it refuses later is among the `failures`.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_VALUE`, `SERIALIZATION`, `CLOSED`
   */
  async setMany(items: Items<V>, options?: SetOptions): Promise<WriteOutcome> {
    this.#engine.assertOpen()
    const entries = new Map<string, Entry>()
    for (const [key, value] of pairs(items)) entries.set(this.address(key), this.#entry(value, options))
    // A single chunk is checked by the store as it writes it.
    if (entries.size > this.#batchSize) {
      for (const [address, entry] of entries) this.#engine.checking?.check(address, entry)
    }
    return this.#write(entries)
  }

  /** Removes many keys. @throws CacheError `INVALID_KEY`, `CLOSED` */
  async deleteMany(keys: Iterable<string>): Promise<WriteOutcome> {
    const addresses = [...this.#addresses(keys).keys()]
    const outcome = await deleteMany(this.#engine, addresses, this.#batchSize)
    this.#engine.deletes += addresses.length
    this.#tellEach('delete', addresses, outcome)
    return this.#named(outcome)
  }

  /**
   * The value of a key; if there is none, what `loader` gets, stored for the next. Calls for one key share one
   * loader. What a loader throws goes to all who wait for it; `undefined` from it means not found and is not
   * stored. A value loaded before the key was written or removed is returned but not stored.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_OPTION`, `CLOSED`, and whatever `loader` throws
   */
  getOrSet<T extends V>(key: string, loader: Loader<T>, options?: LoadOptions): Promise<T> {
    try {
      const address = this.#open(key)
      if (typeof loader !== 'function') throw invalidOption('loader', loader, 'a function')
      return readThrough(this.#engine, { address, key, loader, options: this.#entryOptions(options) })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The values of many keys; `loadMissing` is called once with those that have none. Keys that single calls are
   * loading are shared with them. A key without a value in what it returns was not found.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_OPTION`, `CLOSED`, and whatever `loadMissing` throws
   */
  async getOrSetMany<T extends V>(
    keys: Iterable<string>,
    loadMissing: ManyLoader<T>,
    options?: LoadOptions,
  ): Promise<Map<string, T>> {
    const addresses = this.#addresses(keys)
    if (typeof loadMissing !== 'function') throw invalidOption('loadMissing', loadMissing, 'a function')
    const entryOptions = this.#entryOptions(options)
    return readThroughMany(this.#engine, {
      addresses,
      loadMissing,
      options: entryOptions,
      batchSize: this.#batchSize,
    })
  }

  /** Removes everything in this cache or, of a namespace, everything in it. @throws CacheError `CLOSED` */
  async clear(): Promise<WriteOutcome> {
    this.#engine.assertOpen()
    const { events, store } = this.#engine
    const scope = this.#prefix
    this.#engine.invalidateScope(scope)
    const outcome = await this.#engine.write('clear', () =>
      scope === '' ? store.clear() : store.clear(scope),
    )
    events.emit('clear', { scope, status: outcome.status })
    return outcome
  }

  /**
   * Outdates every value that has one of the tags and was written, or began to be loaded, before this call: in this cache, its
   * namespaces, and everything else over the same store. Takes as long as one write, however many values there are.
   *
   * @throws CacheError `INVALID_OPTION`, also over a store that keeps no tags, `CLOSED`
   */
  async invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    this.#engine.assertOpen()
    const unique = toTags(tags)
    const tagging = this.#assertTagging()
    this.#engine.invalidateTags(unique)
    return this.#engine.write('invalidateTags', () => tagging.invalidateTags(unique))
  }

  /**
   * Writes the values of a source, a batch at a time. An item that is not valid counts as failed and does not
   * stop the others.
   *
   * @throws CacheError `INVALID_OPTION`, `CLOSED`, and whatever the source throws
   */
  async warm(source: WarmUpSource<V>): Promise<WarmUpProgress> {
    this.#engine.assertOpen()
    assertSource(source)
    return warm(this.#engine, {
      source,
      batchSize: this.#batchSize,
      prepare: item => {
        const { key, value, ...options } = toItem(item)
        return [this.address(key), this.#entry(value, options)]
      },
      write: entries => this.#write(entries),
    })
  }

  /** What this cache and its namespaces did so far: a plain snapshot. */
  stats(): CacheStats {
    return this.#engine.stats()
  }

  /** The state of the store; `undefined` when it cannot be away. */
  health(): StoreHealth | undefined {
    return this.#engine.health()
  }

  /**
   * A view of this cache in which every key begins with `name` and a colon: `namespace('users')` keeps key `7`
   * as `users:7`. Namespaces nest, and `clear()` of one removes only what is in it. Store, loads, statistics and
   * events are shared; `close()` closes the cache.
   *
   * @param name 1 or more characters without `:`
   * @throws CacheError `INVALID_OPTION`, `INVALID_TTL`
   */
  namespace<W extends V = V>(name: string, options: { readonly ttl?: Duration } = {}): Cache<W> {
    const { store } = this.#engine
    const view: CacheOptions = {
      store,
      ttl: options.ttl ?? `${this.#ttl}ms`,
      batchSize: this.#batchSize,
    }
    views.set(view, { engine: this.#engine, prefix: this.#prefix + prefixOf(name) })
    return new Cache<W>(view)
  }

  /**
   * Calls `listener` at every event of a type, until the returned function is called. What a listener throws is
   * dropped.
   */
  on<K extends keyof CacheEvents>(type: K, listener: (event: CacheEvents[K]) => void): () => void {
    return this.#engine.events.on(type, listener)
  }

  /** Closes the store. Later calls reject with `CLOSED`; loads under way still answer their callers. */
  close(): Promise<void> {
    return this.#engine.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Looks a key up and counts; bad input rejects. Nothing is awaited for a value at hand. */
  #find(key: string, options?: GetOptions): Awaitable<Entry | undefined> {
    try {
      const address = this.#open(key)
      const ttl = options?.ttl === undefined ? 0 : toMilliseconds(options.ttl, 'ttl', 'INVALID_TTL')
      const found = ttl === 0 ? this.#engine.read(address) : readSliding(this.#engine, address, ttl)
      return chain(found, entry => {
        if (entry) this.#engine.hit(address)
        else this.#engine.miss(address)
        return entry
      })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #open(key: string): string {
    this.#engine.assertOpen()
    return this.address(key)
  }

  /** Whole keys, each once, with the key the caller gave. */
  #addresses(keys: Iterable<string>): Map<string, string> {
    this.#engine.assertOpen()
    assertKeys(keys)
    const addresses = new Map<string, string>()
    for (const key of keys) addresses.set(this.address(key), key)
    return addresses
  }

  #ttlOf(options: { readonly ttl?: Duration } | undefined): number {
    return options?.ttl === undefined ? this.#ttl : toMilliseconds(options.ttl, 'ttl', 'INVALID_TTL')
  }

  #entry(value: unknown, options: SetOptions | undefined): Entry {
    assertValue(value)
    assertMetadata(options?.metadata)
    return this.#engine.entry(value, this.#entryOptions(options))
  }

  #entryOptions(options: SetOptions | undefined): EntryOptions {
    if (options === undefined) return this.#defaults
    const ttl = this.#ttlOf(options)
    if (options.tags === undefined) return { ttl, metadata: options.metadata }
    const tags = toTags(options.tags)
    if (tags.length > 0) this.#assertTagging()
    return { ttl, tags: tags.length > 0 ? tags : undefined, metadata: options.metadata }
  }

  #assertTagging(): NonNullable<Engine['tagging']> {
    const { tagging, store } = this.#engine
    if (tagging) return tagging
    throw new CacheError(
      'INVALID_OPTION',
      `tags need a store that keeps them; the store ${store.name} does not`,
    )
  }

  async #write(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    const outcome = await setMany(this.#engine, entries, this.#batchSize)
    this.#engine.sets += entries.size
    this.#tellEach('set', entries.keys(), outcome)
    return this.#named(outcome)
  }

  #tellEach(type: 'set' | 'delete', addresses: Iterable<string>, { status, failures }: WriteOutcome): void {
    const { events } = this.#engine
    if (!events.has(type)) return
    const others: WriteStatus = failures ? 'applied' : status
    for (const key of addresses) events.emit(type, { key, status: failures?.has(key) ? 'failed' : others })
  }

  /** An outcome with its keys as the caller gave them. */
  #named(outcome: WriteOutcome): WriteOutcome {
    const { failures } = outcome
    if (!failures || this.#prefix === '') return outcome
    const named = new Map<string, CacheError>()
    for (const [address, error] of failures) named.set(address.slice(this.#prefix.length), error)
    return { ...outcome, failures: named }
  }
}

/** How a namespace reaches the cache it is a view of, without a constructor that users could misuse. */
const views = new WeakMap<CacheOptions, { readonly engine: Engine; readonly prefix: string }>()
