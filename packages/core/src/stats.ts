import type { TierStats } from './store.ts'

/** A plain snapshot of what a cache did since it was made. */
export interface CacheStats {
  /** Reads that found a fresh value, or that it is known not to exist. */
  readonly hits: number
  /** Reads that did not; a `getOrSet` that loads is one miss. */
  readonly misses: number
  /** Of the misses, those that were given a stale value. */
  readonly stales: number
  /** `hits / (hits + misses)`, 0 before the first read. */
  readonly hitRatio: number
  /** Keys the caller wrote, whether or not the store took them; what loaders give counts as `loads`. */
  readonly sets: number
  /** Keys the caller deleted, whether or not they existed. */
  readonly deletes: number
  /** Loaders that succeeded, also those that found nothing. */
  readonly loads: number
  /** Loaders that failed. */
  readonly loadErrors: number
  /** Of the loads, those of keys that had a value still, fresh or stale. */
  readonly refreshes: number
  /** Of the loaders that failed, those for such keys: the value stayed. */
  readonly refreshErrors: number
  /** Calls that shared a load already under way. */
  readonly sharedLoads: number
  /** Store operations that failed; reads became misses, writes said so. */
  readonly errors: number
  /** Stored values that did not match the schema, whoever asked for them; they count as not there. */
  readonly mismatches: number
  /** Loads under way now. */
  readonly inFlight: number
  /** Entries removed for want of room, over all tiers that count them. */
  readonly evictions: number
  /** Entries removed because their time was up, over all tiers that count them. */
  readonly expirations: number
  /** Each tier, nearest first; empty when the store does not measure itself. */
  readonly tiers: readonly TierStats[]
}

/** What a cache counts itself. */
export class Counters {
  hits = 0
  misses = 0
  stales = 0
  sets = 0
  deletes = 0
  loads = 0
  loadErrors = 0
  refreshes = 0
  refreshErrors = 0
  sharedLoads = 0
  errors = 0
  mismatches = 0
}

export function snapshot(counts: Counters, inFlight: number, tiers: readonly TierStats[]): CacheStats {
  const { hits, misses } = counts
  return {
    ...counts,
    hitRatio: hits + misses === 0 ? 0 : hits / (hits + misses),
    inFlight,
    evictions: sum(tiers, 'evictions'),
    expirations: sum(tiers, 'expirations'),
    tiers,
  }
}

function sum(tiers: readonly TierStats[], field: 'evictions' | 'expirations'): number {
  return tiers.reduce((total, tier) => total + (tier[field] ?? 0), 0)
}
