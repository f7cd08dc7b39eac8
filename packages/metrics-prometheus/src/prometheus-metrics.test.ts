import {
  CacheError,
  type CacheSource,
  type CacheStats,
  type StoreHealth,
  type TelemetryEvent,
} from '@cache/core'
import { AggregatorRegistry, Counter, type OpenMetricsContentType, Registry } from 'prom-client'
import { describe, expect, test, vi } from 'vitest'
import { PrometheusMetrics } from './prometheus-metrics.ts'

const NOTHING: CacheStats = {
  hits: 0,
  misses: 0,
  hitRatio: 0,
  sets: 0,
  deletes: 0,
  loads: 0,
  loadErrors: 0,
  sharedLoads: 0,
  writes: { applied: 0, queued: 0, partial: 0, failed: 0 },
  leases: { granted: 0, denied: 0, expired: 0 },
  warmUps: { queued: 0, done: 0, failed: 0 },
  stales: 0,
  refreshes: 0,
  refreshErrors: 0,
  errors: 0,
  mismatches: 0,
  inFlight: 0,
  evictions: 0,
  expirations: 0,
  tiers: [],
}

/** A cache that counted what the test says, and may count on. */
class Source implements CacheSource {
  readonly name: string
  now: CacheStats
  state: StoreHealth | undefined

  constructor(name: string, stats: Partial<CacheStats> = {}, state?: StoreHealth) {
    this.name = name
    this.now = { ...NOTHING, ...stats }
    this.state = state
  }

  stats(): CacheStats {
    return this.now
  }

  health(): StoreHealth | undefined {
    return this.state
  }

  add(stats: Partial<CacheStats>): void {
    this.now = { ...this.now, ...stats }
  }
}

function attached<R extends Registry>(metrics: PrometheusMetrics<R>, source: CacheSource): () => void {
  const detach = metrics.observer.attach?.(source)
  if (!detach) throw new Error('nothing to detach')
  return detach
}

/** The lines of one metric, without help and type. */
async function series(metrics: { register: Pick<Registry, 'metrics'> }, name: string): Promise<string[]> {
  const page = await metrics.register.metrics()
  return page.split('\n').filter(line => line.startsWith(`${name}{`))
}

