import type { Awaitable } from './awaitable.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { isDue, isFresh, servable } from './freshness.ts'
import { releaseLease } from './lease-keeper.ts'
import { awaitLease } from './lease-wait.ts'
import { isVacant, type LeaseRead } from './leasing.ts'
import { admitted, type Loaded, type Loader } from './load-context.ts'
import { beginLoad, callLoader, endLoad, loadSettled, loadThrew } from './load-one.ts'
import { unwrap } from './negative.ts'
import type { Policy } from './policy.ts'
import type { Flight } from './single-flight.ts'
import type { StoreCall } from './store.ts'
import { read, readOrLease } from './validated-read.ts'
import { Waiter } from './waiter.ts'

/** One read-through call, with its key whole (`address`) and as the caller gave it. */
export interface ReadThrough {
  readonly address: string
  readonly key: string
  readonly loader: Loader<unknown, never>
  readonly policy: Policy
}

/**
 * The path of a read: in flight → fresh → stale → lease → load → fill. A fresh value at hand costs no more than its
 * promise; otherwise one flight looks up and loads for everyone who asks meanwhile and, under a lease, for other processes.
 */
export function readThrough(engine: Engine, call: ReadThrough): Promise<unknown> {
  const { address, policy } = call
  const flight = engine.flights.joinable(address)
  if (flight) return join(engine, call, flight)

  const found = lookUp(engine, policy, address)
  if (isFresh(engine, found)) {
    engine.hit(address)
    refreshIfDue(engine, call, found)
    return Promise.resolve(unwrap(found))
  }

  const started = engine.flights.begin(address)
  started.promise = fly(engine, call, started, found)
  return board(engine, call, started)
}

/** Gets on a flight that takes off. @returns what this caller waits for */
export function board(
  engine: Engine,
  call: Pick<ReadThrough, 'address' | 'policy'>,
  flight: Flight,
): Promise<unknown> {
  const waiter = waiterFor(engine, call, flight)
  flight.first = waiter ?? engine
  return waiter ? waiter.promise : flight.promise
}

/** Gets on a flight under way, unless there is a value that will do; it counts as what the lookup turns out to be. */
export function join(
  engine: Engine,
  call: Pick<ReadThrough, 'address' | 'policy'>,
  flight: Flight,
): Promise<unknown> {
  const { address } = call
  const stored = servable(engine, flight)
  if (isFresh(engine, stored)) {
    engine.hit(address)
    return Promise.resolve(unwrap(stored))
  }
  const waiter = waiterFor(engine, call, flight)
  const caller = waiter ?? engine
  if (flight.loading) {
    caller.share()
    caller.miss(address)
  }
  // Those whom a load is to give a stale value if it fails are counted then.
  if (!flight.loading || flight.stale) flight.join(caller)
  return waiter ? waiter.promise : flight.promise
}

function waiterFor(
  engine: Engine,
  call: Pick<ReadThrough, 'address' | 'policy'>,
  flight: Flight,
): Waiter | undefined {
  if (call.policy.isImpatient) return new Waiter(engine, call, flight)
  flight.wanted = true
  return undefined
}

/** Behind a hit. */
export function refreshIfDue(engine: Engine, call: ReadThrough, entry: Entry): void {
  if (call.policy.early && isDue(engine, call.policy, entry)) refresh(engine, call, entry)
}

/**
 * Loads a value anew while it is served still. Nobody waits for that, and nobody hears of its failure but listeners and
 * counters.
 */
function refresh(engine: Engine, call: ReadThrough, entry: Entry): void {
  const { address } = call
  if (!mayRefresh(engine, address)) return
  const flight = engine.flights.begin(address)
  flight.wanted = true
  flight.stale = entry
  flight.promise = fly(
    engine,
    call,
    flight,
    leaseToReplace(engine, call.policy, address, entry),
    entry.freshUntil,
  )
  flight.promise.catch(() => {})
}

/** Not while it is being loaded, nor as long as its error is remembered, nor if that would not be stored. */
export function mayRefresh({ flights, failures }: Engine, address: string): boolean {
  return flights.get(address) === undefined && !flights.isFull && !failures?.get(address)
}

/** @returns the entry that is stored, or a later one that another process has put there, or who is to load */
export async function leaseToReplace(
  engine: Engine,
  { schema, call }: Policy,
  address: string,
  entry: Entry,
): Promise<LeaseRead> {
  if (!engine.leasing) return entry
  return (await readOrLease(engine, schema, address, entry.freshUntil, call)) ?? entry
}

