import { eachChunk, fillMany, readMany } from './batch.ts'
import type { Engine, EntryOptions } from './engine.ts'
import type { Entry } from './entry.ts'
import { CacheError, kindOf } from './errors.ts'
import { keepLeases, releaseLease } from './lease-hold.ts'
import { isVacant, type Lease } from './leasing.ts'
import { join, loaded, loadFailed, startLoading } from './read-through.ts'
import type { Flight } from './single-flight.ts'

/** Gets the values of many keys at once; a key that is not in the result was not found. */
export type ManyLoader<V> = (keys: readonly string[]) => Loaded<V> | Promise<Loaded<V>>

/** Values by key: a `Map`, or a plain object. */
export type Loaded<V> = ReadonlyMap<string, V> | Readonly<Record<string, V>>

/** One `getOrSetMany` call. */
export interface ReadThroughMany<V> {
  /** Whole keys, each with the key as the caller gave it. */
  readonly addresses: ReadonlyMap<string, string>
  readonly loadMissing: ManyLoader<V>
  readonly options: EntryOptions
  readonly batchSize: number
}

/** What became of the keys that were missing. */
interface Obtained<V> {
  readonly values: ReadonlyMap<string, V>
  /** Those of the values that are to be stored; the others were found stored by somebody else meanwhile. */
  readonly loaded: ReadonlyMap<string, V>
}

/**
 * Reads many keys through: those in flight are joined, those stored are read, and the rest are loaded in one
 * call, each as a flight that single reads can join. The result is by the callers' keys.
 */
export async function readThroughMany<V>(engine: Engine, call: ReadThroughMany<V>): Promise<Map<string, V>> {
  const { addresses, batchSize } = call
  const joined = new Map<string, Promise<unknown>>()
  const started = new Map<string, Flight>()
  const values = new Map<string, unknown>()
  let loading: Promise<Obtained<V>> | undefined

  const asked = [...addresses.keys()].filter(address => !joinFlight(engine, address, joined))
  const found = await readMany(engine, asked, batchSize)
  for (const address of asked) {
    const entry = found.get(address)
    if (entry) {
      engine.hit(address)
      values.set(address, entry.value)
    } else if (!joinFlight(engine, address, joined)) {
      loading ??= loadMissing(engine, call, started)
      started.set(address, beginFlight(engine, address, loading))
    }
  }
  if (loading)
    for (const [address, value] of await fillFrom(engine, call, started, loading)) values.set(address, value)
  for (const [address, promise] of joined) values.set(address, await promise)

  const result = new Map<string, V>()
  for (const [address, key] of addresses) {
    const value = values.get(address)
    if (value !== undefined) result.set(key, value as V)
  }
  return result
}

function joinFlight(engine: Engine, address: string, joined: Map<string, Promise<unknown>>): boolean {
  const flight = engine.flights.get(address)
  if (!flight) return false
  joined.set(address, join(engine, address, flight))
  return true
}

/** A listener that is told of the miss may ask for the key at once: by then the flight is complete. */
function beginFlight<V>(engine: Engine, address: string, loading: Promise<Obtained<V>>): Flight {
  const flight = engine.flights.begin(address)
  flight.promise = loading.then(({ values }) => values.get(address))
  flight.promise.catch(() => {}) // Perhaps nobody joins.
  startLoading(engine, address, flight)
  return flight
}

async function fillFrom<V>(
  engine: Engine,
  call: ReadThroughMany<V>,
  started: ReadonlyMap<string, Flight>,
  loading: Promise<Obtained<V>>,
): Promise<ReadonlyMap<string, V>> {
  try {
    const { values, loaded: own } = await loading
    await fill(engine, call, started, own)
    return values
  } finally {
    for (const [address, flight] of started) {
      engine.flights.end(address, flight)
      if (flight.lease) releaseLease(engine, address, flight.lease)
    }
  }
}

