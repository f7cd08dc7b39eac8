import { type Awaitable, chain, isPending } from './awaitable.ts'
import { board, join } from './boarding.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { Flight } from './flight.ts'
import { isDue, isFresh, servable } from './freshness.ts'
import { releaseLease } from './lease-keeper.ts'
import { awaitLease } from './lease-wait.ts'
import { isVacant, type LeaseRead } from './leasing.ts'
import { admitted, type Loaded, type Loader, type LoadRun } from './load-context.ts'
import { beginLoad, callLoader, endLoad, fill, loadSettled, loadThrew } from './load-one.ts'
import { unwrap } from './negative.ts'
import type { Policy } from './policy.ts'
import { read, readOrLease } from './validated-read.ts'

/** One read-through call, with its key whole (`address`) and as the caller gave it. */
export interface ReadThrough {
  readonly address: string
  readonly key: string
  readonly loader: Loader<unknown, never>
  readonly policy: Policy
}

/**
 * The path of a read that was not answered by what is at hand: in flight → fresh → stale → lease → load → fill. One flight looks up
 * and loads for everyone who asks meanwhile and, under a lease, for other processes.
 */
export function readThrough(engine: Engine, call: ReadThrough): Promise<unknown> {
  const { address, policy } = call
  if (policy.signal?.aborted) return Promise.reject(policy.signal.reason)
  const underway = engine.flights.joinable(address)
  if (underway) return join(engine, underway, policy)

  const found = lookUp(engine, policy, address)
  if (isFresh(engine, found)) {
    refreshIfDue(engine, call, found) // First, for a listener may remove it.
    engine.hit(address)
    return Promise.resolve(unwrap(found))
  }

  const flight = engine.flights.begin(new Flight(engine, address, policy))
  if (isPending(found) || isHeld(found) || policy.isImpatient || engine.flights.isTakingOff) {
    flight.promise = fly(call, flight, found)
    return board(flight, policy)
  }
  return flyAtOnce(call, flight, found)
}

/** A flight that has nothing to wait for before its load. @throws RangeError if so little is left of the stack */
function flyAtOnce(call: ReadThrough, flight: Flight, found: LeaseRead): Promise<unknown> {
  const { engine } = flight
  engine.flights.isTakingOff = true
  try {
    engine.noteLease(found)
    flight.first = engine
    flight.wanted = true
    flight.promise = flyOn(call, flight, found)
    return flight.promise
  } finally {
    engine.flights.isTakingOff = false
    if (!flight.promise) land(flight) // It never took off, and nobody must wait for it.
  }
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
  const { address, policy } = call
  if (!mayRefresh(engine, address)) return
  const flight = engine.flights.begin(new Flight(engine, address, policy))
  flight.wanted = true
  flight.stale = entry
  flight.promise = fly(call, flight, leaseToReplace(engine, policy, address, entry), entry.freshUntil)
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

/** Another process loads what is not there, not even stale. */
function isHeld(read: LeaseRead): boolean {
  return isVacant(read) && !read.lease && !read.stale
}

/**
 * A flight that has to wait before its load, be it only for its turn.
 *
 * @param freshAt until when a value must be fresh to be left as it is. Default: now
 */
async function fly(
  call: ReadThrough,
  flight: Flight,
  pending: Awaitable<LeaseRead>,
  freshAt?: number,
): Promise<unknown> {
  let found: LeaseRead
  try {
    found = await pending
    flight.engine.noteLease(found)
    if (isHeld(found)) found = await awaitLease(flight)
  } catch (error) {
    return salvage(flight, error)
  }
  return flyOn(call, flight, found, freshAt)
}

/**
 * From what the lookup gave to what those get who wait. Nothing of this call is left while the loader runs: what waits for loaders,
 * maybe a hundred thousand times, takes memory.
 */
function flyOn(call: ReadThrough, flight: Flight, found: LeaseRead, freshAt?: number): Promise<unknown> {
  const { engine, policy } = flight
  let run: LoadRun
  try {
    const stored = isVacant(found) ? found.stale : found
    // Those who joined meanwhile came after what outdates it.
    const entry = engine.flights.tags.isOutdated(stored?.tags, flight.since) ? undefined : stored
    if (isVacant(found) && found.lease) flight.lease = found.lease
    if (entry && (freshAt === undefined ? isFresh(engine, entry) : entry.freshUntil > freshAt)) {
      return Promise.resolve(takeFresh(call, flight, entry))
    }
    const stale = flight.invalidated ? undefined : entry
    if (flight.stale !== stale) flight.stale = stale
    if (entry && isVacant(found) && !found.lease) return Promise.resolve(takeStale(flight, entry)) // Somebody else loads it.
    if (flight.isAbandoned) return Promise.resolve(land(flight))
    startLoading(flight)
    run = beginLoad(flight, call.key)
  } catch (error) {
    // When this call is over: it may have failed for want of stack.
    return Promise.reject(error).catch(reason => salvage(flight, reason))
  }
  const given = callLoader(run, call.loader)
  const { schema } = policy
  const value = schema === undefined ? given : given.then(result => admitted(schema, result))
  return value.then(onLoaded.bind(run), onThrown.bind(run))
}

function onLoaded(this: LoadRun, result: unknown): Awaitable<unknown> {
  let loaded: Loaded
  try {
    loaded = loadSettled(this, result)
  } catch (error) {
    return onThrown.call(this, error)
  }
  const flight = endLoad(this)
  return chain(fill(flight, loaded), () => {
    land(flight)
    return loaded.value
  })
}

function onThrown(this: LoadRun, error: unknown): unknown {
  loadThrew(this, error)
  return salvage(endLoad(this), error)
}

/** The flight has ended: whoever comes next begins another one. */
function land(flight: Flight): void {
  const { engine, address, lease } = flight
  engine.flights.end(flight)
  if (lease) releaseLease(engine, address, lease)
}

function takeFresh(call: ReadThrough, flight: Flight, entry: Entry): unknown {
  const { engine, address } = flight
  flight.tell('hit')
  const isCurrent = engine.flights.get(address) === flight
  land(flight)
  if (isCurrent) refreshIfDue(engine, call, entry)
  return unwrap(entry)
}

function takeStale(flight: Flight, entry: Entry): unknown {
  flight.tell('miss')
  flight.tell('stale')
  land(flight)
  return unwrap(entry)
}

/** Ends a flight that failed. @throws its error, if there is nothing stale */
function salvage(flight: Flight, error: unknown): unknown {
  try {
    return staleOr(flight, error)
  } finally {
    land(flight)
  }
}

/** What those get who waited for a load that failed. @throws its error, if there is nothing else */
export function staleOr(flight: Flight, error: unknown): unknown {
  const stale = servable(flight)
  if (!stale) throw error
  flight.tell('stale')
  return unwrap(stale)
}

/** The lookup found nothing fresh: all who waited for it are misses, and share the load. */
export function startLoading(flight: Flight): void {
  const { engine, address, joined } = flight
  if (joined) flight.joined = undefined
  engine.flights.startLoading(flight)
  flight.first?.miss(address)
  for (const caller of joined ?? []) {
    caller.share()
    caller.miss(address)
    if (flight.stale) flight.join(caller)
  }
}
