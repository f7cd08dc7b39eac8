import type { CacheStats, StoreHealth } from '@cache/core'
import { expect, test } from 'vitest'
import { Meter } from '../src/demo/meter.ts'
import type { Report } from '../src/demo/replay.ts'

const latency = { p50Ms: 1, p99Ms: 2, worstMs: 3 }
const report = (requests: number, recent: number, errors = 0): Report => ({
  ...latency,
  requests,
  errors,
  staleReads: 0,
  recent: { ...latency, requests: recent, seconds: 2 },
})

interface Counted {
  hits: number
  misses: number
  l1: number
  /** What Redis counted; `undefined` without it. */
  l2?: number
}

function metered(counts: Counted, health?: StoreHealth) {
  const stats = () =>
    ({
      hits: counts.hits,
      misses: counts.misses,
      tiers: [
        { tier: 'memory', hits: counts.l1 },
        ...(counts.l2 === undefined ? [] : [{ tier: 'redis', hits: counts.l2 }]),
      ],
    }) as unknown as CacheStats
  return { cache: { stats, health: () => health }, origin: { queries: counts.misses } }
}

test('now is what happened since the last look, in all is everything; tiers are shares of all reads', () => {
  const counts = { hits: 60, misses: 40, l1: 50, l2: 10 }
  const watched = metered(counts)
  const meter = new Meter(watched, 30)
  meter.look(report(100, 100))
  Object.assign(counts, { hits: 150, misses: 50, l1: 110, l2: 40 })
  const { recent, total, elapsedSeconds } = meter.look(report(200, 100, 4))
  expect(recent).toMatchObject({ hitRatio: 0.9, l1HitRatio: 0.6, l2HitRatio: 0.3, requestsPerSecond: 50 })
  expect(total).toMatchObject({ hitRatio: 0.75, l1HitRatio: 0.55, l2HitRatio: 0.2, requestsPerSecond: 50 })
  expect(recent.errors).toBe(4)
  expect(elapsedSeconds).toBe(4)
})

test('reads that share a lookup in Redis are hits there, each of them', () => {
  const { total } = new Meter(metered({ hits: 90, misses: 10, l1: 50, l2: 25 }), 30).look(report(100, 100))
  expect(total).toMatchObject({ hitRatio: 0.9, l1HitRatio: 0.5, l2HitRatio: 0.4 })
})

test('on memory alone nothing comes from Redis', () => {
  const { total } = new Meter(metered({ hits: 90, misses: 10, l1: 90 }), 30).look(report(100, 100))
  expect(total).toMatchObject({ hitRatio: 0.9, l1HitRatio: 0.9, l2HitRatio: 0 })
})

test('before the first read every ratio is 0', () => {
  const { total } = new Meter(metered({ hits: 0, misses: 0, l1: 0, l2: 0 }), 30).look(report(0, 0))
  expect(total).toMatchObject({ hitRatio: 0, l1HitRatio: 0, l2HitRatio: 0 })
})

test.each([
  [undefined, 'none, memory only'],
  [{ available: true, state: 'coherent' }, 'up'],
  [{ available: true, state: 'bypass' }, 'up, reads go past memory'],
  [{ available: false, state: 'fallback' }, 'away, memory answers'],
] as const)('health %j reads "%s"', (health, words) => {
  const watched = metered({ hits: 0, misses: 0, l1: 0, l2: 0 }, health)
  expect(new Meter(watched, 30).look(report(0, 0)).redis).toBe(words)
})
