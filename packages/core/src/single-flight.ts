import type { Lease } from './leasing.ts'
import type { Store } from './store.ts'
import { TagLog } from './tag-log.ts'

/** Where the callers of a flight are counted. */
interface Counters {
  hit(key: string): void
  miss(key: string): void
  sharedLoads: number
}

/** A value on its way: looked up, then loaded if need be, for everyone who asks for the key meanwhile. */
export class Flight {
  promise!: Promise<unknown>
  /** Whether the loader has been called: from here on, whoever joins is a miss. */
  loading = false
  /** For each caller that joined while the outcome of the lookup was open: the cache it called. */
  readonly joined: Counters[] = []
  /** An invalidation came after it took off: those who wait get the value, the stores do not. */
  superseded = false
  /** When the load began, in the order of {@link FlightTable.tags}. */
  since = 0
  /** Under which it loads: then the store knows by itself of whatever comes in between from other processes. */
  lease: Lease | undefined
  /** Ends a pause in waiting for another process that loads. */
  wake: (() => void) | undefined
}

/** Keys, in a `Set` or `Map`, of what waits to be written. */
interface Waiting {
  keys(): Iterable<string>
  delete(key: string): boolean
}

/** A caller's own write, or something read or loaded that is only as good as the moment it began. */
type Origin = 'write' | 'load'

/** Beyond this many keys in flight, a load runs for its caller alone and is not stored: the table stays bounded. */
export const MAX_IN_FLIGHT = 250_000

const tables = new WeakMap<Store, FlightTable>()

/**
 * What is under way at one store, by key. It belongs to the store and not to a cache, so that two caches over one
 * store share loads, and an invalidation through either is seen by both.
 */
export class FlightTable {
  readonly #flights = new Map<string, Flight>()
  /** What waits to be written, and whether a caller wrote it or it was loaded. */
  readonly #held = new Map<Waiting, Origin>()
  /** The tags that were invalidated through a cache over this store, or by a peer. */
  readonly tags: TagLog = new TagLog()

  static of(store: Store): FlightTable {
    let table = tables.get(store)
    if (!table) {
      table = new FlightTable()
      tables.set(store, table)
    }
    return table
  }

  get size(): number {
    return this.#flights.size
  }

  get(key: string): Flight | undefined {
    return this.#flights.size === 0 ? undefined : this.#flights.get(key)
  }

  /** Begins the flight of a key that has none. One that finds no room is not on the table, hence never stored. */
  begin(key: string): Flight {
    const flight = new Flight()
    if (this.#flights.size < MAX_IN_FLIGHT) this.#flights.set(key, flight)
    else flight.superseded = true
    return flight
  }

  /** Takes a flight off the table; one that was superseded has already made room for its successor. */
  end(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }

  /**
   * The lookup found nothing. Under a lease, only what comes from here on concerns what is loaded: the store granted it
   * after whatever came during the lookup, or takes it away.
   */
  startLoading(key: string, flight: Flight): void {
    flight.loading = true
    flight.since = this.tags.now
    if (!flight.lease || !flight.superseded) return
    if (this.#flights.has(key) || this.#flights.size >= MAX_IN_FLIGHT) return
    flight.superseded = false
    this.#flights.set(key, flight)
  }

  /**
   * Takes every key that is invalidated from now on out of `waiting`.
   *
   * @returns a function that ends it
   */
  hold(waiting: Waiting, origin: Origin): () => void {
    this.#held.set(waiting, origin)
    return () => this.#held.delete(waiting)
  }

  /** Bars what is under way for a key from being stored; the next caller starts another load. */
  supersede(key: string): void {
    for (const waiting of this.#held.keys()) waiting.delete(key)
    const flight = this.get(key)
    if (!flight) return
    flight.superseded = true
    this.#flights.delete(key)
    flight.wake?.()
  }

  /**
   * A peer wrote a key. As {@link supersede}, but whether what loads under a lease may be stored is left to the store:
   * the message may be older than the lease, or its echo.
   */
  overtake(key: string): void {
    const flight = this.get(key)
    this.supersede(key)
    if (flight?.loading && flight.lease) flight.superseded = false
  }

  /** The same for every key that begins with `scope`; for all without it. */
  supersedeScope(scope = ''): void {
    for (const keys of [this.#flights, ...this.#held.keys()]) {
      for (const key of keys.keys()) if (key.startsWith(scope)) this.supersede(key)
    }
  }

  /** Invalidations may have been missed: bars all that was read or loaded, and leaves what callers write. */
  doubt(): void {
    for (const [waiting, origin] of this.#held) {
      if (origin === 'load') for (const key of waiting.keys()) waiting.delete(key)
    }
    for (const key of this.#flights.keys()) this.overtake(key)
  }
}
