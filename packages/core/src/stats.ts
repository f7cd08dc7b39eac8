import type { WriteStatus } from './outcome.ts'
import type { TierStats } from './store.ts'

/** What a cache counts itself. */
export interface CacheCounts {
  /** Reads that found a fresh value, or that it is known not to exist. */
  readonly hits: number
  /** Reads that did not; a `getOrSet` that loads is one miss. */
  readonly misses: number
  /** Of the misses, those that were given a stale value. */
  readonly stales: number
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
}

/** What its tiers count, together. */
interface Removed {
  /** Entries removed for want of room, over all tiers that count them. */
  readonly evictions: number
  /** Entries removed because their time was up, over all tiers that count them. */
  readonly expirations: number
}

const TIER_COUNTS = [
  'hits',
  'misses',
  'evictions',
  'evictionsForBytes',
  'expirations',
  'promotions',
  'supersededFills',
] as const
type TierCount = (typeof TIER_COUNTS)[number]

/** What one tier holds now, and did within a period; its `codec` and `messages` tell of all the time since it was made. */
export interface TierPeriod extends TierStats {
  /** Of the reads that nearer tiers did not answer, the part that this one did; 0 without any. Not there if it counts no hits. */
  readonly hitRatio?: number
  readonly perSecond: Readonly<Partial<Record<TierCount, number>>>
}

/** What a cache did within a period. */
export interface StatsPeriod extends CacheCounts, Removed {
  /** When it began, in milliseconds since the epoch. */
  readonly since: number
  readonly seconds: number
  /** `hits / (hits + misses)`, 0 before the first read. */
  readonly hitRatio: number
  /** Each count divided by the seconds; 0 within the first millisecond. */
  readonly perSecond: Readonly<Record<keyof CacheCounts | keyof Removed, number>>
  /** Each tier, nearest first; empty when the store does not measure itself. */
  readonly tiers: readonly TierPeriod[]
}

/** What a cache and its namespaces did since the cache was made. */
export interface CacheStats extends CacheCounts, CacheTallies, Removed {
  /** `hits / (hits + misses)`, 0 before the first read. */
  readonly hitRatio: number
  /** Loads under way now. */
  readonly inFlight: number
  /** Each tier, nearest first; empty when the store does not measure itself. */
  readonly tiers: readonly TierStats[]
}

/** Leases to load a value for all processes. */
export interface LeaseStats {
  /** Given to this process. */
  readonly granted: number
  /** Asked for while another process had it. */
  readonly denied: number
  /** Of those granted, those that ran out while the loader ran: it was given no time to renew them. */
  readonly expired: number
}

/** Values written before anyone asked for them. */
export interface WarmUpStats {
  /** Items waiting now. */
  readonly queued: number
  /** Items written. */
  readonly done: number
  /** Items that could not be written anywhere. */
  readonly failed: number
}

/** What became of writes, leases and warm-ups since the cache was made; not told by periods. */
export interface CacheTallies {
  /** Writes by what became of them, those of loaded values too; a chunk of a batch is one. */
  readonly writes: Readonly<Record<WriteStatus, number>>
  /** Over a store that grants leases. */
  readonly leases: LeaseStats
  /** Of `warm` and of the warm-up queues. */
  readonly warmUps: WarmUpStats
}

/** The same as a plain snapshot with rates, and once more since `resetStats`. */
export interface CacheReport extends StatsPeriod, CacheStats {
  readonly tiers: readonly TierPeriod[]
  /** Since the last `resetStats`; since the cache was made if there was none. */
  readonly sinceReset: StatsPeriod
}

/** The tallies of a cache, as they run. */
export class Tallies {
  readonly writes: Record<WriteStatus, number> = { applied: 0, queued: 0, partial: 0, failed: 0 }
  readonly leases: Record<keyof LeaseStats, number> = { granted: 0, denied: 0, expired: 0 }
  readonly warmUps: Record<'done' | 'failed', number> = { done: 0, failed: 0 }

  snapshot(queued: number): CacheTallies {
    return {
      writes: { ...this.writes },
      leases: { ...this.leases },
      warmUps: { queued, ...this.warmUps },
    }
  }
}

/** The counters of a cache, as they run. */
export class Counters implements CacheCounts {
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

/** How all counters stood at a moment. */
export interface Mark {
  /** Epoch milliseconds. */
  readonly at: number
  readonly counts: CacheCounts
  readonly tiers: readonly TierStats[]
}

/** The period between two moments. */
export function periodOf(start: Mark, end: Mark): StatsPeriod {
  const seconds = Math.max(0, end.at - start.at) / 1_000
  const counts = less(end.counts, start.counts)
  const reads = counts.hits + counts.misses
  const tiers = tiersOf(start, end, { reads, seconds })
  const removed = { evictions: sum(tiers, 'evictions'), expirations: sum(tiers, 'expirations') }
  return {
    ...counts,
    ...removed,
    since: start.at,
    seconds,
    hitRatio: ratio(counts.hits, reads),
    perSecond: rates({ ...counts, ...removed }, seconds),
    tiers,
  }
}

function tiersOf(
  start: Mark,
  end: Mark,
  { reads, seconds }: { readonly reads: number; readonly seconds: number },
): TierPeriod[] {
  let asked = reads
  return end.tiers.map((tier, index) => {
    const counts = less(countsOf(tier), countsOf(start.tiers[index]))
    const period = { ...tier, ...counts, perSecond: rates(counts, seconds) }
    if (counts.hits === undefined) return period
    const hitRatio = Math.min(1, ratio(counts.hits, asked))
    asked = Math.max(0, asked - counts.hits)
    return { ...period, hitRatio }
  })
}

/** Those that a tier keeps. */
function countsOf(tier: TierStats | undefined): Partial<Record<TierCount, number>> {
  const kept = TIER_COUNTS.filter(name => tier?.[name] !== undefined)
  return Object.fromEntries(kept.map(name => [name, tier?.[name]]))
}

/** What numbers have grown by. */
function less<T extends object>(now: T, before: Partial<T>): T {
  const names = Object.keys(now) as (keyof T)[]
  return Object.fromEntries(
    names.map(name => [name, (now[name] as number) - ((before[name] as number | undefined) ?? 0)]),
  ) as T
}

function rates<T extends object>(counts: T, seconds: number): { readonly [K in keyof T]: number } {
  const pairs = Object.entries(counts).map(([name, count]) => [name, ratio(count, seconds)])
  return Object.fromEntries(pairs)
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function sum(tiers: readonly TierStats[], count: keyof Removed): number {
  return tiers.reduce((total, tier) => total + (tier[count] ?? 0), 0)
}
