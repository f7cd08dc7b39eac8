import type { TelemetryEvent } from '@cache/core'
import { type EventMetric, from, type Labels, type Reading } from './metric.ts'
import { BREAKER_STATES, TIER_STATES } from './remote.ts'

/** From a loopback Redis to a deadline that passed, in seconds. */
const REMOTE_BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
/** From one network hop to a process that does not keep up, in seconds. */
const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const KEY_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000]

/** Of a cache that has a remote; another one will never count there. */
const once = ({ health }: Reading): readonly Labels[] => (health ? [{}] : [])

/** What happens between a cache and its remote. */
export const INCIDENTS: readonly EventMetric[] = [
  {
    name: 'remote_operation_duration_seconds',
    type: 'histogram',
    help: 'Time that calls to a remote store took.',
    labels: ['cache', 'tier', 'operation', 'outcome'],
    buckets: REMOTE_BUCKETS,
    sample: from('remote', ({ store, operation, outcome, durationMs }) => [
      { tier: store, operation, outcome },
      durationMs / 1_000,
    ]),
  },
  {
    name: 'remote_batch_keys',
    type: 'histogram',
    help: 'Keys that went to a remote store together, in one call of a batch.',
    labels: ['cache', 'tier', 'operation'],
    buckets: KEY_BUCKETS,
    sample: from('remote', ({ store, operation, keys }) =>
      keys === undefined ? undefined : [{ tier: store, operation }, keys],
    ),
  },
  {
    name: 'errors_total',
    type: 'counter',
    help: 'Failures that callers were spared, by the code of the error.',
    labels: ['cache', 'tier', 'operation', 'cause'],
    // One that is told once for a whole outage would be lost on `increase()`.
    initial: ({ health, stats }) => {
      const tier = stats.tiers.at(-1)?.tier
      if (!health || tier === undefined) return []
      return ['CONFIGURATION', 'UNAVAILABLE'].map(cause => ({ tier, operation: 'connect', cause }))
    },
    sample: from('error', ({ store, operation, error }) => [
      { tier: store, operation, cause: error.code },
      1,
    ]),
  },
  {
    name: 'state_changes_total',
    help: 'Times the tiers entered a state.',
    ...entries('state', TIER_STATES),
  },
  {
    name: 'breaker_transitions_total',
    help: 'Times the breaker in front of the remote entered a state.',
    ...entries('breaker', BREAKER_STATES),
  },
  {
    name: 'invalidation_lag_seconds',
    type: 'histogram',
    help: 'Age of invalidations of other processes when they arrived, by the clocks of both.',
    labels: ['cache'],
    buckets: LAG_BUCKETS,
    initial: once,
    sample: from('invalidation', ({ lagMs }) => [{}, lagMs / 1_000]),
  },
  {
    name: 'gaps_total',
    help: 'Times that invalidations may have been missed.',
    ...occurrences('gap'),
  },
  {
    name: 'flushes_total',
    help: 'Times the near tier was dropped to be safe.',
    ...occurrences('flush'),
  },
  {
    name: 'setbacks_total',
    help: 'Times a server may have lost what it had confirmed.',
    ...occurrences('setback'),
  },
  {
    name: 'journal_overflows_total',
    help: 'Times more waited for the remote than the journal holds, so that everything was invalidated.',
    ...occurrences('overflow'),
  },
  {
    name: 'journal_replayed_total',
    help: 'Invalidations that waited for the remote and were applied when it was back.',
    ...occurrences('recovered', ({ invalidations }) => invalidations),
  },
]

type Counting = Pick<EventMetric, 'type' | 'labels' | 'initial' | 'sample'>

/** Counts events of one kind, from the start. */
function occurrences<T extends TelemetryEvent['type']>(
  type: T,
  amountOf: (event: Extract<TelemetryEvent, { type: T }>) => number = () => 1,
): Counting {
  return {
    type: 'counter',
    labels: ['cache'],
    initial: once,
    sample: from(type, event => [{}, amountOf(event)]),
  }
}

/** Counts how often each of some states was entered, likewise. */
function entries(type: 'state' | 'breaker', states: readonly string[]): Counting {
  return {
    type: 'counter',
    labels: ['cache', 'state'],
    initial: ({ health }) => (health ? states.map(state => ({ state })) : []),
    sample: from(type, ({ state }) => [{ state }, 1]),
  }
}