describe('what a cache counts', () => {
  test('is read at scrape, and again at the next', async () => {
    const metrics = new PrometheusMetrics()
    const source = new Source('products', { hits: 3, misses: 1 })
    attached(metrics, source)
    expect(await series(metrics, 'cache_requests_total')).toEqual([
      'cache_requests_total{cache="products",outcome="hit"} 3',
      'cache_requests_total{cache="products",outcome="stale"} 0',
      'cache_requests_total{cache="products",outcome="miss"} 1',
    ])
    source.add({ hits: 10 })
    expect(await series(metrics, 'cache_requests_total')).toEqual([
      'cache_requests_total{cache="products",outcome="hit"} 10',
      'cache_requests_total{cache="products",outcome="stale"} 0',
      'cache_requests_total{cache="products",outcome="miss"} 1',
    ])
  })

  test('is exposed with the type counter, what it holds with the type gauge', async () => {
    const metrics = new PrometheusMetrics()
    const page = await metrics.register.metrics()
    expect(page).toContain('# TYPE cache_requests_total counter')
    expect(page).toContain('# TYPE cache_items gauge')
    expect(page).toContain('# TYPE cache_load_duration_seconds histogram')
  })

  test('is told by tier; what a tier does not know is left out', async () => {
    const metrics = new PrometheusMetrics()
    const tiers = [
      {
        ...{ tier: 'memory', items: 5, maxItems: 10, bytes: 640, maxBytes: Number.MAX_SAFE_INTEGER },
        ...{ hits: 7, misses: 4, evictions: 5, evictionsForBytes: 2, expirations: 1 },
      },
      { tier: 'redis', hits: 3, messages: { sent: 8, received: 9 } },
    ]
    attached(metrics, new Source('products', { tiers }))
    expect(await series(metrics, 'cache_tier_requests_total')).toEqual([
      'cache_tier_requests_total{cache="products",tier="memory",outcome="hit"} 7',
      'cache_tier_requests_total{cache="products",tier="memory",outcome="miss"} 4',
      'cache_tier_requests_total{cache="products",tier="redis",outcome="hit"} 3',
    ])
    expect(await series(metrics, 'cache_items')).toEqual(['cache_items{cache="products",tier="memory"} 5'])
    expect(await series(metrics, 'cache_items_limit')).toEqual([
      'cache_items_limit{cache="products",tier="memory"} 10',
    ])
    // A bound that is never reached is none.
    expect(await series(metrics, 'cache_size_limit_bytes')).toEqual([])
    expect(await series(metrics, 'cache_bus_messages_sent_total')).toEqual([
      'cache_bus_messages_sent_total{cache="products",tier="redis"} 8',
    ])
    expect(await series(metrics, 'cache_bus_messages_received_total')).toEqual([
      'cache_bus_messages_received_total{cache="products",tier="redis"} 9',
    ])
    expect(await series(metrics, 'cache_size_bytes')).toEqual([
      'cache_size_bytes{cache="products",tier="memory"} 640',
    ])
    expect(await series(metrics, 'cache_evictions_total')).toEqual([
      'cache_evictions_total{cache="products",tier="memory",cause="items"} 3',
      'cache_evictions_total{cache="products",tier="memory",cause="bytes"} 2',
    ])
    expect(await series(metrics, 'cache_expirations_total')).toEqual([
      'cache_expirations_total{cache="products",tier="memory"} 1',
    ])
  })

  test('is whole: every number of the statistics has its series', async () => {
    const metrics = new PrometheusMetrics()
    const stats = {
      ...{ sets: 1, deletes: 2, loads: 3, loadErrors: 4, sharedLoads: 5, errors: 6, inFlight: 7 },
      ...{ hits: 20, misses: 10, stales: 4, refreshes: 8, refreshErrors: 9 },
      writes: { applied: 11, queued: 12, partial: 13, failed: 14 },
      leases: { granted: 15, denied: 16, expired: 17 },
      warmUps: { queued: 18, done: 19, failed: 21 },
    }
    attached(metrics, new Source('c', stats))
    const page = await metrics.register.metrics()
    expect(page).toContain('cache_sets_total{cache="c"} 1\n')
    expect(page).toContain('cache_deletes_total{cache="c"} 2\n')
    expect(page).toContain('cache_loads_total{cache="c",outcome="ok"} 3\n')
    expect(page).toContain('cache_loads_total{cache="c",outcome="error"} 4\n')
    expect(page).toContain('cache_shared_loads_total{cache="c"} 5\n')
    expect(page).toContain('cache_failed_operations_total{cache="c"} 6\n')
    expect(page).toContain('cache_loads_in_flight{cache="c"} 7\n')
    expect(page).toContain('cache_requests_total{cache="c",outcome="hit"} 20\n')
    expect(page).toContain('cache_requests_total{cache="c",outcome="stale"} 4\n')
    expect(page).toContain('cache_requests_total{cache="c",outcome="miss"} 6\n')
    expect(page).toContain('cache_refreshes_total{cache="c",outcome="ok"} 8\n')
    expect(page).toContain('cache_refreshes_total{cache="c",outcome="error"} 9\n')
    for (const [outcome, n] of Object.entries(stats.writes)) {
      expect(page).toContain(`cache_writes_total{cache="c",outcome="${outcome}"} ${n}\n`)
    }
    for (const [outcome, n] of Object.entries(stats.leases)) {
      expect(page).toContain(`cache_leases_total{cache="c",outcome="${outcome}"} ${n}\n`)
    }
    expect(page).toContain('cache_warm_ups_queued{cache="c"} 18\n')
    expect(page).toContain('cache_warm_ups_total{cache="c",outcome="done"} 19\n')
    expect(page).toContain('cache_warm_ups_total{cache="c",outcome="failed"} 21\n')
  })

  test('says what serializer and compressors do', async () => {
    const metrics = new PrometheusMetrics()
    const codec = {
      serializer: { name: 'json', encoded: 4, encodeMs: 500, decoded: 3, decodeMs: 250 },
      compression: [{ name: 'zstd', values: 2, bytesIn: 3_000, bytesOut: 1_000 }],
      skipped: { small: 5, incompressible: 6 },
    }
    attached(metrics, new Source('c', { tiers: [{ tier: 'redis', codec }] }))
    const page = await metrics.register.metrics()
    const json = 'cache="c",tier="redis",codec="json"'
    const zstd = 'cache="c",tier="redis",codec="zstd"'
    expect(page).toContain(`cache_serializer_operations_total{${json},operation="encode"} 4\n`)
    expect(page).toContain(`cache_serializer_operations_total{${json},operation="decode"} 3\n`)
    expect(page).toContain(`cache_serializer_seconds_total{${json},operation="encode"} 0.5\n`)
    expect(page).toContain(`cache_serializer_seconds_total{${json},operation="decode"} 0.25\n`)
    expect(page).toContain(`cache_compressed_values_total{${zstd}} 2\n`)
    expect(page).toContain(`cache_compression_input_bytes_total{${zstd}} 3000\n`)
    expect(page).toContain(`cache_compression_output_bytes_total{${zstd}} 1000\n`)
    expect(page).toContain(`cache_compression_ratio{${zstd}} 3\n`)
    expect(page).toContain('cache_compression_skipped_total{cache="c",tier="redis",cause="small"} 5\n')
    expect(page).toContain(
      'cache_compression_skipped_total{cache="c",tier="redis",cause="incompressible"} 6\n',
    )
  })

  test('fits together: a cache is asked once per scrape', async () => {
    const metrics = new PrometheusMetrics()
    const source = new Source('c')
    attached(metrics, source)
    const stats = vi.spyOn(source, 'stats')
    await metrics.register.metrics()
    await metrics.register.metrics()
    expect(stats).toHaveBeenCalledTimes(2)
  })

  test('stands still when the cache cannot be asked, and the scrape succeeds', async () => {
    const metrics = new PrometheusMetrics()
    const source = new Source('c', { hits: 3 })
    attached(metrics, source)
    await metrics.register.metrics()
    vi.spyOn(source, 'stats').mockImplementation(() => {
      throw new Error('closed')
    })
    expect(await series(metrics, 'cache_requests_total')).toContain(
      'cache_requests_total{cache="c",outcome="hit"} 3',
    )
  })

  test('never goes backwards, even when a cache does', async () => {
    const metrics = new PrometheusMetrics()
    const source = new Source('c', { hits: 30 })
    attached(metrics, source)
    await metrics.register.metrics()
    source.add({ hits: 2 })
    expect(await series(metrics, 'cache_requests_total')).toContain(
      'cache_requests_total{cache="c",outcome="hit"} 30',
    )
    source.add({ hits: 31 })
    expect(await series(metrics, 'cache_requests_total')).toContain(
      'cache_requests_total{cache="c",outcome="hit"} 31',
    )
  })

  test('does not fail the scrape when it is not a number', async () => {
    const metrics = new PrometheusMetrics()
    attached(metrics, new Source('c', { hits: Number.NaN, misses: Number.POSITIVE_INFINITY, sets: 4 }))
    expect(await series(metrics, 'cache_requests_total')).toEqual([
      'cache_requests_total{cache="c",outcome="stale"} 0',
    ])
    expect(await series(metrics, 'cache_sets_total')).toEqual(['cache_sets_total{cache="c"} 4'])
  })
})

