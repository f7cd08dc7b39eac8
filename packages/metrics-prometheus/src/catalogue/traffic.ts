import { type EventMetric, each, eachOfTier, from, perCache, type ReadMetric } from './metric.ts'

/** From a primary-key lookup to a slow report, in seconds. */
const LOAD_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What callers ask of a cache, and what it does for that. */
export const TRAFFIC: readonly ReadMetric[] = [
  {
    name: 'requests_total',
    type: 'counter',
    help: 'Reads by what they were given.',
    ...each('outcome', ({ stats: { hits, stales, misses } }) => ({
      hit: hits,
      stale: stales,
      miss: misses - stales,
    })),
  },
  {
    name: 'tier_requests_total',
    type: 'counter',
    help: 'Reads of each tier by what was there.',
    ...eachOfTier('outcome', ({ hits, misses }) => ({ hit: hits, miss: misses })),
  },
  {
    name: 'sets_total',
    type: 'counter',
    help: 'Keys written by callers; what loaders stored counts as loads.',
    ...perCache(({ stats }) => stats.sets),
  },
  {
    name: 'deletes_total',
    type: 'counter',
    help: 'Keys deleted by callers, whether or not they existed.',
    ...perCache(({ stats }) => stats.deletes),
  },
  {
    name: 'writes_total',
    type: 'counter',
    help: 'Writes by what became of them, those of loaded values too; a chunk of a batch is one.',
    ...each('outcome', ({ stats }) => stats.writes),
  },
  {
    name: 'failed_operations_total',
    type: 'counter',
    help: 'Store operations that failed; reads became misses, writes said so.',
    ...perCache(({ stats }) => stats.errors),
  },
  {
    name: 'loads_total',
    type: 'counter',
    help: 'Loaders that ended, by how.',
    ...each('outcome', ({ stats }) => ({ ok: stats.loads, error: stats.loadErrors })),
  },
  {
    name: 'loads_in_flight',
    type: 'gauge',
    help: 'Loaders running now.',
    ...perCache(({ stats }) => stats.inFlight),
  },
  {
    name: 'shared_loads_total',
    type: 'counter',
    help: 'Calls that waited for a load already under way in place of a load of their own.',
    ...perCache(({ stats }) => stats.sharedLoads),
  },
  {
    name: 'refreshes_total',
    type: 'counter',
    help: 'Loads that were to replace a value that was still there, by how they ended.',
    ...each('outcome', ({ stats }) => ({ ok: stats.refreshes, error: stats.refreshErrors })),
  },
  {
    name: 'leases_total',
    type: 'counter',
    help: 'Leases to load for all processes: granted to this one, denied as another had it, expired while it loaded.',
    ...each('outcome', ({ stats }) => stats.leases),
  },
  {
    name: 'warm_ups_total',
    type: 'counter',
    help: 'Items of warm-ups that ended, by how.',
    ...each('outcome', ({ stats: { warmUps } }) => ({ done: warmUps.done, failed: warmUps.failed })),
  },
  {
    name: 'warm_ups_queued',
    type: 'gauge',
    help: 'Items that wait to be warmed up.',
    ...perCache(({ stats }) => stats.warmUps.queued),
  },
]

export const TRAFFIC_EVENTS: readonly EventMetric[] = [
  {
    name: 'load_duration_seconds',
    type: 'histogram',
    help: 'Time that loaders took.',
    labels: ['cache', 'outcome'],
    buckets: LOAD_BUCKETS,
    initial: () => [{ outcome: 'ok' }, { outcome: 'error' }],
    sample: from('load', ({ outcome, durationMs }) => [{ outcome }, durationMs / 1_000]),
  },
]
