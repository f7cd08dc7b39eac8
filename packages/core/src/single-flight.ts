import type { Flight } from './flight.ts'
import type { Store } from './store.ts'
import { TagLog } from './tag-log.ts'

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
  /**
   * Whether a flight is taking off within a call: what its loader, or who listens, asks for at once waits for its turn, so that no
   * stack grows with it.
   */
  isTakingOff = false
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
    await Promise.allSettled([...this.#flights.values()].map(flight => flight.landing()))
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
    if (!flight?.loading) return flight
    if (!this.tags.isOutdated(flight.tags ?? flight.policy.tags, flight.since)) return flight
    this.retire(flight)
    return undefined
  }

  /** Begins the flight of a key that has none. One that finds no room is not on the table, hence superseded from the start. */
  begin(flight: Flight): Flight {
    flight.since = this.tags.now
    if (this.isFull) flight.superseded = true
    else this.#flights.set(flight.address, flight)
    return flight
  }

  /** Takes a flight off the table; one that was superseded has already made room for its successor. */
  end(flight: Flight): void {
    if (this.#flights.get(flight.address) === flight) this.#flights.delete(flight.address)
  }

  /**
   * The lookup found nothing. Under a lease, only what comes from here on concerns what is loaded: the store granted it
   * after whatever came during the lookup, or takes it away.
   */
  startLoading(flight: Flight): void {
    flight.loading = true
    flight.since = this.tags.now
    if (!flight.lease || !flight.superseded) return
    if (this.#flights.has(flight.address) || this.isFull) return
    flight.superseded = false
    this.#flights.set(flight.address, flight)
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
    if (flight.stale) flight.stale = undefined
    flight.invalidated = true
    flight.superseded = true
    this.#flights.delete(key)
    flight.wake?.()
  }

  /** What is being loaded will not be stored, though what is stored is as good as before: the next caller starts another load. */
  retire(flight: Flight): void {
    flight.superseded = true
    this.end(flight)
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
      if (stale) flight.stale = stale // As good as what is stored, which is served too.
    }
  }
}