describe('the state of the remote', () => {
  test('is a gauge for availability, one series per state, the pool and the journal', async () => {
    const metrics = new PrometheusMetrics()
    const pool = { size: 10, ready: 9, inFlight: 4, waiting: 3, waitedMs: 1_500 }
    const source = new Source(
      'c',
      {},
      { ...{ available: true, state: 'coherent', pool, journal: 2 }, outageMs: 2_500 },
    )
    attached(metrics, source)
    const page = await metrics.register.metrics()
    expect(page).toContain('cache_remote_available{cache="c"} 1\n')
    expect(page).toContain('cache_tier_state{cache="c",state="coherent"} 1\n')
    expect(page).toContain('cache_tier_state{cache="c",state="bypass"} 0\n')
    expect(page).toContain('cache_tier_state{cache="c",state="fallback"} 0\n')
    expect(page).toContain('cache_pool_connections{cache="c"} 10\n')
    expect(page).toContain('cache_pool_connections_ready{cache="c"} 9\n')
    expect(page).toContain('cache_pool_commands_in_flight{cache="c"} 4\n')
    expect(page).toContain('cache_pool_commands_waiting{cache="c"} 3\n')
    expect(page).toContain('cache_pool_wait_seconds_total{cache="c"} 1.5\n')
    expect(page).toContain('cache_outage_seconds_total{cache="c"} 2.5\n')
    expect(page).toContain('cache_journal_entries{cache="c"} 2\n')
    expect(page).toContain('cache_journal_oldest_age_seconds{cache="c"} 0\n')

    source.state = { available: false, state: 'fallback' }
    const away = await metrics.register.metrics()
    expect(away).toContain('cache_remote_available{cache="c"} 0\n')
    expect(away).toContain('cache_tier_state{cache="c",state="coherent"} 0\n')
    expect(away).toContain('cache_tier_state{cache="c",state="fallback"} 1\n')
    expect(away).not.toContain('cache_pool_connections{')
  })

  test('is not shown for a cache that has no remote', async () => {
    const metrics = new PrometheusMetrics()
    attached(metrics, new Source('c'))
    expect(await series(metrics, 'cache_remote_available')).toEqual([])
    expect(await series(metrics, 'cache_tier_state')).toEqual([])
  })
})

