import type { Awaitable } from './awaitable.ts'
import type { Entry } from './entry.ts'
import { CacheError, isCallersFault, toCacheError } from './errors.ts'
import { APPLIED, batchOutcome, failed, type WriteOutcome } from './outcome.ts'
import { type Batching, type BatchRead, isBatching, type Store, type StoreCall } from './store.ts'

/** The batch operations of any store: its own where it has them, else one call a key, all at once. */
export function batched(store: Store): Batching {
  if (isBatching(store)) return store
  return {
    getMany: (keys, call) => getEach(store, keys, call),
    setMany: (entries, call) =>
      writeEach(store, [...entries.keys()], key => store.set(key, entries.get(key) as Entry, call)),
    deleteMany: (keys, call) => writeEach(store, keys, key => store.delete(key, call)),
  }
}

/** Several writes, each with its keys, as one: `applied` only if all are, and every key that failed is named. */
export function mergeOutcomes(
  parts: readonly { keys: readonly string[]; outcome: WriteOutcome }[],
): WriteOutcome {
  const failures = new Map<string, CacheError>()
  let worst: WriteOutcome = APPLIED
  let size = 0
  for (const { keys, outcome } of parts) {
    size += keys.length
    for (const [key, error] of failuresOf(keys, outcome)) failures.set(key, error)
    if (outcome.status === 'partial' || worst.status === 'applied') worst = outcome
  }
  return failures.size > 0 ? batchOutcome(size, failures) : worst
}

function failuresOf(
  keys: readonly string[],
  { status, error, failures }: WriteOutcome,
): Iterable<[string, CacheError]> {
  if (failures) return failures
  if (status !== 'failed') return []
  const reason = error ?? new CacheError('STORE', 'the store gave no reason')
  return keys.map(key => [key, reason])
}

/** Throws what the caller must mend, if for that nothing at all was written. */
export function throwIfRefused(outcome: WriteOutcome): WriteOutcome {
  const errors = [...(outcome.failures?.values() ?? [outcome.error])]
  if (outcome.status === 'failed' && errors.every(isCallersFault)) throw outcome.error
  return outcome
}

async function getEach(
  store: Store,
  keys: readonly string[],
  call: StoreCall | undefined,
): Promise<BatchRead> {
  const found = new Map<string, Entry>()
  const failures = new Map<string, CacheError>()
  const settled = await Promise.allSettled(keys.map(async key => store.get(key, call)))
  for (const [index, result] of settled.entries()) {
    const key = keys[index] as string
    if (result.status === 'rejected' && isCallersFault(result.reason)) throw result.reason
    if (result.status === 'rejected') failures.set(key, failureOf(store, 'get', result.reason))
    else if (result.value) found.set(key, result.value)
  }
  return failures.size > 0 ? { found, failures } : { found }
}

async function writeEach(
  store: Store,
  keys: readonly string[],
  write: (key: string) => Awaitable<WriteOutcome>,
): Promise<WriteOutcome> {
  const settled = await Promise.allSettled(keys.map(async key => write(key)))
  const parts = settled.map((result, index) => ({
    keys: [keys[index] as string],
    outcome: result.status === 'fulfilled' ? result.value : failed(failureOf(store, 'write', result.reason)),
  }))
  return throwIfRefused(mergeOutcomes(parts))
}

function failureOf(store: Store, operation: string, thrown: unknown): CacheError {
  return toCacheError(thrown, 'STORE', `${store.name} failed in ${operation}`)
}
