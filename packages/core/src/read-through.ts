import { type Awaitable, isPending } from './awaitable.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
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
  /** Milliseconds. */
  readonly ttl: number
}

/**
 * The path of a read: stored → in flight → lookup → load → fill. A value at hand costs no more than its promise;
 * otherwise one flight looks up and loads for everyone who asks meanwhile.
 */
export function readThrough<V>(engine: Engine, call: ReadThrough<V>): Promise<V> {
  const flight = engine.flights.get(call.address)
  if (flight) return join(engine, call.address, flight) as Promise<V>

  const found = engine.read(call.address)
  if (!isPending(found) && found) {
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
  pending: Awaitable<Entry | undefined>,
): Promise<V> {
  try {
    const found = await pending
    if (found) {
      for (const caller of [engine, ...flight.joined]) caller.hit(call.address)
      return found.value as V
    }
    startLoading(engine, call.address, flight)
    const value = await load(engine, call)
    if (value !== undefined && !flight.superseded) await fill(engine, call, value)
    return value
  } finally {
    engine.flights.end(call.address, flight)
  }
}

/** The lookup found nothing: all who waited for it are misses, and share the load. */
export function startLoading(engine: Engine, address: string, flight: Flight): void {
  flight.loading = true
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

/** A value that cannot be stored is still the caller's: the load succeeded. */
function fill<V>(engine: Engine, { address, ttl }: ReadThrough<V>, value: V): Promise<void> {
  return engine.aside('set', () =>
    engine.write('set', () => engine.store.set(address, engine.entry(value, ttl))),
  )
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