test('events become histograms and counters of their cache, in seconds, labelled with words of fixed lists', async () => {
  const metrics = new PrometheusMetrics()
  const source = new Source('c')
  const event = (each: TelemetryEvent): void => metrics.observer.event?.(each, source)
  event({
    type: 'remote',
    store: 'redis',
    operation: 'getMany',
    outcome: 'timeout',
    durationMs: 100,
    keys: 30,
  })
  event({ type: 'load', outcome: 'ok', durationMs: 40 })
  const error = new CacheError('TIMEOUT', 'secret-key took too long')
  event({ type: 'error', store: 'redis', operation: 'get', error })
  event({ type: 'state', store: 'tiered', state: 'fallback' })
  event({ type: 'breaker', store: 'redis', state: 'open' })
  event({ type: 'gap', store: 'tiered', reason: 'secret-host closed the connection' })
  event({ type: 'flush', store: 'tiered' })
  event({ type: 'setback', store: 'tiered', reason: 'secret-host' })
  event({ type: 'overflow', store: 'redis' })
  event({ type: 'recovered', store: 'redis', invalidations: 7, durationMs: 1 })
  event({ type: 'invalidation', store: 'redis', lagMs: 20 })
  event({ type: 'refresh', outcome: 'ok', keys: 1 })
  const page = await metrics.register.metrics()
  const remote = 'cache="c",tier="redis",operation="getMany",outcome="timeout"'
  expect(page).toContain(`cache_remote_operation_duration_seconds_sum{${remote}} 0.1\n`)
  expect(page).toContain(`cache_remote_operation_duration_seconds_bucket{le="0.05",${remote}} 0\n`)
  expect(page).toContain(`cache_remote_operation_duration_seconds_bucket{le="0.1",${remote}} 1\n`)
  const batch = 'cache="c",tier="redis",operation="getMany"'
  expect(page).toContain(`cache_remote_batch_keys_bucket{le="25",${batch}} 0\n`)
  expect(page).toContain(`cache_remote_batch_keys_bucket{le="50",${batch}} 1\n`)
  expect(page).toContain('cache_load_duration_seconds_sum{cache="c",outcome="ok"} 0.04\n')
  expect(page).toContain('cache_errors_total{cache="c",tier="redis",operation="get",cause="TIMEOUT"} 1\n')
  expect(page).toContain('cache_state_changes_total{cache="c",state="fallback"} 1\n')
  expect(page).toContain('cache_breaker_transitions_total{cache="c",state="open"} 1\n')
  expect(page).toContain('cache_gaps_total{cache="c"} 1\n')
  expect(page).toContain('cache_flushes_total{cache="c"} 1\n')
  expect(page).toContain('cache_setbacks_total{cache="c"} 1\n')
  expect(page).toContain('cache_journal_overflows_total{cache="c"} 1\n')
  expect(page).toContain('cache_journal_replayed_total{cache="c"} 7\n')
  expect(page).toContain('cache_invalidation_lag_seconds_sum{cache="c"} 0.02\n')
  expect(page).not.toContain('secret')
})

