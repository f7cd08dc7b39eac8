import type { CacheError } from './errors.ts'

/**
 * What became of a write.
 *
 * - `applied`: every tier has it.
 * - `queued`: kept here and in a journal; the remote gets the invalidation as soon as it can.
 * - `partial`: some of it: one tier of two, or some keys of a batch (see `failures`).
 * - `failed`: nobody has it and nobody will.
 */
export type WriteStatus = 'applied' | 'queued' | 'partial' | 'failed'

/** The honest result of a write: it says what happened, and never `applied` for work not done. */
export interface WriteOutcome {
  readonly status: WriteStatus
  /** Why it is not `applied`. */
  readonly error?: CacheError
  /** Of a batch that is not `applied` throughout: the keys that failed, each with its reason. */
  readonly failures?: ReadonlyMap<string, CacheError>
}

/** The outcome of every write that simply worked: one object for all, so that success costs nothing. */
export const APPLIED: WriteOutcome = /* @__PURE__ */ Object.freeze({ status: 'applied' })

/** The outcome of a write that nobody has. */
export function failed(error: CacheError): WriteOutcome {
  return { status: 'failed', error }
}

/** The outcome of a batch of `size` keys of which `failures` failed. */
export function batchOutcome(size: number, failures: ReadonlyMap<string, CacheError>): WriteOutcome {
  const [first] = failures.values()
  if (!first) return APPLIED
  return { status: failures.size < size ? 'partial' : 'failed', error: first, failures }
}
