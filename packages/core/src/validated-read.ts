import { type Awaitable, chain, isPending } from './awaitable.ts'
import * as batch from './batch.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { isVacant, type LeaseRead, type Vacancy } from './leasing.ts'
import { isNegative } from './negative.ts'
import { Mismatch, type Validator } from './schema.ts'
import type { StoreCall } from './store.ts'

/** As {@link Engine.read}; a value that does not match the schema is not there. */
export function read(
  engine: Engine,
  schema: Validator | undefined,
  address: string,
  call?: StoreCall,
): Awaitable<Entry | undefined> {
  const found = engine.read(address, call)
  return schema === undefined ? found : chain(found, entry => entry && sift(engine, schema, address, entry))
}

/** As {@link Engine.readOrLease}; a value that does not match the schema is not there, but may be replaced. */
export function readOrLease(
  engine: Engine,
  schema: Validator | undefined,
  address: string,
  freshAt?: number,
  call?: StoreCall,
): Awaitable<LeaseRead> {
  const found = engine.readOrLease(address, freshAt, call)
  if (schema === undefined) return found
  return chain(found, read => {
    if (read === undefined) return undefined
    if (isVacant(read)) return siftVacancy(engine, schema, address, read)
    return chain(
      sift(engine, schema, address, read),
      entry => entry ?? leaseInstead(engine, schema, address, read, call),
    )
  })
}

/** As `readMany` of a batch; values that do not match the schema are not there. */
export async function readMany(
  engine: Engine,
  schema: Validator | undefined,
  addresses: readonly string[],
  batchSize: number,
  call?: StoreCall,
): Promise<Map<string, Entry>> {
  const found = await batch.readMany(engine, addresses, batchSize, call)
  if (schema === undefined) return found
  const pending: Promise<unknown>[] = []
  const keep = (address: string, entry: Entry | undefined): void => {
    if (entry) found.set(address, entry)
    else found.delete(address)
  }
  for (const [address, entry] of found) {
    const sifted = sift(engine, schema, address, entry)
    if (isPending(sifted)) pending.push(sifted.then(kept => keep(address, kept)))
    else keep(address, sifted)
  }
  await Promise.all(pending)
  return found
}

/** For the store the value is there, and it gave no lease for it: that is asked for as for one that is to be replaced. */
function leaseInstead(
  engine: Engine,
  schema: Validator,
  address: string,
  refused: Entry,
  call: StoreCall | undefined,
): Awaitable<LeaseRead> {
  if (!engine.leasing) return undefined
  const found = engine.readOrLease(address, Math.max(refused.freshUntil, engine.clock.now()), call)
  return chain(found, read => {
    if (read === undefined) return undefined
    return isVacant(read) ? siftVacancy(engine, schema, address, read) : sift(engine, schema, address, read)
  })
}

function siftVacancy(
  engine: Engine,
  schema: Validator,
  address: string,
  vacancy: Vacancy,
): Awaitable<Vacancy> {
  const { vacant, lease, stale } = vacancy
  if (!stale) return vacancy
  return chain(sift(engine, schema, address, stale), kept =>
    kept ? { vacant, lease, stale: kept } : { vacant, lease },
  )
}

/** An entry with what its value comes to; if that does not match, nothing but an event. */
function sift(
  engine: Engine,
  schema: Validator,
  address: string,
  entry: Entry,
): Awaitable<Entry | undefined> {
  if (isNegative(entry)) return entry
  return chain(schema.read(entry.value), output => {
    if (output === entry.value) return entry
    if (!(output instanceof Mismatch) && output !== undefined) return { ...entry, value: output }
    engine.mismatch(address, output instanceof Mismatch ? output.paths : [])
    return undefined
  })
}
