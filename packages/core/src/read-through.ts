import { type Awaitable, isPending } from './awaitable.ts'
import type { Engine, EntryOptions } from './engine.ts'
import type { Entry } from './entry.ts'
import { awaitLease, keepLeases, releaseLease } from './lease-hold.ts'
import { isVacant, type Lease, type LeaseRead } from './leasing.ts'
import type { Flight } from './single-flight.ts'

/** What a loader is told. */
export interface LoadContext {
  /** The key as the caller gave it, without the prefix of a namespace. */
  readonly key: string
}

/** Gets the value of a key from where it really lives. `undefined` means not found, and is not stored. */
export type Loader<V> = (context: LoadContext) => V | Promise<V>

/** One read-through call, with its key whole (`address`) and as the caller gave it. */
export interface ReadThrough<V> {
  readonly address: string
  readonly key: string
  readonly loader: Loader<V>
  readonly options: EntryOptions
}

/**
 * The path of a read: in flight → stored → lease → load → fill. A value at hand costs no more than its promise;
 * otherwise one flight looks up and loads for everyone who asks meanwhile and, under a lease, for other processes.
 */
export function readThrough<V>(engine: Engine, call: ReadThrough<V>): Promise<V> {
  const flight = engine.flights.get(call.address)
  if (flight) return join(engine, call.address, flight) as Promise<V>

  const found = engine.readOrLease(call.address)
  if (!isPending(found) && found && !isVacant(found)) {
    engine.hit(call.address)
    return Promise.resolve(found.value as V)
  }

  const started = engine.flights.begin(call.address)
  const promise = lookUpAndLoad(engine, call, started, found)
  started.promise = promise
  return promise
}

/** Waits for a flight under way; it counts as what the lookup turns out to be. */
export function join(engine: Engine, address: string, flight: Flight): Promise<unknown> {
  if (flight.loading) {
    engine.sharedLoads++
    engine.miss(address)
  } else {
    flight.joined.push(engine)
  }
  return flight.promise
}

/** Begins with an `await`, so that the flight is complete before a loader can ask for anything. */
async function lookUpAndLoad<V>(
  engine: Engine,
  call: ReadThrough<V>,
  flight: Flight,
  pending: Awaitable<LeaseRead>,
): Promise<V> {
  const { address } = call
  try {
    const found = await lookUp(engine, address, flight, pending)
    if (found) {
      for (const caller of [engine, ...flight.joined]) caller.hit(address)
      return found.value as V
    }
    startLoading(engine, address, flight)
    return await (flight.lease
      ? loadUnderLease(engine, call, flight, flight.lease)
      : loadAlone(engine, call, flight))
  } finally {
    engine.flights.end(address, flight)
  }
}

/** What is stored, waiting for whoever loads it already. @returns `undefined` if it is ours to load, with `flight.lease` if possible */
async function lookUp(
  engine: Engine,
  address: string,
  flight: Flight,
  pending: Awaitable<LeaseRead>,
): Promise<Entry | undefined> {
  let read = await pending
  if (isVacant(read) && !read.lease) read = await awaitLease(engine, address, flight)
  if (!isVacant(read)) return read
  flight.lease = read.lease
  return undefined
}

async function loadAlone<V>(engine: Engine, call: ReadThrough<V>, flight: Flight): Promise<V> {
  const value = await load(engine, call)
  if (isToBeKept(engine, call, flight, value)) await fill(engine, call, flight, value)
  return value
}

/** The lease lasts as long as the loader runs, and ends with the fill, or without one. */
async function loadUnderLease<V>(
  engine: Engine,
  call: ReadThrough<V>,
  flight: Flight,
  lease: Lease,
): Promise<V> {
  const stop = keepLeases(engine, new Map([[call.address, lease]]))
  let filled = false
  try {
    const value = await load(engine, call)
    stop()
    filled = isToBeKept(engine, call, flight, value)
    if (filled) await fill(engine, call, flight, value)
    return value
  } finally {
    stop()
    if (!filled) releaseLease(engine, call.address, lease)
  }
}

/** The lookup found nothing: all who waited for it are misses, and share the load. */
export function startLoading(engine: Engine, address: string, flight: Flight): void {
  engine.flights.startLoading(address, flight)
  engine.miss(address)
  for (const caller of flight.joined) {
    caller.sharedLoads++
    caller.miss(address)
  }
}

async function load<V>(engine: Engine, { address, key, loader }: ReadThrough<V>): Promise<V> {
  const start = performance.now()
  try {
    const value = await loader({ key })
    loaded(engine, [address], performance.now() - start)
    return value
  } catch (error) {
    loadFailed(engine, [address], performance.now() - start, error)
    throw error
  }
}

/** Whether there is something, and neither its key nor one of its tags was invalidated since the load began. */
function isToBeKept(
  { flights }: Engine,
  { options }: ReadThrough<unknown>,
  { superseded, since }: Flight,
  value: unknown,
): boolean {
  return value !== undefined && !superseded && !flights.tags.isOutdated(options.tags, since)
}

/** A value that cannot be stored is still the caller's: the load succeeded. */
function fill<V>(
  engine: Engine,
  { address, options }: ReadThrough<V>,
  { lease }: Flight,
  value: V,
): Promise<void> {
  return engine.aside('set', async () => engine.fill(address, engine.entry(value, options), lease))
}

/** Counts and tells one run of a loader that gave values. */
export function loaded(engine: Engine, addresses: readonly string[], durationMs: number): void {
  engine.loads++
  engine.report({ type: 'load', outcome: 'ok', durationMs })
  if (engine.events.has('load')) for (const key of addresses) engine.events.emit('load', { key, durationMs })
}

/** Counts and tells one run of a loader that failed. */
export function loadFailed(
  engine: Engine,
  addresses: readonly string[],
  durationMs: number,
  error: unknown,
): void {
  engine.loadErrors++
  engine.report({ type: 'load', outcome: 'error', durationMs })
  for (const key of addresses) engine.events.emit('loadError', { key, error })
}
