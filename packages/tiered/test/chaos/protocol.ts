import type { StoreHealth, WriteStatus } from '@cache/core'
import type { TieredStoreOptions } from '../../src/index.ts'

/** Where a server listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** What lies in the cache under a key: which key it is, and which version of it. */
export interface Versioned {
  readonly key: number
  readonly version: number
  readonly padding: string
}

export type ReadKind = 'get' | 'getMany' | 'getOrSet' | 'getOrSetMany'
export type WriteKind =
  | 'delete'
  | 'set'
  | 'deleteMany'
  | 'setMany'
  | 'invalidateTags'
  | 'clear of a namespace'
  | 'clear'

/** What a process is about to write. */
export interface Intent {
  readonly kind: WriteKind
  readonly keys: readonly number[]
}

/** An invalidation that ended. Times by the clock that all processes share. */
export interface Write {
  /** Of its place, counted up: a process that replaces another goes on behind it. */
  readonly id: number
  readonly kind: WriteKind
  readonly keys: readonly number[]
  readonly versions: readonly number[]
  readonly startedAt: number
  readonly endedAt: number
  readonly status: WriteStatus
}

/** A read in a process whose stream of invalidations is broken, while Redis answers. */
export interface PastNear {
  readonly key: number
  readonly version: number
  readonly startedAt: number
}

export type ViolationKind =
  | 'stale'
  | 'stale in bypass'
  | 'own write not seen'
  | 'never written'
  | 'late'
  | 'slow with the breaker open'
  | 'rejected'
  | 'failed write'
  | 'applied while nobody could'
  | 'unhandled'
  | 'processes disagree'
  | 'out of bounds'
  | 'not recovered'
  | 'did not end'
  | 'hit ratio'
  | 'too many loads'

export interface Violation {
  readonly kind: ViolationKind
  readonly what: string
}

/** What a process is told at its start. */
export interface WorkerOptions {
  /** Which of the processes it is; one that replaces another takes its place. */
  readonly slot: number
  /** How many were in its place before. */
  readonly incarnation: number
  readonly processes: number
  readonly seed: number
  /** How a `RedisStore` reaches Redis. */
  readonly redis:
    | { readonly url: string }
    | { readonly connection: object }
    | {
        readonly cluster: {
          readonly nodes: readonly Address[]
          readonly natMap: Readonly<Record<string, Address>>
        }
      }
  readonly prefix: string
  readonly bus: 'pubsub' | 'tracking'
  readonly maxItems: number
  /** Further options of its `TieredStore`. */
  readonly tiered: Omit<TieredStoreOptions, 'l1' | 'l2' | 'bus' | 'clock'>
  readonly floors: readonly number[]
  readonly ownWritesExpected: boolean
}

/** What a process did and how it fared, since its start. */
export interface Tally {
  readonly reads: number
  readonly hits: number
  readonly misses: number
  readonly loads: number
  /** Milliseconds without the delay of its loop, of `get` and `getMany` only: the others may wait for loaders. */
  readonly worstRead: number
  readonly worstReadBreakerOpen: number
  readonly worstWrite: number
  readonly writes: Readonly<Record<string, number>>
  readonly gaps: number
  readonly breakerOpened: number
}

/** The versions a process sees of every key, `null` for none. */
export interface Audit {
  readonly near: readonly (number | null)[]
  readonly seen: readonly (number | null)[]
  readonly items: number
  readonly inFlight: number
}

/** What a process can be asked. */
export type OfWorker = {
  health(none: null): StoreHealth
  /** No more reads and writes from here on. @returns when those under way have ended */
  pause(none: null): Promise<void>
  resume(none: null): void
  /** Writes a lot at once, just before or while something goes wrong. */
  burst(none: null): Promise<void>
  /** Invalidates a key that nobody else uses. */
  publishBarrier(name: string): Promise<WriteStatus>
  /** Whether a message of it arrived. */
  sawBarrier(name: string): boolean
  /** From now on no read that begins may return an older version. */
  enforce(floors: readonly number[]): void
  /** Whether its own writes must be seen. */
  expectOwnWrites(expected: boolean): void
  audit(none: null): Promise<Audit>
  tally(none: null): Tally
  history(none: null): readonly HistoryEvent[]
  /** Closes the cache; the process has to end by itself then. */
  stop(none: null): Promise<void>
}

/** What the process that holds the truth can be asked. */
export type OfTruth = {
  /** The versions of keys as they were a moment ago: a loader's work. */
  load(keys: readonly number[]): Promise<readonly number[]>
  /** New versions of those keys that may be written; they have to be invalidated. */
  bump(intent: Intent): readonly (number | null)[]
  wrote(write: Write): void
  /** The invalidations of these writes had to wait, and have been applied. */
  confirmed(ids: readonly number[]): void
  /** All that the processes in its place had queued before it has been applied. */
  inheritanceApplied(none: null): void
  readPastNear(read: PastNear): void
  tell(violation: Violation): void
}

/** One operation of a process, for the check of runs without faults. */
export type HistoryEvent =
  | {
      readonly type: 'read'
      readonly key: number
      readonly version: number
      readonly startedAt: number
      readonly endedAt: number
    }
  | ({ readonly type: 'write' } & Write)
