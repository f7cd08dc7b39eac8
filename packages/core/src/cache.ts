import type {
  CacheOptions,
  CallOptions,
  GetOptions,
  Items,
  LoadOptions,
  NamespaceOptions,
  SchemaOption,
  SetOptions,
  WriteOptions,
} from './cache-options.ts'
import type { Engine } from './engine.ts'
import { runsOn } from './engine-of.ts'
import type { Entry } from './entry.ts'
import { invalidOption } from './errors.ts'
import type { CacheEvents } from './events.ts'
import { inspectable, sizesOf } from './inspect.ts'
import type { Loader } from './load-context.ts'
import { deleteMany, getMany, getOrSetMany, setMany } from './many.ts'
import type { ManyLoader } from './many-loader.ts'
import type { WriteOutcome } from './outcome.ts'
import * as reads from './reads.ts'
import type { CacheReport } from './stats.ts'
import { isMeasurable, type StoreHealth } from './store.ts'
import { View } from './view.ts'
import type {
  WarmUpKeys,
  WarmUpLoadOptions,
  WarmUpProgress,
  WarmUpSource,
  WarmUpWriteOptions,
} from './warm-options.ts'
import { warm } from './warm-view.ts'
import { type Settled, type WrapOptions, type Wrapped, wrap } from './wrap.ts'
import * as writes from './writes.ts'

/**
 * A read-through cache over a `Store`. Bad input rejects with a `CacheError` before anything is written. A
 * store that fails is a miss for a read and says so in the outcome of a write: it never rejects into the caller.
 */
export class Cache<V = unknown> implements AsyncDisposable {
  readonly #view: View
  readonly #engine: Engine

