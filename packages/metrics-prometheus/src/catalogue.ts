import type { CacheStats, StoreHealth, TelemetryEvent, TierState, TierStats } from '@cache/core'

/** Labels and value of one series; a value that nobody knows leaves the series out. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number | undefined]

/** What a cache tells about itself at one scrape. */
export interface Reading {
  readonly cache: string
  readonly stats: CacheStats
  readonly health: StoreHealth | undefined
}

interface Declaration {
  /** Without the prefix. */
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

/** A metric whose numbers are kept by the caches and read at scrape. */
export interface ReadMetric extends Declaration {
  readonly type: 'counter' | 'gauge'
  /** What several numbers for one series become: caches of one name, workers of one cluster. Default `sum`. */
  readonly aggregator?: 'sum' | 'min' | 'max'
  read(reading: Reading): readonly Sample[]
}

/** A metric fed by events, none of which is on the path of a near hit. */
export interface EventMetric extends Declaration {
  readonly type: 'counter' | 'histogram'
  /** Upper bounds of a histogram, in seconds. */
  readonly buckets?: readonly number[]
  sample(event: TelemetryEvent): Sample | undefined
}

const BREAKER_STATES = ['closed', 'open', 'half-open'] as const
const TIER_STATES: readonly TierState[] = ['coherent', 'bypass', 'fallback']

/** From a loopback Redis to a deadline that passed. */
const REMOTE_BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
/** From a primary-key lookup to a slow report. */
const LOAD_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

const perCache = (read: (reading: Reading) => number | undefined) => (reading: Reading) =>
  [[{ cache: reading.cache }, read(reading)]] satisfies Sample[]

type Counted = Exclude<keyof TierStats, 'tier'>

const perTier = (field: Counted) => (reading: Reading) =>
  reading.stats.tiers.map(tier => [{ cache: reading.cache, tier: tier.tier }, tier[field]] satisfies Sample)

/** Every metric, declared once: the exposition and the table of the README follow from these two lists. */
export const READ_METRICS: readonly ReadMetric[] = [
  {
    name: 'requests_total',
    type: 'counter',
    help: 'Reads by what they found.',
    labels: ['cache', 'outcome'],
    read: ({ cache, stats }) => [
      [{ cache, outcome: 'hit' }, stats.hits],
      [{ cache, outcome: 'miss' }, stats.misses],
    ],
  },
  {
    name: 'tier_hits_total',
    type: 'counter',
    help: 'Reads answered by each tier.',
    labels: ['cache', 'tier'],
    read: perTier('hits'),
  },
  {
    name: 'sets_total',
    type: 'counter',
    help: 'Keys written by callers; what loaders stored counts as loads.',
    labels: ['cache'],
    read: perCache(({ stats }) => stats.sets),
  },
  {
    name: 'deletes_total',
    type: 'counter',
    help: 'Keys deleted by callers, whether or not they existed.',
    labels: ['cache'],
    read: perCache(({ stats }) => stats.deletes),
  },
  {
    name: 'loads_total',
    type: 'counter',
    help: 'Loaders that ended, by how.',
    labels: ['cache', 'outcome'],
    read: ({ cache, stats }) => [
      [{ cache, outcome: 'ok' }, stats.loads],
      [{ cache, outcome: 'error' }, stats.loadErrors],
    ],
  },
  {
    name: 'shared_loads_total',
    type: 'counter',
    help: 'Calls that shared a load already under way.',
    labels: ['cache'],
    read: perCache(({ stats }) => stats.sharedLoads),
  },
  {
    name: 'stale_reads_total',
    type: 'counter',
    help: 'Reads that were given a stale value; they count as misses, too.',
    labels: ['cache'],
    read: perCache(({ stats }) => stats.stales),
  },
  {
    name: 'refreshes_total',
    type: 'counter',
    help: 'Loads that were to replace a value that was still there, by how they ended.',
    labels: ['cache', 'outcome'],
    read: ({ cache, stats }) => [
      [{ cache, outcome: 'ok' }, stats.refreshes],
      [{ cache, outcome: 'error' }, stats.refreshErrors],
    ],
  },
  {
    name: 'failed_operations_total',
    type: 'counter',
    help: 'Store operations that failed; reads became misses, writes said so.',
    labels: ['cache'],
    read: perCache(({ stats }) => stats.errors),
  },
  {
    name: 'evictions_total',
    type: 'counter',
    help: 'Entries removed for want of room.',
    labels: ['cache', 'tier'],
    read: perTier('evictions'),
  },
  {
    name: 'expirations_total',
    type: 'counter',
    help: 'Entries removed because their time was up.',
    labels: ['cache', 'tier'],
    read: perTier('expirations'),
  },
  {
    name: 'items',
    type: 'gauge',
    help: 'Entries held now.',
    labels: ['cache', 'tier'],
    read: perTier('items'),
  },
  {
    name: 'size_bytes',
    type: 'gauge',
    help: 'Bytes held now, where the tier knows or estimates them.',
    labels: ['cache', 'tier'],
    read: perTier('bytes'),
  },
  {
    name: 'loads_in_flight',
    type: 'gauge',
    help: 'Loaders running now.',
    labels: ['cache'],
    read: perCache(({ stats }) => stats.inFlight),
  },
  {
    name: 'remote_available',
    type: 'gauge',
    help: 'Whether the remote would answer now: 1 or 0.',
    labels: ['cache'],
    aggregator: 'min',
    read: perCache(({ health }) => health && Number(health.available)),
  },
  {
    name: 'tier_state',
    type: 'gauge',
    help: 'State of the tiers: 1 for the present state, 0 for the others.',
    labels: ['cache', 'state'],
    aggregator: 'max',
    read: ({ cache, health }) =>
      TIER_STATES.map(state => [{ cache, state }, health?.state && Number(health.state === state)]),
  },
  {
    name: 'pool_connections',
    type: 'gauge',
    help: 'Connections the pool is meant to hold.',
    labels: ['cache'],
    read: perCache(({ health }) => health?.pool?.size),
  },
  {
    name: 'pool_connections_ready',
    type: 'gauge',
    help: 'Connections of the pool that can take a command now.',
    labels: ['cache'],
    read: perCache(({ health }) => health?.pool?.ready),
  },
  {
    name: 'pool_commands_in_flight',
    type: 'gauge',
    help: 'Commands waiting for an answer now.',
    labels: ['cache'],
    read: perCache(({ health }) => health?.pool?.inFlight),
  },
  {
    name: 'journal_entries',
    type: 'gauge',
    help: 'Invalidations that wait for the remote to come back.',
    labels: ['cache'],
    read: perCache(({ health }) => health?.journal),
  },
  {
    name: 'journal_oldest_age_seconds',
    type: 'gauge',
    help: 'How long the invalidation that has waited longest for the remote does; 0 if none waits.',
    labels: ['cache'],
    aggregator: 'max',
    read: perCache(({ health }) =>
      health?.journal === undefined ? undefined : (health.journalAgeMs ?? 0) / 1_000,
    ),
  },
  {
    name: 'breaker_state',
    type: 'gauge',
    help: 'State of the breaker in front of the remote: 1 for the present state, 0 for the others.',
    labels: ['cache', 'state'],
    aggregator: 'max',
    read: ({ cache, health }) =>
      BREAKER_STATES.map(state => [{ cache, state }, health?.breaker && Number(health.breaker === state)]),
  },
  {
    name: 'promotions_total',
    type: 'counter',
    help: 'Entries of the remote that were kept near.',
    labels: ['cache', 'tier'],
    read: perTier('promotions'),
  },
  {
    name: 'superseded_fills_total',
    type: 'counter',
    help: 'Loaded values that the remote refused, since their key was written or removed meanwhile.',
    labels: ['cache', 'tier'],
    read: perTier('supersededFills'),
  },
]

export const EVENT_METRICS: readonly EventMetric[] = [
  {
    name: 'load_duration_seconds',
    type: 'histogram',
    help: 'Time that loaders took.',
    labels: ['outcome'],
    buckets: LOAD_BUCKETS,
    sample: event =>
      event.type === 'load' ? [{ outcome: event.outcome }, event.durationMs / 1_000] : undefined,
  },
  {
    name: 'remote_operation_duration_seconds',
    type: 'histogram',
    help: 'Time that calls to a remote store took.',
    labels: ['store', 'operation', 'outcome'],
    buckets: REMOTE_BUCKETS,
    sample: event =>
      event.type === 'remote'
        ? [
            { store: event.store, operation: event.operation, outcome: event.outcome },
            event.durationMs / 1_000,
          ]
        : undefined,
  },
  {
    name: 'errors_total',
    type: 'counter',
    help: 'Failures that callers were spared, by code.',
    labels: ['store', 'operation', 'code'],
    sample: event =>
      event.type === 'error'
        ? [{ store: event.store, operation: event.operation, code: event.error.code }, 1]
        : undefined,
  },
  {
    name: 'state_changes_total',
    type: 'counter',
    help: 'Times a tiered store entered a state.',
    labels: ['store', 'state'],
    sample: event => (event.type === 'state' ? [{ store: event.store, state: event.state }, 1] : undefined),
  },
  {
    name: 'gaps_total',
    type: 'counter',
    help: 'Times that invalidations may have been missed.',
    labels: ['store'],
    sample: event => (event.type === 'gap' ? [{ store: event.store }, 1] : undefined),
  },
  {
    name: 'flushes_total',
    type: 'counter',
    help: 'Times the near tier was dropped to be safe.',
    labels: ['store'],
    sample: event => (event.type === 'flush' ? [{ store: event.store }, 1] : undefined),
  },
  {
    name: 'breaker_transitions_total',
    type: 'counter',
    help: 'Times the breaker in front of a remote entered a state.',
    labels: ['store', 'state'],
    sample: event => (event.type === 'breaker' ? [{ store: event.store, state: event.state }, 1] : undefined),
  },
  {
    name: 'setbacks_total',
    type: 'counter',
    help: 'Times a server may have lost what it had confirmed.',
    labels: ['store'],
    sample: event => (event.type === 'setback' ? [{ store: event.store }, 1] : undefined),
  },
  {
    name: 'journal_overflows_total',
    type: 'counter',
    help: 'Times more waited for the remote than the journal holds, so that everything was invalidated.',
    labels: ['store'],
    sample: event => (event.type === 'overflow' ? [{ store: event.store }, 1] : undefined),
  },
  {
    name: 'recovered_invalidations_total',
    type: 'counter',
    help: 'Invalidations that waited for the remote and were applied when it was back.',
    labels: ['store'],
    sample: event => (event.type === 'recovered' ? [{ store: event.store }, event.invalidations] : undefined),
  },
]
