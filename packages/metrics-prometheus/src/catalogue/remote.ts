import type { TierState } from '@cache/core'
import { each, perCache, perTier, type ReadMetric } from './metric.ts'

export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const
export const TIER_STATES: readonly TierState[] = ['coherent', 'bypass', 'fallback']

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1_000)

/** How the remote is, and what waits for it. */
export const REMOTE: readonly ReadMetric[] = [
  {
    name: 'remote_available',
    type: 'gauge',
    help: 'Whether the remote would answer now: 1 or 0.',
    aggregator: 'min',
    ...perCache(({ health }) => health && Number(health.available)),
  },
  {
    name: 'outage_seconds_total',
    type: 'counter',
    help: 'Time for which the remote was away, as far as anybody looked.',
    ...perCache(({ health }) => seconds(health?.outageMs)),
  },
  {
    name: 'tier_state',
    type: 'gauge',
    help: 'State of the tiers: 1 for the present state, 0 for the others.',
    aggregator: 'max',
    ...each('state', ({ health }) => oneOf(TIER_STATES, health?.state)),
  },
  {
    name: 'breaker_state',
    type: 'gauge',
    help: 'State of the breaker in front of the remote: 1 for the present state, 0 for the others.',
    aggregator: 'max',
    ...each('state', ({ health }) => oneOf(BREAKER_STATES, health?.breaker)),
  },
  {
    name: 'pool_connections',
    type: 'gauge',
    help: 'Connections the pool is meant to hold.',
    ...perCache(({ health }) => health?.pool?.size),
  },
  {
    name: 'pool_connections_ready',
    type: 'gauge',
    help: 'Connections of the pool that can take a command now.',
    ...perCache(({ health }) => health?.pool?.ready),
  },
  {
    name: 'pool_commands_in_flight',
    type: 'gauge',
    help: 'Commands waiting for an answer now.',
    ...perCache(({ health }) => health?.pool?.inFlight),
  },
  {
    name: 'pool_commands_waiting',
    type: 'gauge',
    help: 'Of these, commands that wait for their connection to be made.',
    ...perCache(({ health }) => health?.pool?.waiting),
  },
  {
    name: 'pool_wait_seconds_total',
    type: 'counter',
    help: 'Time for which commands waited for their connection to be made.',
    ...perCache(({ health }) => seconds(health?.pool?.waitedMs)),
  },
  {
    name: 'journal_entries',
    type: 'gauge',
    help: 'Invalidations that wait for the remote to come back.',
    ...perCache(({ health }) => health?.journal),
  },
  {
    name: 'journal_oldest_age_seconds',
    type: 'gauge',
    help: 'How long the invalidation that has waited longest for the remote does; 0 if none waits.',
    aggregator: 'max',
    ...perCache(({ health }) =>
      health?.journal === undefined ? undefined : (health.journalAgeMs ?? 0) / 1_000,
    ),
  },
  {
    name: 'bus_messages_sent_total',
    type: 'counter',
    help: 'Messages in which invalidations were told to other processes.',
    ...perTier(tier => tier.messages?.sent),
  },
  {
    name: 'bus_messages_received_total',
    type: 'counter',
    help: 'Messages of other processes that arrived.',
    ...perTier(tier => tier.messages?.received),
  },
]

function oneOf<S extends string>(
  states: readonly S[],
  present: S | undefined,
): Readonly<Record<string, number | undefined>> {
  return Object.fromEntries(states.map(state => [state, present && Number(state === present)]))
}
