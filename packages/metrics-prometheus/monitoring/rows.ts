import type { Panel } from '@grafana/schema'
import { graph, states } from './panel.ts'
import { Queries } from './query.ts'

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

const q = new Queries('job=~"$job", cache=~"$cache"', '$__rate_interval')

const CACHE = ['cache']
const TIER = ['cache', 'tier']

const TRAFFIC: Row = {
  title: 'Traffic and hit ratio',
  panels: [
    graph({
      title: 'Hit ratio',
      description: 'Share of reads that found a fresh value, of the cache and of each of its tiers.',
      unit: 'percentunit',
      max: 1,
      targets: [
        [
          `${q.rate('requests_total', CACHE, { outcome: 'hit' })} / ${q.rate('requests_total', CACHE)}`,
          '{{cache}}',
        ],
        [
          `${q.rate('tier_requests_total', TIER, { outcome: 'hit' })} / ${q.rate('tier_requests_total', TIER)}`,
          '{{cache}} {{tier}}',
        ],
      ],
    }),
    graph({
      title: 'Reads',
      description: 'By what they were given. A miss waits for a loader, a stale read does not.',
      unit: 'reqps',
      isStacked: true,
      targets: [[q.rate('requests_total', ['cache', 'outcome']), '{{cache}} {{outcome}}']],
    }),
    graph({
      title: 'Writes',
      description: 'By callers, and by what became of them. Queued: the remote was away, and will be told.',
      unit: 'reqps',
      targets: [
        [q.rate('sets_total', CACHE), '{{cache}} set'],
        [q.rate('deletes_total', CACHE), '{{cache}} delete'],
        [q.rate('writes_total', ['cache', 'outcome']), '{{cache}} {{outcome}}'],
      ],
    }),
    graph({
      title: 'Loads',
      description: 'What the origin has to do, and what it was spared: calls that shared a load.',
      unit: 'reqps',
      targets: [
        [q.rate('loads_total', ['cache', 'outcome']), '{{cache}} load {{outcome}}'],
        [q.rate('refreshes_total', ['cache', 'outcome']), '{{cache}} refresh {{outcome}}'],
        [q.rate('shared_loads_total', CACHE), '{{cache}} shared'],
        [q.sum('loads_in_flight', CACHE), '{{cache}} in flight'],
      ],
    }),
    graph({
      title: 'Leases',
      description:
        'Denied: another process loads the value already. Expired: this one was too slow to keep its lease.',
      unit: 'reqps',
      targets: [[q.rate('leases_total', ['cache', 'outcome']), '{{cache}} {{outcome}}']],
    }),
  ],
}

const LATENCY: Row = {
  title: 'Latency',
  panels: [
    graph({
      title: 'Loads',
      description: 'Time that loaders took.',
      unit: 's',
      targets: [
        [q.quantile(0.5, 'load_duration_seconds', CACHE), '{{cache}} p50'],
        [q.quantile(0.99, 'load_duration_seconds', CACHE), '{{cache}} p99'],
      ],
    }),
    graph({
      title: 'Remote operations',
      description:
        'The slowest hundredth of the calls to the remote, by operation. Its deadline is where it ends.',
      unit: 's',
      targets: [
        [
          q.quantile(0.99, 'remote_operation_duration_seconds', ['cache', 'operation']),
          '{{cache}} {{operation}} p99',
        ],
      ],
    }),
    graph({
      title: 'Remote operations by outcome',
      description: 'Calls to the remote in a second.',
      unit: 'reqps',
      isStacked: true,
      targets: [
        [
          q.rate('remote_operation_duration_seconds_count', ['cache', 'operation', 'outcome']),
          '{{cache}} {{operation}} {{outcome}}',
        ],
      ],
    }),
    graph({
      title: 'Batches',
      description: 'Keys in a batch that went to the remote: half of the batches have at most so many.',
      unit: 'short',
      targets: [
        [q.quantile(0.5, 'remote_batch_keys', ['cache', 'operation']), '{{cache}} {{operation}} p50'],
      ],
    }),
  ],
}