/** What is stored, and of what is not fresh who loads it; with an error to be remembered nobody is to load. */
function lookUp(engine: Engine, { schema, call }: Policy, address: string): Awaitable<LeaseRead> {
  return engine.failures?.get(address)
    ? read(engine, schema, address, call)
    : readOrLease(engine, schema, address, undefined, call)
}

/**
 * Begins with an `await`, so that the flight is complete before a loader can ask for anything.
 *
 * @param freshAt until when a value must be fresh to be left as it is. Default: now
 */
async function fly(
  engine: Engine,
  call: ReadThrough,
  flight: Flight,
  pending: Awaitable<LeaseRead>,
  freshAt?: number,
): Promise<unknown> {
  const { address, policy } = call
  try {
    let read = await pending
    engine.noteLease(read)
    if (isVacant(read) && !read.lease && !read.stale) read = await awaitLease(engine, call, flight)

    const found = isVacant(read) ? read.stale : read
    // Those who joined meanwhile came after what outdates it.
    const entry = engine.flights.tags.isOutdated(found?.tags, flight.begun) ? undefined : found
    flight.lease = isVacant(read) ? read.lease : undefined
    if (entry && (freshAt === undefined ? isFresh(engine, entry) : entry.freshUntil > freshAt)) {
      flight.tell('hit', address)
      if (policy.early && isDue(engine, policy, entry)) {
        follow(engine, call, flight, entry)
      }
      return unwrap(entry)
    }

    flight.stale = flight.invalidated ? undefined : entry
    if (entry && isVacant(read) && !read.lease) return takeStale(flight, address, entry) // Somebody else loads it.
    if (flight.isAbandoned) return undefined
    startLoading(engine, call, flight)
    const load = beginLoad(engine, call, flight)
    let loaded: Loaded
    try {
      // Awaited here and not in a function of its own: what waits for loaders, maybe a hundred thousand times, takes memory.
      const given = await callLoader(engine, call, load.run)
      const value = policy.schema === undefined ? given : await admitted(policy.schema, given)
      loaded = loadSettled(engine, call, load, value)
    } catch (error) {
      loadThrew(engine, call, flight, load, error)
      throw error
    } finally {
      endLoad(engine, load)
    }
    await fill(engine, call, flight, loaded)
    return loaded.value
  } catch (error) {
    return staleOr(engine, address, flight, error)
  } finally {
    engine.flights.end(address, flight)
    if (flight.lease) releaseLease(engine, address, flight.lease)
  }
}

/** Has a flight that found a value followed by one that replaces it. */
function follow(engine: Engine, call: ReadThrough, flight: Flight, entry: Entry): void {
  if (engine.flights.get(call.address) !== flight) return
  engine.flights.end(call.address, flight)
  refresh(engine, call, entry)
}

function takeStale(flight: Flight, address: string, entry: Entry): unknown {
  flight.tell('miss', address)
  flight.tell('stale', address)
  return unwrap(entry)
}

/** What those get who waited for a load that failed. @throws its error, if there is nothing else */
export function staleOr(engine: Engine, address: string, flight: Flight, error: unknown): unknown {
  const stale = servable(engine, flight)
  if (!stale) throw error
  flight.tell('stale', address)
  return unwrap(stale)
}

/** The lookup found nothing fresh: all who waited for it are misses, and share the load. */
export function startLoading(
  engine: Engine,
  { address, policy }: Pick<ReadThrough, 'address' | 'policy'>,
  flight: Flight,
): void {
  const joined = flight.joined
  flight.joined = undefined
  engine.flights.startLoading(address, flight, policy.tags)
  flight.first?.miss(address)
  for (const caller of joined ?? []) {
    caller.share()
    caller.miss(address)
    if (flight.stale) flight.join(caller)
  }
}

/**
 * Stores what was loaded, unless its key or one of its tags was invalidated since the load began. A value that cannot be stored is
 * still the caller's: the load succeeded.
 */
function fill(
  engine: Engine,
  { address, policy }: ReadThrough,
  flight: Flight,
  { entry, isGone }: Loaded,
): Promise<void> | undefined {
  if (flight.superseded) return undefined
  if (entry && !engine.flights.tags.isOutdated(entry.tags, flight.since)) {
    const { lease } = flight
    flight.lease = undefined
    return engine.fill(address, entry, lease, policy.call)
  }
  return isGone && flight.stale ? remove(engine, address, flight, policy.call) : undefined
}

/** What is stored is no more where it comes from. */
function remove(engine: Engine, address: string, flight: Flight, call: StoreCall | undefined): Promise<void> {
  flight.lease = undefined
  engine.invalidate(address)
  return engine.aside('delete', () => engine.write('delete', () => engine.store.delete(address, call)))
}
