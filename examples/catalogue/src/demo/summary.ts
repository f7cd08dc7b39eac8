import { type Counts, hitRatios } from './meter.ts'
import type { RedisOrigin } from './redis-source.ts'
import type { Report } from './replay.ts'
import { count, ms, percent } from './table.ts'

/** What `--json` prints. */
export interface Summary {
  readonly requests: number
  readonly errors: number
  /** Shares of all reads, 0 to 1; the tiers add up to the whole. */
  readonly hitRatio: number
  readonly l1HitRatio: number
  readonly l2HitRatio: number
  readonly originQueries: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly worstMs: number
  readonly redis: RedisOrigin
  /** How often this demo killed its Redis. */
  readonly outages: number
}

export function summarize(report: Report, counts: Counts, redis: RedisOrigin, outages: number): Summary {
  const { hitRatio, l1HitRatio, l2HitRatio } = hitRatios(counts)
  return {
    requests: report.requests,
    errors: report.errors,
    hitRatio: rounded(hitRatio),
    l1HitRatio: rounded(l1HitRatio),
    l2HitRatio: rounded(l2HitRatio),
    originQueries: counts.originQueries,
    p50Ms: report.p50Ms,
    p99Ms: report.p99Ms,
    worstMs: report.worstMs,
    redis,
    outages,
  }
}

/**
 * The summary for people.
 *
 * @param references in the trace
 */
export function inWords(summary: Summary, report: Report, references: number): string {
  const { requests, hitRatio, l1HitRatio, l2HitRatio, originQueries, p50Ms, p99Ms, worstMs } = summary
  const failed =
    report.firstError === undefined ? 'none' : `${count(report.errors)}, the first: ${report.firstError}`
  return [
    `  ${count(requests)} requests, ${played(requests / references)}; failed: ${failed}`,
    `  stale reads: ${report.staleReads === 0 ? 'none' : count(report.staleReads)}`,
    `  ${percent(hitRatio)} hits: ${percent(l1HitRatio)} from memory, ${percent(l2HitRatio)} from Redis`,
    `  ${count(originQueries)} queries to the origin`,
    `  p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, worst ${ms(worstMs)}`,
  ].join('\n')
}

function played(times: number): string {
  return times < 1 ? `the first ${percent(times)} of the trace` : `the trace ${times.toFixed(1)} times`
}

function rounded(ratio: number): number {
  return Math.round(ratio * 10_000) / 10_000
}
