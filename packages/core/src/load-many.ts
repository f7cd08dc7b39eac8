import { deleteMany, eachChunk, fillMany } from './batch.ts'
import { board } from './boarding.ts'
import { CHANNELS, messageOf, traced } from './channels.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { Flight } from './flight.ts'
import { isFresh } from './freshness.ts'
import { type Hold, releaseLease } from './lease-keeper.ts'
import { isVacant } from './leasing.ts'
import { type LoadReport, loadFailed, loadSucceeded } from './load-report.ts'
import { loadEach, type ManyLoader } from './many-loader.ts'
import { negativeEntry, unwrap } from './negative.ts'
import type { Policy } from './policy.ts'
import { leaseToReplace, mayRefresh, staleOr, startLoading } from './read-through.ts'
import { admitEach, Refusal, refusedOf } from './refusal.ts'
import { readOrLease } from './validated-read.ts'

/** What many keys are loaded for: one `getOrSetMany` call. */
export interface ManyLoad<V> {
  /** Whole keys, each with the key as the caller gave it. */
  readonly addresses: ReadonlyMap<string, string>
  readonly loadMissing: ManyLoader<V>
  readonly policy: Policy
  readonly batchSize: number
}

type Flights = ReadonlyMap<string, Flight>
/** By whole key; `undefined` was not found, and a {@link Refusal} does not match the schema. */
type Values = ReadonlyMap<string, unknown>

/** Keys that are loaded in one call, each with its flight. */
export class SharedLoad<V> {
  readonly #engine: Engine
  readonly #call: ManyLoad<V>
  readonly #flights = new Map<string, Flight>()
  #loading: Promise<Values> | undefined

  constructor(engine: Engine, call: ManyLoad<V>) {
    this.#engine = engine
    this.#call = call
  }

  /** A listener that is told of the miss may ask for the key at once: by then the flight is complete. */
  load(address: string, stale: Entry | undefined): Promise<unknown> {
    const flight = this.#begin(address, stale)
    const promise = board(flight, flight.policy)
    startLoading(flight)
    return promise
  }