test('what may happen to a remote is there from the start, at zero, and a namesake does not reset it', async () => {
  const metrics = new PrometheusMetrics()
  const tiers = [{ tier: 'memory' }, { tier: 'redis' }]
  const source = new Source('c', { tiers }, { available: true })
  attached(metrics, source)
  attached(metrics, new Source('near alone'))
  const page = await metrics.register.metrics()
  expect(page).toContain('cache_gaps_total{cache="c"} 0\n')
  expect(page).toContain('cache_breaker_transitions_total{cache="c",state="half-open"} 0\n')
  expect(page).toContain('cache_invalidation_lag_seconds_count{cache="c"} 0\n')
  const refused = 'cache="c",tier="redis",operation="connect",cause="CONFIGURATION"'
  expect(page).toContain(`cache_errors_total{${refused}} 0\n`)
  expect(page).toContain('cache_load_duration_seconds_count{cache="near alone",outcome="error"} 0\n')
  expect(page).not.toContain('cache_gaps_total{cache="near alone"}')

  metrics.observer.event?.({ type: 'load', outcome: 'ok', durationMs: 40 }, source)
  attached(metrics, new Source('c', { tiers }, { available: true }))
  expect(await metrics.register.metrics()).toContain(
    'cache_load_duration_seconds_count{cache="c",outcome="ok"} 1\n',
  )
})

describe('several caches in one registry', () => {
  test('are told apart by name', async () => {
    const metrics = new PrometheusMetrics()
    attached(metrics, new Source('a', { sets: 1 }))
    attached(metrics, new Source('b', { sets: 2 }))
    expect(await series(metrics, 'cache_sets_total')).toEqual([
      'cache_sets_total{cache="a"} 1',
      'cache_sets_total{cache="b"} 2',
    ])
  })

  test('of one name add up; the remote is available when it is to all, and a state shows when one is in it', async () => {
    const metrics = new PrometheusMetrics()
    const tiers = [{ tier: 'memory', items: 4 }]
    attached(metrics, new Source('a', { sets: 1, tiers }, { available: true, state: 'coherent' }))
    attached(metrics, new Source('a', { sets: 2, tiers }, { available: false, state: 'fallback' }))
    const page = await metrics.register.metrics()
    expect(page).toContain('cache_sets_total{cache="a"} 3\n')
    expect(page).toContain('cache_items{cache="a",tier="memory"} 8\n')
    expect(page).toContain('cache_remote_available{cache="a"} 0\n')
    expect(page).toContain('cache_tier_state{cache="a",state="coherent"} 1\n')
    expect(page).toContain('cache_tier_state{cache="a",state="fallback"} 1\n')
  })

  test('a closed one leaves its counters, up to its last count, and takes its gauges', async () => {
    const metrics = new PrometheusMetrics()
    const source = new Source('a', { sets: 1, tiers: [{ tier: 'memory', items: 4 }] })
    const detach = attached(metrics, source)
    await metrics.register.metrics()
    source.add({ sets: 5 })
    detach()
    source.add({ sets: 50 })
    detach()
    expect(await series(metrics, 'cache_sets_total')).toEqual(['cache_sets_total{cache="a"} 5'])
    expect(await series(metrics, 'cache_items')).toEqual([])
  })

  test('its successor of the same name counts on from there', async () => {
    const metrics = new PrometheusMetrics()
    attached(metrics, new Source('a', { sets: 5 }))()
    attached(metrics, new Source('a', { sets: 2 }))
    expect(await series(metrics, 'cache_sets_total')).toEqual(['cache_sets_total{cache="a"} 7'])
  })
})