async function loadMissing<V>(
  engine: Engine,
  { addresses, loadMissing, batchSize }: ReadThroughMany<V>,
  started: ReadonlyMap<string, Flight>,
): Promise<Obtained<V>> {
  await undefined // Until all flights have begun.
  const found = await leaseEach<V>(engine, started, batchSize)
  const missing = [...started.keys()].filter(address => !found.has(address))
  if (missing.length === 0) return { values: found, loaded: new Map() }
  const stop = keepLeases(engine, leasesOf(started))
  const start = performance.now()
  try {
    const result = await loadMissing(missing.map(address => addresses.get(address) as string))
    const values = byAddress(result, addresses, missing)
    loaded(engine, missing, performance.now() - start)
    return { values: found.size === 0 ? values : new Map([...found, ...values]), loaded: values }
  } catch (error) {
    loadFailed(engine, missing, performance.now() - start, error)
    throw error
  } finally {
    stop()
  }
}

/**
 * Asks for the lease of each key, where the store grants any: what another process stored meanwhile is found by that. What
 * another one is loading just now is loaded here as well, for this call alone.
 */
async function leaseEach<V>(
  engine: Engine,
  started: ReadonlyMap<string, Flight>,
  batchSize: number,
): Promise<Map<string, V>> {
  const found = new Map<string, V>()
  if (!engine.leasing) return found
  await eachChunk(new Set(started.keys()), batchSize, async chunk => {
    await Promise.all(
      chunk.map(async address => {
        const read = await engine.readOrLease(address)
        const flight = started.get(address)
        if (isVacant(read) && flight) flight.lease = read.lease
        else if (read && !isVacant(read)) found.set(address, read.value as V)
      }),
    )
  })
  return found
}

function leasesOf(flights: ReadonlyMap<string, Flight>): Map<string, Lease> {
  const leases = new Map<string, Lease>()
  for (const [address, { lease }] of flights) if (lease) leases.set(address, lease)
  return leases
}

function byAddress<V>(
  result: Loaded<V>,
  addresses: ReadonlyMap<string, string>,
  missing: readonly string[],
): Map<string, V> {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    throw new CacheError(
      'INVALID_VALUE',
      `loadMissing must return a Map or an object of values by key; received ${kindOf(result)}`,
    )
  }
  const values = new Map<string, V>()
  for (const address of missing) {
    const key = addresses.get(address) as string
    const value = result instanceof Map ? result.get(key) : own(result as Record<string, V>, key)
    if (value !== undefined) values.set(address, value as V)
  }
  return values
}

function own<V>(object: Readonly<Record<string, V>>, key: string): V | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Values that cannot be stored are still the caller's: the load succeeded. */
function fill<V>(
  engine: Engine,
  { options, batchSize }: ReadThroughMany<V>,
  started: ReadonlyMap<string, Flight>,
  values: ReadonlyMap<string, V>,
): Promise<void> {
  const entries = new Map<string, Entry>()
  for (const [address, value] of values) {
    const flight = started.get(address)
    if (!flight || flight.superseded || engine.flights.tags.isOutdated(options.tags, flight.since)) continue
    entries.set(address, engine.entry(value, options))
  }
  return engine.aside('setMany', () =>
    engine.leasing ? fillLeased(engine, entries, started, batchSize) : fillMany(engine, entries, batchSize),
  )
}

/** Each under its own lease. What is invalidated while it waits for its turn is refused by the store, or is not sent. */
async function fillLeased(
  engine: Engine,
  entries: ReadonlyMap<string, Entry>,
  started: ReadonlyMap<string, Flight>,
  batchSize: number,
): Promise<void> {
  await eachChunk(new Set(entries.keys()), batchSize, async chunk => {
    await Promise.all(
      chunk.map(async address => {
        const flight = started.get(address) as Flight
        const { lease } = flight
        if (flight.superseded) return
        flight.lease = undefined
        // One that cannot be stored must not keep the others from it.
        await engine.aside('set', () => engine.fill(address, entries.get(address) as Entry, lease))
      }),
    )
  })
}