  /** Loads behind a hit, unless that is under way. */
  refresh(address: string, entry: Entry): void {
    if (!mayRefresh(this.#engine, address)) return
    const flight = this.#begin(address, entry)
    flight.wanted = true
    startLoading(flight)
  }

  #begin(address: string, stale: Entry | undefined): Flight {
    const engine = this.#engine
    const flight = engine.flights.begin(new Flight(engine, address, this.#call.policy))
    if (stale) flight.stale = stale
    this.#flights.set(address, flight)
    this.#loading ??= loadAndFill(engine, this.#call, this.#flights)
    flight.promise = this.#loading.then(
      values => {
        const value = values.get(address)
        return value instanceof Refusal ? staleOr(flight, value.error) : value
      },
      error => staleOr(flight, error),
    )
    flight.promise.catch(() => {}) // Perhaps nobody waits.
    return flight
  }
}

/** @returns the values that were found meanwhile, and those loaded */
async function loadAndFill<V>(engine: Engine, call: ManyLoad<V>, flights: Flights): Promise<Values> {
  await undefined // Until all flights have begun.
  try {
    const found = await leaseEach(engine, call, flights)
    const missing = [...flights.keys()].filter(address => !found.has(address))
    if (missing.length === 0) return found
    const loaded = await load(engine, call, flights, missing)
    await fill(engine, call, flights, loaded)
    return found.size === 0 ? loaded : new Map([...found, ...loaded])
  } finally {
    for (const [address, flight] of flights) {
      engine.flights.end(flight)
      if (flight.lease) releaseLease(engine, address, flight.lease)
    }
  }
}

/** Asks for the lease of each key, where the store grants any. @returns what need not be loaded here */
async function leaseEach<V>(
  engine: Engine,
  { batchSize, policy }: ManyLoad<V>,
  flights: Flights,
): Promise<Values> {
  const found = new Map<string, unknown>()
  if (!engine.leasing) return found
  await eachChunk(new Set(flights.keys()), batchSize, async chunk => {
    await Promise.all(
      chunk.map(async address => {
        const entry = await lease(engine, policy, address, flights.get(address) as Flight)
        if (entry) found.set(address, unwrap(entry))
      }),
    )
  })
  return found
}

/**
 * Asks for the lease of a key. What another process loads that is not there at all is loaded here as well, for this call
 * alone.
 *
 * @returns what another process stored meanwhile, or is about to replace
 */
async function lease(
  engine: Engine,
  policy: Policy,
  address: string,
  flight: Flight,
): Promise<Entry | undefined> {
  const { stale } = flight
  const ahead = isFresh(engine, stale) ? stale : undefined
  const read = ahead
    ? await leaseToReplace(engine, policy, address, ahead)
    : await readOrLease(engine, policy.schema, address, undefined, policy.call)
  engine.noteLease(read)
  if (!isVacant(read)) {
    return read && (ahead ? read.freshUntil > ahead.freshUntil : isFresh(engine, read)) ? read : undefined
  }
  flight.lease = read.lease
  if (!flight.invalidated) flight.stale = read.stale
  if (read.lease || !read.stale) return undefined
  flight.tell('stale')
  return read.stale
}

/** @returns a value or `undefined` for each of the missing */
async function load<V>(
  engine: Engine,
  call: ManyLoad<V>,
  flights: Flights,
  missing: readonly string[],
): Promise<Values> {
  const { addresses, policy } = call
  const holds = holdsOf(engine, flights)
  const report: LoadReport = {
    addresses: missing,
    refreshed: missing.filter(address => flights.get(address)?.stale),
    startedAt: performance.now(),
  }
  const fail = (failed: LoadReport, error: unknown): void => {
    for (const address of policy.errorTtl > 0 ? failed.addresses : []) {
      if (!flights.get(address)?.superseded) engine.remember(address, error, policy.errorTtl)
    }
    loadFailed(engine, failed, error)
  }
  try {
    const keys = missing.map(address => addresses.get(address) as string)
    const given = await callLoader(engine, call, keys)
    const values = policy.schema === undefined ? given : await admitEach(policy.schema, given)
    const loaded = new Map(missing.map((address, index) => [address, values[index]]))
    const refused = policy.schema && refusedOf(report, loaded)
    if (refused) fail(refused.report, refused.error)
    if (!refused || refused.kept.addresses.length > 0) loadSucceeded(engine, refused?.kept ?? report)
    return loaded
  } catch (error) {
    fail(report, error)
    throw error
  } finally {
    for (const hold of holds) engine.leases.end(hold)
  }
}

function callLoader<V>(
  engine: Engine,
  { addresses, loadMissing }: ManyLoad<V>,
  keys: readonly string[],
): Promise<(V | undefined)[]> {
  if (!CHANNELS.load.hasSubscribers) return loadEach(loadMissing, keys)
  const [[address, key] = ['', '']] = addresses
  const prefix = address.slice(0, address.length - key.length)
  const message = messageOf({ engine, prefix }, 'load', keys.length)
  return traced(CHANNELS.load, message, () => loadEach(loadMissing, keys))
}

/** The leases last as long as the loader runs. */
function holdsOf(engine: Engine, flights: Flights): Hold[] {
  const holds: Hold[] = []
  for (const [address, { lease }] of flights) if (lease) holds.push(engine.leases.keep(address, lease))
  return holds
}

/** Values that cannot be stored are still the caller's: the load succeeded. What was not found is removed if it is stored. */
async function fill<V>(
  engine: Engine,
  { policy, batchSize }: ManyLoad<V>,
  flights: Flights,
  values: Values,
): Promise<void> {
  const entries = new Map<string, Entry>()
  const gone: string[] = []
  for (const [address, value] of values) {
    const flight = flights.get(address) as Flight
    if (flight.superseded || engine.flights.tags.isOutdated(policy.tags, flight.since)) continue
    if (value instanceof Refusal) continue
    if (value !== undefined) entries.set(address, engine.entry(value, policy))
    else if (policy.negativeTtl > 0) entries.set(address, negativeEntry(engine, policy, policy.tags))
    else if (flight.stale) gone.push(address)
  }
  await engine.aside('setMany', () =>
    engine.leasing
      ? fillLeased(engine, entries, flights, { policy, batchSize })
      : fillMany(engine, entries, batchSize, policy.call),
  )
  if (gone.length > 0)
    await engine.aside('deleteMany', () => deleteMany(engine, gone, batchSize, policy.call))
}

/** Each under its own lease. What is invalidated while it waits for its turn is refused by the store, or is not sent. */
async function fillLeased(
  engine: Engine,
  entries: ReadonlyMap<string, Entry>,
  flights: Flights,
  { policy, batchSize }: Pick<ManyLoad<unknown>, 'policy' | 'batchSize'>,
): Promise<void> {
  await eachChunk(new Set(entries.keys()), batchSize, async chunk => {
    await Promise.all(
      chunk.map(async address => {
        const flight = flights.get(address) as Flight
        const { lease } = flight
        if (flight.superseded) return
        flight.lease = undefined
        await engine.fill(address, entries.get(address) as Entry, lease, policy.call)
      }),
    )
  })
}
