import type { EventMetric, Labels, Reading } from './metric.ts'
import { BREAKER_STATES, TIER_STATES } from './remote.ts'

/** From a loopback Redis to a deadline that passed, in seconds. */
const REMOTE_BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
/** From one network hop to a process that does not keep up, in seconds. */
const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const KEY_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000]

/** Of a cache that has a remote; another one will never count there. */
const once = ({ health }: Reading): readonly Labels[] => (health ? [{}] : [])
const perState =
  (states: readonly string[]) =>
  ({ health }: Reading): readonly Labels[] =>
    health ? states.map(state => ({ state })) : []

/** What happens between a cache and its remote. */
export const INCIDENTS: readonly EventMetric[] = [
  {
    name: 'remote_operation_duration_seconds',
    type: 'histogram',
    help: 'Time that calls to a remote store took.',
    labels: ['cache', 'tier', 'operation', 'outcome'],
    buckets: REMOTE_BUCKETS,
    sample: event => {
      if (event.type !== 'remote') return undefined
      const { store, operation, outcome, durationMs } = event
      return [{ tier: store, operation, outcome }, durationMs / 1_000]
    },
  },
  {
    name: 'remote_batch_keys',
    type: 'histogram',
    help: 'Keys that went to a remote store together, in one call of a batch.',
    labels: ['cache', 'tier', 'operation'],
    buckets: KEY_BUCKETS,
    sample: event =>
      event.type === 'remote' && event.keys !== undefined
        ? [{ tier: event.store, operation: event.operation }, event.keys]
        : undefined,
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
    sample: event =>
      event.type === 'error'
        ? [{ tier: event.store, operation: event.operation, cause: event.error.code }, 1]
        : undefined,
  },
  {
    name: 'state_changes_total',
    type: 'counter',
    help: 'Times the tiers entered a state.',
    labels: ['cache', 'state'],
    initial: perState(TIER_STATES),
    sample: event => (event.type === 'state' ? [{ state: event.state }, 1] : undefined),
  },
  {
    name: 'breaker_transitions_total',
    type: 'counter',
    help: 'Times the breaker in front of the remote entered a state.',
    labels: ['cache', 'state'],
    initial: perState(BREAKER_STATES),
    sample: event => (event.type === 'breaker' ? [{ state: event.state }, 1] : undefined),
  },
  {
    name: 'invalidation_lag_seconds',
    type: 'histogram',
    help: 'Age of invalidations of other processes when they arrived, by the clocks of both.',
    labels: ['cache'],
    buckets: LAG_BUCKETS,
    initial: once,
    sample: event => (event.type === 'invalidation' ? [{}, event.lagMs / 1_000] : undefined),
  },
  {
    name: 'gaps_total',
    type: 'counter',
    help: 'Times that invalidations may have been missed.',
    labels: ['cache'],
    initial: once,
    sample: event => (event.type === 'gap' ? [{}, 1] : undefined),
  },
  {
    name: 'flushes_total',
    type: 'counter',
    help: 'Times the near tier was dropped to be safe.',
    labels: ['cache'],
    initial: once,
    sample: event => (event.type === 'flush' ? [{}, 1] : undefined),
  },
  {
    name: 'setbacks_total',
    type: 'counter',
    help: 'Times a server may have lost what it had confirmed.',
    labels: ['cache'],
    initial: once,
    sample: event => (event.type === 'setback' ? [{}, 1] : undefined),
  },
  {
    name: 'journal_overflows_total',
    type: 'counter',
    help: 'Times more waited for the remote than the journal holds, so that everything was invalidated.',
    labels: ['cache'],
    initial: once,
    sample: event => (event.type === 'overflow' ? [{}, 1] : undefined),
  },
  {
    name: 'journal_replayed_total',
    type: 'counter',
    help: 'Invalidations that waited for the remote and were applied when it was back.',
    labels: ['cache'],
    initial: once,
    sample: event => (event.type === 'recovered' ? [{}, event.invalidations] : undefined),
  },
]