describe('one registry, several instances', () => {
  test('a second instance on the same registry shares the metrics', async () => {
    const register = new Registry()
    const [first, second] = [new PrometheusMetrics({ register }), new PrometheusMetrics({ register })]
    attached(first, new Source('a', { sets: 1 }))
    attached(second, new Source('b', { sets: 2 }))
    const source = new Source('a')
    second.observer.event?.({ type: 'flush', store: 'tiered' }, source)
    first.observer.event?.({ type: 'flush', store: 'tiered' }, source)
    const page = await register.metrics()
    expect(page).toContain('cache_sets_total{cache="a"} 1\ncache_sets_total{cache="b"} 2\n')
    expect(page).toContain('cache_flushes_total{cache="a"} 2\n')
  })

  test('so does one of a module that was loaded again', async () => {
    const register = new Registry()
    attached(new PrometheusMetrics({ register }), new Source('a', { sets: 1 }))
    vi.resetModules()
    const reloaded = await import('./prometheus-metrics.ts')
    expect(reloaded.PrometheusMetrics).not.toBe(PrometheusMetrics)
    attached(new reloaded.PrometheusMetrics({ register }), new Source('a', { sets: 2 }))
    expect(await register.metrics()).toContain('cache_sets_total{cache="a"} 3\n')
  })

  test('a registry that was cleared can be used again', async () => {
    const register = new Registry()
    attached(new PrometheusMetrics({ register }), new Source('a', { sets: 1 }))
    register.clear()
    attached(new PrometheusMetrics({ register }), new Source('a', { sets: 2 }))
    expect(await register.metrics()).toContain('cache_sets_total{cache="a"} 2\n')
  })

  test('labels go on every series, each instance with its own values', async () => {
    const register = new Registry()
    const [eu, us] = ['eu', 'us'].map(region => new PrometheusMetrics({ register, labels: { region } }))
    if (!eu || !us) throw new Error('two instances')
    attached(eu, new Source('a', { sets: 1 }))
    attached(us, new Source('a', { sets: 2 }))
    us.observer.event?.({ type: 'flush', store: 'tiered' }, new Source('a'))
    const page = await register.metrics()
    expect(page).toContain('cache_sets_total{cache="a",region="eu"} 1\n')
    expect(page).toContain('cache_sets_total{cache="a",region="us"} 2\n')
    expect(page).toContain('cache_flushes_total{cache="a",region="us"} 1\n')
  })

  test('label names must agree, and the error names both', () => {
    const register = new Registry()
    new PrometheusMetrics({ register, labels: { region: 'eu' } })
    expect(() => new PrometheusMetrics({ register, labels: { zone: 'a' } })).toThrow(/\[region\].*\[zone\]/)
    expect(() => new PrometheusMetrics({ register })).toThrow(CacheError)
  })

  test('another prefix is another set', async () => {
    const register = new Registry()
    attached(new PrometheusMetrics({ register, prefix: 'a_' }), new Source('c', { sets: 1 }))
    attached(new PrometheusMetrics({ register, prefix: '' }), new Source('c', { sets: 2 }))
    const page = await register.metrics()
    expect(page).toContain('\na_sets_total{cache="c"} 1\n')
    expect(page).toContain('\nsets_total{cache="c"} 2\n')
  })

  test('metrics of others under our names are not touched: the error says to choose a prefix', async () => {
    const register = new Registry()
    new Counter({ name: 'cache_gaps_total', help: 'theirs', registers: [register] })
    expect(() => new PrometheusMetrics({ register })).toThrow(/cache_gaps_total.*another prefix/)
    expect(register.getMetricsAsArray()).toHaveLength(1)
  })

  test('own registries are separate by default', async () => {
    const [first, second] = [new PrometheusMetrics(), new PrometheusMetrics()]
    attached(first, new Source('a', { sets: 1 }))
    expect(await series(second, 'cache_sets_total')).toEqual([])
  })
})

test('an OpenMetrics registry gets the same numbers, at every scrape', async () => {
  const register = new Registry<OpenMetricsContentType>()
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const metrics = new PrometheusMetrics({ register })
  metrics.observer.attach?.(new Source('c', { sets: 1 }))
  await register.metrics()
  const page = await register.metrics()
  expect(page).toContain('# TYPE cache_sets counter\ncache_sets_total{cache="c"} 1\n')
  expect(new PrometheusMetrics({ register }).register).toBe(register)
})

test('workers of a cluster add up, and the remote is available when it is to all', async () => {
  const worker = async (available: boolean) => {
    const metrics = new PrometheusMetrics()
    attached(metrics, new Source('c', { hits: 2 }, { available }))
    return metrics.register.getMetricsAsJSON()
  }
  const page = await AggregatorRegistry.aggregate([await worker(true), await worker(false)]).metrics()
  expect(page).toContain('cache_requests_total{cache="c",outcome="hit"} 4\n')
  expect(page).toContain('cache_remote_available{cache="c"} 0\n')
})

test.each([
  [{ prefix: '1_' }, /prefix .* received "1_"/],
  [{ prefix: 7 }, /prefix .* received 7/],
  [{ labels: { __name: 'x' } }, /labels .*__name/],
  [{ labels: { 'a-b': 'x' } }, /labels .*a-b/],
  [{ labels: { cache: 'x' } }, /labels .*other than .*cache/],
  [{ labels: { le: 'x' } }, /labels .*le/],
  [{ labels: { region: 7 } }, /labels\.region must be a string; received 7/],
  [{ labels: ['region'] }, /labels .*an array of 1/],
  [{ register: {} }, /register must be a prom-client Registry/],
])('bad options are refused by name: %o', (options, message) => {
  const make = (): unknown => Reflect.construct(PrometheusMetrics, [options])
  expect(make).toThrow(message)
  expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})
