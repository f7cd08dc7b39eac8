import type { Clock } from './clock.ts'
import type { Duration } from './duration.ts'
import type { Metadata } from './entry.ts'
import type { Observer } from './observer.ts'
import type { Schema } from './schema.ts'
import type { Store } from './store.ts'

/** How long values live. */
export interface LifeOptions {
  /** How long a value is fresh. @default 300 (seconds) */
  readonly ttl?: Duration
  /** How much longer a stale value is kept, to be served when loading fails or takes long; 0: not at all. @default 0 */
  readonly grace?: Duration
  /**
   * The largest part of the ttl by which a value lives shorter, at random, so that what was written at once does not end at
   * once. From 0 to 1. @default 0.05
   */
  readonly jitter?: number
}

/** How values live, and how they are read through. `false` switches off for a call what the cache has on. */
export interface ReadThroughOptions extends LifeOptions {
  /** The part of the ttl after which a hit has the value loaded anew behind it. Between 0 and 1. @default false */
  readonly refreshAhead?: number | false
  /**
   * Has hits load anew by lot, the likelier the nearer the end and the longer loads take (XFetch). More than 0; 1 is the best
   * for most, more is earlier. @default false
   */
  readonly earlyRefresh?: number | false
  /**
   * How long a read that found a stale value waits for the loader before it takes the stale one; the load goes on and its
   * value is stored. 0: stale while revalidate. @default false: it waits as long as the loader takes
   */
  readonly softTimeout?: Duration | false
  /**
   * How long a read takes at most, also of a value that another process loads: then a stale value, or a rejection with
   * `LOAD_TIMEOUT`. The load goes on and its value is stored. @default false
   */
  readonly hardTimeout?: Duration | false
  /** How long it is remembered that a loader found nothing. @default false: not at all */
  readonly negativeTtl?: Duration | false
  /** How long, in this process, the error of a loader is remembered and given to whoever asks next. @default false */
  readonly errorTtl?: Duration | false
}

/** What may be said of one call. */
export interface CallOptions {
  /**
   * How long this call may wait for a remote store, once for each time it asks it; large values get more, by their size. It
   * bounds no loader. Of calls that share a load the first one's counts. @default what the store was set up with: 100 ms for a read,
   * 250 ms for a write
   */
  readonly deadline?: Duration
}

/** What may be said of one value that is written. */
export interface SetOptions extends LifeOptions {
  /** Names by which the value can be invalidated together with others: `invalidateTags`. At most 100. */
  readonly tags?: readonly string[]
  /** A plain object to keep beside the value; `getEntry` returns it. */
  readonly metadata?: Metadata
}

/** What may be said of one write. */
export interface WriteOptions extends SetOptions, CallOptions {}

/** What may be said of one read-through call. */
export interface LoadOptions extends ReadThroughOptions, CallOptions {
  /** Tags of a loaded value, as of {@link SetOptions.tags}. */
  readonly tags?: readonly string[]
  /** Ends the wait of this call, with the signal's reason. The load goes on for the others who wait. */
  readonly signal?: AbortSignal
}

/**
 * What the values of a cache or namespace look like.
 *
 * @typeParam V what it holds
 */
export interface SchemaOption<V> {
  /**
   * What values have to match: any Standard Schema. One that is stored and does not match is a miss; one that is to be stored and does
   * not match is refused. What the schema gives is what is stored and returned; the schema has to accept that too. @default none
   */
  readonly schema?: Schema<V>
}

/** A namespace: how its values live. */
export interface NamespaceOptions extends ReadThroughOptions {
  /**
   * Says by hand that values look different from now on: those of another version are not seen. The same as a namespace `v3` in this
   * one. An integer of at least 0, or a word without `:`. @default none
   */
  readonly version?: number | string
}

export interface CacheOptions extends NamespaceOptions {
  /** Where entries live. The cache owns it: closing the cache closes it. */
  readonly store: Store
  /** Names this cache in metrics and errors. @default 'cache' */
  readonly name?: string
  /** Puts all keys under this namespace, see `Cache.namespace`. @default none */
  readonly namespace?: string
  /** Keys a store is asked for at once. An integer >= 1. @default 100 */
  readonly batchSize?: number
  /**
   * How long a read waits for another process that loads the same key before it loads by itself, over a store that knows
   * (Redis). @default '5s'
   */
  readonly leaseWait?: Duration
  /**
   * How long `close` waits for loads under way and for their values to be stored; then loaders are told to stop. 0: not at all.
   * @default '2s'
   */
  readonly closeWait?: Duration
  /** Where telemetry goes; it is handed down to the store. @default none */
  readonly observer?: Observer
  /** @default the machine's clock */
  readonly clock?: Clock
  /** Numbers from 0 to less than 1, for jitter and early refreshes. @default Math.random */
  readonly random?: () => number
}

export interface GetOptions extends CallOptions {
  /** Sliding expiry: a hit is fresh at least this long from now; it is never shortened. */
  readonly ttl?: Duration
}

/** Values by key, for writing: an object, a `Map`, or any iterable of pairs. */
export type Items<V> = Readonly<Record<string, V>> | Iterable<readonly [key: string, value: V]>
