import type { Entry } from './entry.ts'
import type { Lease } from './leasing.ts'
import type { Store } from './store.ts'
import { TagLog } from './tag-log.ts'

/** Whoever waits for a flight, or the cache where those who wait are counted; it is told how the flight goes. */
export interface Caller {
  /** The lookup found a value. */
  hit(key: string): void
  /** The lookup found none that is fresh: from now on the key is being loaded. */
  miss(key: string): void
  /** It waits for a load that another one began. */
  share(): void
  /** The load failed, and what is given is the stale value. */
  stale(key: string): void
}

/** A value on its way: looked up, then loaded if need be, for everyone who asks for the key meanwhile. */
export class Flight {
  promise!: Promise<unknown>
  /** Whose call began it; nobody's if it refreshes behind a hit. */
  first: Caller | undefined
  /** Those who joined while it was open what they are to be told. */
  joined: Caller[] | undefined
  /** Whether the loader has been called: from here on, whoever joins is a miss. */
  loading = false
  /** What is stored and to be replaced: served to whoever does not wait for the load, or if it fails. */
  stale: Entry | undefined
  /** What is loaded is not to be stored. */
  superseded = false
  /** An invalidation of its key came after it took off: what was stored before is not served any more. */
  invalidated = false
  /** When it took off, in the order of {@link FlightTable.tags}. */
  begun = 0
  /** When the load began, in the same order. */
  since = 0
  /** Of what is being loaded, as far as they are known. */
  tags: readonly string[] | undefined
  /** Under which it loads: then the store knows by itself of whatever comes in between from other processes. */
  lease: Lease | undefined
  /** Ends a pause in waiting for another process that loads. */
  wake: (() => void) | undefined
  /** Whether it is wanted by somebody who cannot call it off. */
  wanted = false
  /** How many wait who can call it off, each for itself. */
  leavers = 0
  /** Why the last one called it off. */
  reason: unknown
  /** Tells the loader that nobody waits any more; there once it has asked for its signal. */
  stop: ((reason: unknown) => void) | undefined

  join(caller: Caller): void {
    this.joined ??= []
    this.joined.push(caller)
  }

  /** Tells all who wait, as far as they are known. */
  tell(what: 'hit' | 'miss' | 'stale', key: string): void {
    this.first?.[what](key)
    if (this.joined) for (const caller of this.joined) caller[what](key)
  }

  get isAbandoned(): boolean {
    return !this.wanted && this.leavers === 0
  }
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

  /** Resolves when all that is under way now has ended, well or not. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#flights.values()].map(flight => flight.promise))
  }

  /** Whether what begins now finds no room. */
  get isFull(): boolean {
    return this.#flights.size >= MAX_IN_FLIGHT
  }

  get(key: string): Flight | undefined {
    return this.#flights.size === 0 ? undefined : this.#flights.get(key)
  }

  /** What is under way for a key and may be joined: a load is not, since one of its tags was invalidated. */
  joinable(key: string): Flight | undefined {
    const flight = this.get(key)
    if (!flight?.loading || !this.tags.isOutdated(flight.tags, flight.since)) return flight
    this.retire(key, flight)
    return undefined
  }

  /** Begins the flight of a key that has none. One that finds no room is not on the table, hence superseded from the start. */
  begin(key: string): Flight {
    const flight = new Flight()
    flight.begun = this.tags.now
    if (this.isFull) flight.superseded = true
    else this.#flights.set(key, flight)
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
  startLoading(key: string, flight: Flight, tags: readonly string[] | undefined): void {
    flight.loading = true
    flight.tags = tags
    flight.since = this.tags.now
    if (!flight.lease || !flight.superseded) return
    if (this.#flights.has(key) || this.isFull) return
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
    flight.stale = undefined
    flight.invalidated = true
    flight.superseded = true
    this.#flights.delete(key)
    flight.wake?.()
  }

  /** What is being loaded will not be stored, though what is stored is as good as before: the next caller starts another load. */
  retire(key: string, flight: Flight): void {
    flight.superseded = true
    this.end(key, flight)
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
    for (const [key, flight] of this.#flights) {
      const { stale } = flight
      this.overtake(key)
      flight.stale = stale // As good as what is stored, which is served too.
    }
  }
}