  /** @throws CacheError `INVALID_OPTION`, `INVALID_TTL` */
  constructor(options: CacheOptions & SchemaOption<V>) {
    this.#view = views.get(options) ?? View.of(options)
    this.#engine = this.#view.engine
    runsOn(this, this.#engine)
    inspectable(Cache, cache => cache.#facts())
  }

  get name(): string {
    return this.#engine.name
  }

  /** The key as the store and the events see it: with the prefix of its namespace. @throws CacheError `INVALID_KEY` */
  address(key: string): string {
    return this.#view.address(key)
  }

  /**
   * The value of a key if it is fresh, or `undefined`.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_OPTION`, `CLOSED`
   */
  get<T extends V = V>(key: string, options?: GetOptions): Promise<T | undefined> {
    return reads.get(this.#view, key, options) as Promise<T | undefined>
  }

  /** The value of a key with its times and metadata, also if it is stale, or `undefined`. Otherwise as {@link get}. */
  getEntry<T extends V = V>(key: string, options?: CallOptions): Promise<Entry<T> | undefined> {
    return reads.getEntry(this.#view, key, options) as Promise<Entry<T> | undefined>
  }

  /** Whether a key has a fresh value. Counts neither as hit nor as miss. @throws CacheError `INVALID_KEY`, `INVALID_OPTION`, `CLOSED` */
  has(key: string, options?: CallOptions): Promise<boolean> {
    return reads.has(this.#view, key, options)
  }

  /**
   * Writes a value. `undefined` is refused: it means "not found".
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_OPTION`, `INVALID_VALUE`, `SERIALIZATION`, `CLOSED`
   */
  set(key: string, value: V, options?: WriteOptions): Promise<WriteOutcome> {
    return writes.set(this.#view, key, value, options)
  }

  /**
   * Whether {@link set} would take a value: throws what it would reject with, and writes nothing.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_OPTION`, `INVALID_VALUE`, `SERIALIZATION`
   */
  check(key: string, value: V, options?: SetOptions): void {
    const address = this.address(key)
    const entry = this.#view.entryNow(value, options)
    this.#engine.checking?.check(address, entry)
  }

  /** Removes a key; `applied` also when there was nothing. @throws CacheError `INVALID_KEY`, `INVALID_OPTION`, `CLOSED` */
  delete(key: string, options?: CallOptions): Promise<WriteOutcome> {
    return writes.remove(this.#view, key, options)
  }

  /**
   * The values of those keys that have a fresh one, in the order of `keys`.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_OPTION`, `CLOSED`
   */
  getMany<T extends V = V>(keys: Iterable<string>, options?: CallOptions): Promise<Map<string, T>> {
    return getMany(this.#view, keys, options) as Promise<Map<string, T>>
  }

  /**
   * Writes many values; `options` go for all of them. All are checked before anything is written, values as far as
   * the store can tell beforehand; one that it refuses later is among the `failures`.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_OPTION`, `INVALID_VALUE`, `SERIALIZATION`, `CLOSED`
   */
  setMany(items: Items<V>, options?: WriteOptions): Promise<WriteOutcome> {
    return setMany(this.#view, items, options)
  }

  /** Removes many keys. @throws CacheError `INVALID_KEY`, `INVALID_OPTION`, `CLOSED` */
  deleteMany(keys: Iterable<string>, options?: CallOptions): Promise<WriteOutcome> {
    return deleteMany(this.#view, keys, options)
  }

  /**
   * The value of a key; if there is none that is fresh, what `loader` gets, stored for the next. Calls for one key share one
   * loader. What a loader throws goes to all who wait for it, unless there is a stale value: then they get that.
   * `undefined` from a loader means not found. A value loaded before the key was written or removed is returned but
   * not stored.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_OPTION`, `LOAD_TIMEOUT`, `CLOSED`; whatever `loader` throws;
   *   the reason of a signal
   */
  getOrSet<T extends V | undefined>(key: string, loader: Loader<T, V>, options?: LoadOptions): Promise<T> {
    try {
      if (typeof loader !== 'function') throw invalidOption('loader', loader, 'a function')
      return reads.getOrSet(this.#view, key, loader, this.#view.policyFor(options)) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The values of many keys; `loadMissing` is called once with those that have no fresh one. Keys that single calls are
   * loading are shared with them. A key without a value in what it returns was not found.
   *
   * @throws as {@link getOrSet}
   */
  getOrSetMany<T extends V>(
    keys: Iterable<string>,
    loadMissing: ManyLoader<T>,
    options?: LoadOptions,
  ): Promise<Map<string, T>> {
    return getOrSetMany(this.#view, keys, loadMissing, options)
  }

  /**
   * The function with its calls answered from this cache, as by {@link getOrSet}: `wrapped(...args)`, `wrapped.key(...args)`,
   * `wrapped.invalidate(...args)`. It is called without `this`: write `id => users.find(id)` for a method.
   *
   * @param fn gets the value; `undefined` means not found
   * @param options with either `key`, a function of the arguments, or, if all of these are primitives, a `prefix` to put
   *   before them. The name of `fn` is never used: two functions can share one
   * @throws CacheError `INVALID_OPTION`, `INVALID_TTL`; a call rejects as {@link getOrSet}, or with what the key function throws
   */
  wrap<A extends readonly unknown[], R extends V | undefined>(
    fn: (this: void, ...args: A) => R | Promise<R>,
    options: WrapOptions<Settled<A>>,
  ): Wrapped<A, R> {
    return wrap(this.#view, fn, options as WrapOptions<A>)
  }

  /** Removes everything in this cache or, of a namespace, everything in it. @throws CacheError `CLOSED` */
  clear(): Promise<WriteOutcome> {
    return writes.clear(this.#view)
  }

  /**
   * Outdates every value that has one of the tags and was written, or began to be loaded, before this call: in this cache, its
   * namespaces, and everything else over the same store. Takes as long as one write, however many values there are.
   *
   * @throws CacheError `INVALID_OPTION`, also over a store that keeps no tags, `CLOSED`
   */
  invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    return writes.invalidateTags(this.#view, tags)
  }

  /**
   * Has values in the cache before anyone asks: those that a source gives, or those of the keys that it gives, loaded as by
   * {@link getOrSet}. Batch by batch, a few at a time, and however long the source is, only these are held. What is fresh already
   * is skipped, so a warm-up that ended early can simply be begun again. What is not valid, or cannot be loaded or stored,
   * counts as failed and stops nothing.
   *
   * @throws CacheError `INVALID_OPTION`, `INVALID_TTL`, `CLOSED`; whatever the source throws; the reason of the signal
   */
  warm(source: WarmUpSource<V>, options?: WarmUpWriteOptions): Promise<WarmUpProgress>
  warm(keys: WarmUpKeys, options: WarmUpLoadOptions<V>): Promise<WarmUpProgress>
  async warm(
    source: WarmUpSource<V> | WarmUpKeys,
    options: WarmUpWriteOptions | WarmUpLoadOptions<V> = {},
  ): Promise<WarmUpProgress> {
    return warm(this.#view, source, options)
  }

  /** What this cache and its namespaces did so far: a plain snapshot, with rates. */
  stats(): CacheReport {
    return this.#engine.stats()
  }

  /** Begins the period `stats().sinceReset` anew; what is counted since the start goes on. */
  resetStats(): void {
    this.#engine.statistics.reset()
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
   * @param options over those of this cache
   * @throws CacheError `INVALID_OPTION`, `INVALID_TTL`
   */
  namespace<W extends V = V>(name: string, options: NamespaceOptions & SchemaOption<W> = {}): Cache<W> {
    const nested: CacheOptions = { store: this.#engine.store }
    views.set(nested, this.#view.nest(name, options))
    return new Cache<W>(nested)
  }

  /**
   * Calls `listener` at every event of a type, until the returned function is called. What a listener throws is
   * dropped.
   */
  on<K extends keyof CacheEvents>(type: K, listener: (event: CacheEvents[K]) => void): () => void {
    return this.#engine.on(type, listener)
  }

  /**
   * Refuses calls from now on with `CLOSED`, waits at most `closeWait` (2 seconds) until what is being loaded is stored, then aborts
   * the signals of loaders and closes the store. Loads under way still answer their callers.
   */
  close(): Promise<void> {
    return this.#engine.life.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What util.inspect shows: what it is, how much is in it and how it is; neither keys nor values. */
  #facts(): object {
    const { name, store, life, flights } = this.#engine
    return {
      name,
      namespace: this.#view.prefix || undefined,
      store: store.name,
      state: life.state,
      inFlight: flights.size,
      tiers: sizesOf(isMeasurable(store) ? store.measure() : []),
      health: this.health(),
    }
  }
}

/** How a namespace reaches the cache it is a view of, without a constructor that users could misuse. */
const views = new WeakMap<CacheOptions, View>()