const REMOTE: Row = {
  title: 'Remote health',
  panels: [
    states('Remote', 'Whether the remote answers, to all processes: 1 or 0.', [
      [q.min('remote_available', CACHE), '{{cache}}'],
    ]),
    states('Tiers', 'Coherent: both serve. Bypass: memory is not trusted. Fallback: memory serves alone.', [
      [q.max('tier_state', ['cache', 'state']), '{{cache}} {{state}}'],
    ]),
    states('Breaker', 'Open: the remote is not asked. Half-open: one call is let through, to see.', [
      [q.max('breaker_state', ['cache', 'state']), '{{cache}} {{state}}'],
    ]),
    graph({
      title: 'Changes of state',
      description: 'How often the tiers and the breaker entered a state.',
      unit: 'short',
      targets: [
        [q.increase('state_changes_total', ['cache', 'state']), '{{cache}} {{state}}'],
        [q.increase('breaker_transitions_total', ['cache', 'state']), '{{cache}} breaker {{state}}'],
      ],
    }),
    graph({
      title: 'Outage',
      description: 'Share of the time for which the remote was away.',
      unit: 'percentunit',
      max: 1,
      targets: [
        [`max by (cache) (rate(${q.series('outage_seconds_total')}[$__rate_interval]))`, '{{cache}}'],
      ],
    }),
    graph({
      title: 'Errors',
      description: 'Failures that callers were spared, by code, and all operations of the store that failed.',
      unit: 'reqps',
      targets: [
        [q.rate('errors_total', ['cache', 'operation', 'cause']), '{{cache}} {{operation}} {{cause}}'],
        [q.rate('failed_operations_total', CACHE), '{{cache}} in all'],
      ],
    }),
    graph({
      title: 'Connections',
      description: 'Connections of the pools, and how many of them can take a command.',
      unit: 'short',
      targets: [
        [q.sum('pool_connections', CACHE), '{{cache}} wanted'],
        [q.sum('pool_connections_ready', CACHE), '{{cache}} ready'],
      ],
    }),
    graph({
      title: 'Commands',
      description:
        'Commands that wait for an answer, those that wait for a connection, and how long those wait.',
      unit: 'short',
      targets: [
        [q.sum('pool_commands_in_flight', CACHE), '{{cache}} in flight'],
        [q.sum('pool_commands_waiting', CACHE), '{{cache}} without connection'],
        [q.rate('pool_wait_seconds_total', CACHE), '{{cache}} seconds waited per second'],
      ],
    }),
  ],
}

const COHERENCE: Row = {
  title: 'Coherence and journal',
  panels: [
    graph({
      title: 'Journal',
      description: 'Invalidations that wait for the remote, and those that were applied when it was back.',
      unit: 'short',
      targets: [
        [q.sum('journal_entries', CACHE), '{{cache}} waiting'],
        [q.increase('journal_replayed_total', CACHE), '{{cache}} replayed'],
        [q.increase('journal_overflows_total', CACHE), '{{cache}} overflows'],
      ],
    }),
    graph({
      title: 'Oldest entry of the journal',
      description: 'How long the remote has not been told of an invalidation.',
      unit: 's',
      targets: [[q.max('journal_oldest_age_seconds', CACHE), '{{cache}}']],
    }),
    graph({
      title: 'Invalidation lag',
      description: "Age of other processes' invalidations when they arrive. Clocks that differ add to it.",
      unit: 's',
      targets: [
        [q.quantile(0.5, 'invalidation_lag_seconds', CACHE), '{{cache}} p50'],
        [q.quantile(0.99, 'invalidation_lag_seconds', CACHE), '{{cache}} p99'],
      ],
    }),
    graph({
      title: 'Bus',
      description: 'Messages between the processes.',
      unit: 'cps',
      targets: [
        [q.rate('bus_messages_sent_total', CACHE), '{{cache}} sent'],
        [q.rate('bus_messages_received_total', CACHE), '{{cache}} received'],
      ],
    }),
    graph({
      title: 'Doubts',
      description:
        'Gaps in the stream, memory that was dropped for them, and servers that lost what they had confirmed.',
      unit: 'short',
      targets: [
        [q.increase('gaps_total', CACHE), '{{cache}} gaps'],
        [q.increase('flushes_total', CACHE), '{{cache}} flushes'],
        [q.increase('setbacks_total', CACHE), '{{cache}} setbacks'],
      ],
    }),
    graph({
      title: 'Promotions and late fills',
      description: 'Entries of the remote kept in memory, and loaded values that came too late to be stored.',
      unit: 'cps',
      targets: [
        [q.rate('promotions_total', CACHE), '{{cache}} promoted'],
        [q.rate('superseded_fills_total', CACHE), '{{cache}} superseded'],
      ],
    }),
  ],
}

