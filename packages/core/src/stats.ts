import type { TierStats } from './store.ts'

/** A plain snapshot of what a cache did since it was made. */
export interface CacheStats {
  /** Reads that found a value. */
  readonly hits: number
  /** Reads that did not; a `getOrSet` that loads is one miss. */
  readonly misses: number
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
  /** Calls that shared a load already under way. */
  readonly sharedLoads: number
  /** Store operations that failed; reads became misses, writes said so. */
  readonly errors: number
  /** Loads under way now. */
  readonly inFlight: number
  /** Entries removed for want of room, over all tiers that count them. */
  readonly evictions: number
  /** Entries removed because their time was up, over all tiers that count them. */
  readonly expirations: number
  /** Each tier, nearest first; empty when the store does not measure itself. */
  readonly tiers: readonly TierStats[]
}
