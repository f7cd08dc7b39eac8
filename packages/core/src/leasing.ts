import type { Awaitable } from './awaitable.ts'
import type { Entry } from './entry.ts'
import type { WriteOutcome } from './outcome.ts'
import type { StoreCall } from './store.ts'

/**
 * The right to load the value of a key for everyone who shares a store. Whoever writes or removes the key takes it
 * away, and what was loaded under it is then refused (leases: Nishtala et al., "Scaling Memcache at Facebook",
 * NSDI 2013).
 */
export interface Lease {
  /** Names this lease among all that were ever granted for its key. */
  readonly token: string
  /** The server's order at the time it was granted, for what is loaded under it; see {@link Entry.stamp}. */
  readonly stamp?: number
}

/** There is no value that is fresh, and whether the caller is the one to load it. */
export interface Vacancy {
  readonly vacant: true
  /** `undefined`: somebody else is loading. */
  readonly lease: Lease | undefined
  /** What is stored still, though it is not fresh any more. */
  readonly stale?: Entry
}

/** A value, a vacancy or, from a store that cannot say who loads now, neither: then everybody may load. */
export type LeaseRead = Entry | Vacancy | undefined

/** What became of a value loaded under a lease; `superseded`: somebody wrote or removed the key meanwhile. */
export type FillOutcome = WriteOutcome | { readonly status: 'superseded'; readonly error?: undefined }

/** Every fill that came too late. */
export const SUPERSEDED: FillOutcome = /* @__PURE__ */ Object.freeze({ status: 'superseded' })

/**
 * Optional: lets one of all the processes that share a store load a value while the others wait, and keeps what was
 * loaded before an invalidation from being stored after it, in whatever process.
 */
export interface Leasing {
  /**
   * Reads a key; if there is no value, or none that is fresh at `freshAt`, also asks for the lease, and what is stored still
   * comes with the answer. A store that does not look at `freshAt` hands a stale entry out as it is: its value can then be
   * loaded by everybody, and without a lease.
   *
   * @param leaseMs after so many milliseconds without renewal the lease is anybody's
   * @param freshAt epoch milliseconds: only an entry whose `freshUntil` is later is an answer by itself. Later than now for
   *   whoever would replace a value ahead of time. Default: now
   */
  getOrLease(key: string, leaseMs: number, freshAt?: number, call?: StoreCall): Awaitable<LeaseRead>
  /**
   * Stores what was loaded, if the lease still stands. Without a lease (there was none to be had) only where no other
   * process could be wronged.
   */
  fill(key: string, entry: Entry, lease: Lease | undefined, call?: StoreCall): Awaitable<FillOutcome>
  /** Keeps a lease for another `leaseMs` from now. @returns whether it still stood */
  renew(key: string, lease: Lease, leaseMs: number): Awaitable<boolean>
  /** Gives a lease up: nothing will be stored under it, and the next who asks may load. */
  release(key: string, lease: Lease): Awaitable<void>
}

export function isVacant(read: LeaseRead): read is Vacancy {
  return read !== undefined && (read as Vacancy).vacant === true
}

export function isLeasing<S extends object>(store: S): store is S & Leasing {
  const { getOrLease, fill, renew, release } = store as Partial<Leasing>
  return [getOrLease, fill, renew, release].every(method => typeof method === 'function')
}
