import { type Awaitable, isPending } from './awaitable.ts'
import { batched } from './batched.ts'
import type { Clock } from './clock.ts'
import { CoarseClock } from './coarse-clock.ts'
import type { Entry } from './entry.ts'
import { CacheError, isCallersFault, toCacheError } from './errors.ts'
import { type CacheEvents, Emitter, isPassedOn } from './events.ts'
import { FailureLog } from './failure-log.ts'
import type { Caller } from './flight.ts'
import { followBus } from './follow-bus.ts'
import { LEASE_MS, LeaseKeeper, releaseLease } from './lease-keeper.ts'
import { isLeasing, isVacant, type Lease, type LeaseRead, type Leasing } from './leasing.ts'
import { Lifetime } from './lifetime.ts'
import {
  type CacheSource,
  guarded,
  type Observer,
  type StoreOperation,
  type TelemetryEvent,
} from './observer.ts'
import { failed, type WriteOutcome } from './outcome.ts'
import { PendingSets } from './pending-sets.ts'
import type { EntryTerms } from './policy.ts'
import { RemovalEvents } from './removal-events.ts'
import { FlightTable } from './single-flight.ts'
import { Statistics } from './statistics.ts'
import type { CacheReport, Counters, Tallies } from './stats.ts'
import {
  type Batching,
  type Checking,
  hasHealth,
  isChecking,
  isCoherent,
  isNear,
  isObserved,
  isTagging,
  isTouching,
  type Near,
  type Store,
  type StoreCall,
  type StoreHealth,
  type Tagging,
  type Touching,
} from './store.ts'

export interface EngineOptions {
  readonly name: string
  readonly store: Store
  readonly clock: Clock
  readonly observer: Observer | undefined
  /** Milliseconds. */
  readonly leaseWait: number
  /** Milliseconds. */
  readonly closeWait: number
  /** From 0 to less than 1. */
  readonly random: () => number
}

/**
 * What a cache and its namespaces share: one store, its capabilities looked up once, the loads under way, the
 * counters, and the one place where a store that failed becomes a miss (reads) or an honest outcome (writes).
 * Keys are whole here.
 */
export class Engine implements CacheSource, Caller {
  readonly name: string
  readonly store: Store
  readonly batched: Batching
  readonly checking: (Store & Checking) | undefined
  readonly touching: (Store & Touching) | undefined
  readonly near: (Store & Near) | undefined
  readonly leasing: (Store & Leasing) | undefined
  readonly tagging: (Store & Tagging) | undefined
  /** Of the leases under which loaders run. */
  readonly leases: LeaseKeeper
  /** How long a read waits for another process that loads, in milliseconds. */
  readonly leaseWait: number
  readonly life: Lifetime
  readonly clock: Clock
  /** For what is decided at every hit. */
  readonly coarseClock: Pick<Clock, 'now'>
  readonly random: () => number
  readonly flights: FlightTable
  readonly pendingSets: PendingSets
  /** Errors of loaders; there once one is to be remembered. */
  failures: FailureLog | undefined
  readonly statistics: Statistics
  /** Those of the statistics, at hand for every hit. */
  readonly counts: Counters
  readonly tallies: Tallies
  readonly events: Emitter<CacheEvents> = new Emitter()
  readonly #observer: Required<Observer>
  readonly #removals: RemovalEvents
  readonly #detach: (() => void)[]

  constructor({ name, store, clock, observer, leaseWait, closeWait, random }: EngineOptions) {
    this.name = name
    this.store = store
    this.batched = batched(store)
    this.checking = isChecking(store) ? store : undefined
    this.touching = isTouching(store) ? store : undefined
    this.near = isNear(store) ? store : undefined
    this.leasing = isLeasing(store) ? store : undefined
    this.tagging = isTagging(store) ? store : undefined
    this.leaseWait = leaseWait
    this.clock = clock
    this.statistics = new Statistics(store, clock)
    this.counts = this.statistics.counts
    this.tallies = this.statistics.tallies
    this.leases = new LeaseKeeper(this)
    this.coarseClock = CoarseClock.of(clock)
    this.random = random
    this.flights = FlightTable.of(store)
    this.pendingSets = new PendingSets(this.flights.tags)
    this.life = new Lifetime({
      name,
      clock,
      closeWait,
      flights: this.flights,
      release: () => this.#release(),
    })
    this.#removals = new RemovalEvents(store, this.events)
    this.#observer = guarded(observer)
    this.#detach = [this.#observer.attach(this), () => this.#removals.stop()]
    if (isObserved(store)) this.#detach.push(store.observe({ event: event => this.report(event) }))
    if (isCoherent(store) && store.bus) this.#detach.push(...followBus(this, store.bus))
  }

