import type { CacheStats, StoreHealth } from '@cache/core'
import type { Report } from './replay.ts'
import type { Snapshot } from './table.ts'

/** What the demo looks at. */
export interface Metered {
  readonly cache: { stats(): CacheStats; health(): StoreHealth | undefined }
  readonly origin: { readonly queries: number }
}

/** Everything that only grows. */
export interface Counts {
  readonly errors: number
  readonly reads: number
  readonly hits: number
  readonly l1Hits: number
  readonly l2Hits: number
  readonly originQueries: number
}

/** Shares of all reads, 0 to 1; the tiers add up to the whole. */
export interface HitRatios {
  readonly hitRatio: number
  readonly l1HitRatio: number
  readonly l2HitRatio: number
}

/** Turns what cache, origin and traffic counted into what happened since the last look, and in all. */
export class Meter {
  readonly #metered: Metered
  readonly #durationSeconds: number
  #elapsedSeconds = 0
  #before: Counts = { errors: 0, reads: 0, hits: 0, l1Hits: 0, l2Hits: 0, originQueries: 0 }

  constructor(metered: Metered, durationSeconds: number) {
    this.#metered = metered
    this.#durationSeconds = durationSeconds
  }

  look(report: Report): Snapshot {
    const now = countsOf(this.#metered, report)
    const recent = difference(now, this.#before)
    this.#before = now
    this.#elapsedSeconds += report.recent.seconds
    return {
      elapsedSeconds: this.#elapsedSeconds,
      durationSeconds: this.#durationSeconds,
      redis: redisInWords(this.#metered.cache.health()),
      recent: {
        ...recent,
        ...hitRatios(recent),
        requestsPerSecond: report.recent.requests / report.recent.seconds,
        p50Ms: report.recent.p50Ms,
        p99Ms: report.recent.p99Ms,
      },
      total: {
        ...now,
        ...hitRatios(now),
        requestsPerSecond: report.requests / this.#elapsedSeconds,
        p50Ms: report.p50Ms,
        p99Ms: report.p99Ms,
      },
    }
  }
}

export function countsOf({ cache, origin }: Metered, { errors }: Pick<Report, 'errors'>): Counts {
  const { hits, misses, tiers } = cache.stats()
  const l1Hits = tiers[0]?.hits ?? 0
  return {
    errors,
    reads: hits + misses,
    hits,
    l1Hits,
    // Not the hits that Redis counts: several reads that wait for one lookup are one hit there.
    l2Hits: tiers.length > 1 ? hits - l1Hits : 0,
    originQueries: origin.queries,
  }
}

export function hitRatios({ reads, hits, l1Hits, l2Hits }: Counts): HitRatios {
  const share = (n: number): number => (reads === 0 ? 0 : n / reads)
  return { hitRatio: share(hits), l1HitRatio: share(l1Hits), l2HitRatio: share(l2Hits) }
}

function difference(now: Counts, before: Counts): Counts {
  return {
    errors: now.errors - before.errors,
    reads: now.reads - before.reads,
    hits: now.hits - before.hits,
    l1Hits: now.l1Hits - before.l1Hits,
    l2Hits: now.l2Hits - before.l2Hits,
    originQueries: now.originQueries - before.originQueries,
  }
}

function redisInWords(health: StoreHealth | undefined): string {
  if (!health) return 'none, memory only'
  if (!health.available) return 'away, memory answers'
  return health.state === 'bypass' ? 'up, reads go past memory' : 'up'
}
