import { join } from './boarding.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { isDue, isFresh } from './freshness.ts'
import { type ManyLoad, SharedLoad } from './load-many.ts'
import { unwrap } from './negative.ts'
import { readMany } from './validated-read.ts'

type Awaited = Map<string, Promise<unknown>>

/**
 * Reads many keys through: those in flight are joined, those stored and fresh are read, and the rest, missing or stale, are
 * loaded in one call, each as a flight that single reads can join. The result is by the callers' keys.
 */
export async function readThroughMany<V>(engine: Engine, call: ManyLoad<V>): Promise<Map<string, V>> {
  const { addresses, batchSize, policy } = call
  if (policy.signal?.aborted) throw policy.signal.reason
  const values = new Map<string, unknown>()
  const awaited: Awaited = new Map()
  const missing = new SharedLoad(engine, call)
  const due = new SharedLoad(engine, call)

  const asked = [...addresses.keys()].filter(address => !joinFlight(engine, call, address, awaited))
  const lookUp = new LookUp(engine, asked)
  try {
    const found = await readMany(engine, policy.schema, asked, batchSize, policy.call)
    for (const address of asked) {
      const entry = found.get(address)
      if (isFresh(engine, entry)) {
        engine.hit(address)
        values.set(address, unwrap(entry))
        if (policy.early && lookUp.stands(address, entry) && isDue(engine, policy, entry))
          due.refresh(address, entry)
      } else if (!joinFlight(engine, call, address, awaited)) {
        const stale = lookUp.stands(address, entry) ? entry : undefined
        awaited.set(address, recall(engine, address, stale) ?? missing.load(address, stale))
      }
    }
  } finally {
    lookUp.end()
  }
  for (const [address, value] of await allOf(awaited)) values.set(address, value)

  const result = new Map<string, V>()
  for (const [address, key] of addresses) {
    const value = values.get(address)
    if (value !== undefined) result.set(key, value as V)
  }
  return result
}

/**
 * Keys that are being looked up and are no flights yet. What one of them had when it was invalidated goes to those who asked before,
 * if it is fresh, and to nobody who comes later.
 */
class LookUp {
  readonly #engine: Engine
  readonly #standing: Set<string>
  readonly #since: number
  readonly end: () => void

  constructor(engine: Engine, addresses: readonly string[]) {
    const { flights } = engine
    this.#engine = engine
    this.#standing = new Set(addresses)
    this.#since = flights.tags.now
    this.end = flights.hold(this.#standing, 'load')
  }

  /** Whether what was found was invalidated neither by its key nor by a tag. */
  stands(address: string, entry: Entry | undefined): boolean {
    return this.#standing.has(address) && !this.#engine.flights.tags.isOutdated(entry?.tags, this.#since)
  }
}

function joinFlight<V>(engine: Engine, { policy }: ManyLoad<V>, address: string, awaited: Awaited): boolean {
  const flight = engine.flights.joinable(address)
  if (!flight) return false
  awaited.set(address, join(engine, flight, policy))
  return true
}

/** What a key gives whose error is remembered: `undefined` if none is. */
function recall(engine: Engine, address: string, stale: Entry | undefined): Promise<unknown> | undefined {
  const failure = engine.failures?.get(address)
  if (!failure) return undefined
  engine.miss(address)
  if (!stale) return Promise.reject(failure.error)
  engine.stale(address)
  return Promise.resolve(unwrap(stale))
}

/** All of them, also if one fails: nothing is left half done behind a rejection. @throws what the first failed with */
async function allOf(awaited: Awaited): Promise<ReadonlyMap<string, unknown>> {
  const settled = await Promise.allSettled(awaited.values())
  const values = new Map<string, unknown>()
  for (const [index, address] of [...awaited.keys()].entries()) {
    const outcome = settled[index] as PromiseSettledResult<unknown>
    if (outcome.status === 'rejected') throw outcome.reason
    values.set(address, outcome.value)
  }
  return values
}