  /** What is at hand and fresh; a store that fails is asked once more as all others are, and tells then. */
  readFresh(key: string): Entry | undefined {
    try {
      return this.near?.getFresh(key, this.coarseClock.now())
    } catch {
      return undefined
    }
  }

  /** What is stored under a key and alive; a store that fails is a miss. */
  read(key: string, call?: StoreCall): Awaitable<Entry | undefined> {
    try {
      return this.#spare(this.store.get(key, call))
    } catch (thrown) {
      return this.missed('get', thrown)
    }
  }

  /**
   * As {@link read}; if there is nothing fresh, a store that can tells who is to load.
   *
   * @param freshAt as of {@link Leasing.getOrLease}
   */
  readOrLease(key: string, freshAt?: number, call?: StoreCall): Awaitable<LeaseRead> {
    if (!this.leasing) return this.read(key, call)
    try {
      return this.#spare(this.leasing.getOrLease(key, LEASE_MS, freshAt, call))
    } catch (thrown) {
      return this.missed('get', thrown)
    }
  }

  #spare<T>(found: Awaitable<T | undefined>): Awaitable<T | undefined> {
    return isPending(found) ? found.catch(thrown => this.missed('get', thrown)) : found
  }

  /** Makes a miss of a read that failed, unless the fault is the caller's. */
  missed(operation: StoreOperation, thrown: unknown): undefined {
    if (isCallersFault(thrown)) throw thrown
    this.fail(operation, thrown)
  }

  /** Runs a write; a store that fails is a `failed` outcome, unless the fault is the caller's. */
  async write(operation: StoreOperation, run: () => Awaitable<WriteOutcome>): Promise<WriteOutcome> {
    if (this.life.isOver) throw this.life.error()
    try {
      const outcome = await run()
      this.tallies.writes[outcome.status]++
      if (outcome.error) this.fail(operation, outcome.error)
      return outcome
    } catch (thrown) {
      if (isCallersFault(thrown)) throw thrown
      this.tallies.writes.failed++
      return failed(this.fail(operation, thrown))
    }
  }

  /**
   * Stores what was loaded: over a store that grants leases, as far as the lease still stands. Whoever loaded it has the value
   * already, and is spared whatever becomes of this. A lease whose value could not be stored is given up: others need not
   * wait for it.
   */
  async fill(key: string, entry: Entry, lease: Lease | undefined, call?: StoreCall): Promise<void> {
    const { leasing, store } = this
    let isSettled = false
    try {
      if (this.life.isOver) throw this.life.error()
      const stamped = lease?.stamp === undefined ? entry : { ...entry, stamp: lease.stamp }
      const { status, error } = await (leasing
        ? leasing.fill(key, stamped, lease, call)
        : store.set(key, entry, call))
      if (status !== 'superseded') this.tallies.writes[status]++
      isSettled = status === 'applied' || status === 'superseded'
      if (error) this.fail('set', error)
    } catch (thrown) {
      if (!this.life.isOver) {
        this.tallies.writes.failed++
        this.fail('set', thrown)
      }
    }
    if (lease && !isSettled) releaseLease(this, key, lease)
  }

  /** A write for a reader, who has the value already: whatever becomes of it, the reader is spared. */
  async aside(operation: StoreOperation, write: () => Promise<unknown>): Promise<void> {
    try {
      await write()
    } catch (thrown) {
      if (!this.life.isOver) this.fail(operation, thrown)
    }
  }

  entry(value: unknown, { ttl, grace, jitter, tags, metadata }: EntryTerms): Entry {
    const createdAt = this.clock.now()
    const life = jitter === 0 ? ttl : Math.max(1, Math.round(ttl * (1 - jitter * this.random())))
    const freshUntil = createdAt + life
    const entry = { value, createdAt, freshUntil, expiresAt: freshUntil + grace }
    if (tags === undefined && metadata === undefined) return entry
    return { ...entry, ...(tags && { tags }), ...(metadata && { metadata }) }
  }

  /** Gives the error of a loader to whoever asks within `ttl` milliseconds, until the key is invalidated. */
  remember(key: string, error: unknown, ttl: number): void {
    if (this.failures === undefined) {
      this.failures = new FailureLog(this.clock)
      this.#detach.push(this.flights.hold(this.failures, 'load'))
    }
    this.failures.remember(key, error, ttl)
  }

  hit(key: string): void {
    this.counts.hits++
    if (this.events.has('hit')) this.events.emit('hit', { key })
  }

  miss(key: string): void {
    this.counts.misses++
    if (this.events.has('miss')) this.events.emit('miss', { key })
  }

  stale(key: string): void {
    this.counts.stales++
    if (this.events.has('stale')) this.events.emit('stale', { key })
  }

  /** What is stored does not match the schema: it counts as not there. */
  mismatch(key: string, paths: readonly string[]): void {
    this.counts.mismatches++
    if (this.events.has('mismatch')) this.events.emit('mismatch', { key, paths })
  }

  /** Counts what a caller got who asked for a lease. */
  noteLease(read: LeaseRead): void {
    if (isVacant(read)) this.tallies.leases[read.lease ? 'granted' : 'denied']++
  }

  share(): void {
    this.counts.sharedLoads++
  }

  /** Nothing loaded before this moment may be stored under the key any more. */
  invalidate(key: string): void {
    this.flights.supersede(key)
    if (this.events.has('invalidated')) this.events.emit('invalidated', { key })
  }

  /** As {@link invalidate}, of a peer's write: what loads under a lease is left to the store. */
  overtake(key: string): void {
    this.flights.overtake(key)
    if (this.events.has('invalidated')) this.events.emit('invalidated', { key })
  }

  invalidateScope(scope: string): void {
    this.flights.supersedeScope(scope)
    this.events.emit('invalidated', { scope })
  }

  /** Nothing written or loaded before this moment counts any more if it has one of these tags. */
  invalidateTags(tags: readonly string[]): void {
    this.flights.tags.invalidate(tags)
    this.events.emit('invalidated', { tags })
  }

  /** Tells a failure that the caller is spared. */
  fail(operation: StoreOperation, thrown: unknown): CacheError {
    const error = toCacheError(thrown, 'STORE', `${this.store.name} failed in ${operation}`)
    this.report({ type: 'error', store: this.store.name, operation, error })
    return error
  }

  /** Passes on what happened, here or in the store. */
  report(event: TelemetryEvent): void {
    this.#observer.event(event, this)
    if (event.type === 'error') {
      this.counts.errors++
      this.events.emit('error', event)
    } else if (isPassedOn(event)) this.events.emit(event.type, event as never)
  }

  on<K extends keyof CacheEvents>(type: K, listener: (event: CacheEvents[K]) => void): () => void {
    const leave = this.events.on(type, listener)
    this.#removals.update()
    return () => {
      leave()
      this.#removals.update()
    }
  }

  stats(): CacheReport {
    return this.statistics.report(this.flights.size)
  }

  health(): StoreHealth | undefined {
    return hasHealth(this.store) ? this.store.health() : undefined
  }

  assertTagging(): Store & Tagging {
    if (this.tagging) return this.tagging
    throw new CacheError(
      'INVALID_OPTION',
      `tags need a store that keeps them; the store ${this.store.name} does not: use another one, or leave tags out`,
    )
  }

  async #release(): Promise<void> {
    try {
      await this.store.close()
    } finally {
      for (const detach of this.#detach) detach()
    }
  }
}