const MEMORY: Row = {
  title: 'Memory',
  panels: [
    graph({
      title: 'Items',
      description: 'Entries held, and the bound on them.',
      unit: 'short',
      targets: [
        [q.sum('items', TIER), '{{cache}} {{tier}}'],
        [q.sum('items_limit', TIER), '{{cache}} {{tier}} limit'],
      ],
    }),
    graph({
      title: 'Bytes',
      description: 'Bytes held, and the bound on them, of a tier that weighs its entries.',
      unit: 'bytes',
      targets: [
        [q.sum('size_bytes', TIER), '{{cache}} {{tier}}'],
        [q.sum('size_limit_bytes', TIER), '{{cache}} {{tier}} limit'],
      ],
    }),
    graph({
      title: 'Evictions and expirations',
      description: 'Entries that left: for want of items or bytes, or as their time was up.',
      unit: 'cps',
      targets: [
        [q.rate('evictions_total', ['cache', 'tier', 'cause']), '{{cache}} {{tier}} evicted for {{cause}}'],
        [q.rate('expirations_total', TIER), '{{cache}} {{tier}} expired'],
      ],
    }),
  ],
}

const CODEC = ['cache', 'tier', 'codec']

const COMPRESSION: Row = {
  title: 'Compression',
  panels: [
    graph({
      title: 'Ratio',
      description: 'Bytes before compression for each byte after it: now, and since the start.',
      unit: 'short',
      targets: [
        [
          `${q.rate('compression_input_bytes_total', CODEC)} / ${q.rate('compression_output_bytes_total', CODEC)}`,
          '{{cache}} {{codec}}',
        ],
        [q.min('compression_ratio', CODEC), '{{cache}} {{codec}} since the start'],
      ],
    }),
    graph({
      title: 'Bytes',
      description: 'Before and after compression.',
      unit: 'Bps',
      targets: [
        [q.rate('compression_input_bytes_total', CODEC), '{{cache}} {{codec}} in'],
        [q.rate('compression_output_bytes_total', CODEC), '{{cache}} {{codec}} out'],
      ],
    }),
    graph({
      title: 'Values',
      description: 'Compressed, or stored as they are: too small, or not made much smaller by it.',
      unit: 'cps',
      isStacked: true,
      targets: [
        [q.rate('compressed_values_total', CODEC), '{{cache}} {{codec}}'],
        [q.rate('compression_skipped_total', ['cache', 'tier', 'cause']), '{{cache}} {{cause}}'],
      ],
    }),
    graph({
      title: 'Serializer',
      description: 'Time that it takes for a value.',
      unit: 's',
      targets: [
        [
          `${q.rate('serializer_seconds_total', [...CODEC, 'operation'])} / ${q.rate('serializer_operations_total', [...CODEC, 'operation'])}`,
          '{{cache}} {{codec}} {{operation}}',
        ],
      ],
    }),
  ],
}

const WARM_UP: Row = {
  title: 'Warm-up',
  panels: [
    graph({
      title: 'Queue',
      description: 'Items that wait to be warmed up.',
      unit: 'short',
      targets: [[q.sum('warm_ups_queued', CACHE), '{{cache}}']],
    }),
    graph({
      title: 'Items',
      description: 'Items that were warmed up, or could not be.',
      unit: 'cps',
      targets: [[q.rate('warm_ups_total', ['cache', 'outcome']), '{{cache}} {{outcome}}']],
    }),
  ],
}

/** The dashboard, row by row. */
export const ROWS: readonly Row[] = [TRAFFIC, LATENCY, REMOTE, COHERENCE, MEMORY, COMPRESSION, WARM_UP]
