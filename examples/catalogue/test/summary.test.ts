import { expect, test } from 'vitest'
import type { Counts } from '../src/demo/meter.ts'
import type { Report } from '../src/demo/replay.ts'
import { inWords, summarize } from '../src/demo/summary.ts'

const latency = { p50Ms: 1.25, p99Ms: 6.5, worstMs: 40 }
const report: Report = {
  ...latency,
  requests: 1_010,
  errors: 0,
  staleReads: 0,
  recent: { ...latency, requests: 10, seconds: 1 },
}
const counts: Counts = { errors: 0, reads: 1_000, hits: 900, l1Hits: 700, l2Hits: 200, originQueries: 95 }
const summary = summarize(report, counts, 'own', 1)

test('the summary has what --json promises: ratios are shares of all reads', () => {
  expect(summary).toEqual({
    ...latency,
    requests: 1_010,
    errors: 0,
    hitRatio: 0.9,
    l1HitRatio: 0.7,
    l2HitRatio: 0.2,
    originQueries: 95,
    redis: 'own',
    outages: 1,
  })
})

test('in words it says what failed first, what was stale, and how much of the trace was played', () => {
  const good = inWords(summary, report, 2_020)
  expect(good).toContain('1,010 requests, the first 50.0 % of the trace; failed: none')
  expect(good).toContain('stale reads: none')
  const failing = { ...report, errors: 3, firstError: 'no answer', staleReads: 2 }
  const bad = inWords(summarize(failing, counts, 'own', 1), failing, 505)
  expect(bad).toContain('the trace 2.0 times; failed: 3, the first: no answer')
  expect(bad).toContain('stale reads: 2')
})
