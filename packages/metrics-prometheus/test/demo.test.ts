import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RedisBus } from '@cache/redis'
import { eventually, hasPrometheus, promtool, type WatchedDemo, watchDemo } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const example = new URL('../../../examples/catalogue/', import.meta.url)
const metrics = new URL('../', import.meta.url)

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

const { panels } = JSON.parse(await readFile(new URL('grafana/cache.json', metrics), 'utf8')) as {
  panels: readonly Panel[]
}
const alerts = await readFile(new URL('prometheus/alerts.yml', metrics), 'utf8')

/** Long enough that Redis is away for more than a second and a half, and back for three. */
const DURATION_SECONDS = 10
/** All of the demo. */
const RANGE = '1m'

/** A second process that shares the Redis, so that there are invalidations of others. */
function chatter(redis: { readonly url: string; readonly prefix: string }): () => Promise<void> {
  const peer = new RedisBus(redis)
  const timer = setInterval(() => void peer.publish({ type: 'keys', keys: ['product:1'] }), 100)
  return () => {
    clearInterval(timer)
    return peer.close()
  }
}

/** The rules as they are, but for their patience: an outage of a test is over in a second. */
function impatient(rules: string): string {
  return rules.replaceAll(/for: \d+m/g, 'for: 0s').replaceAll(/\[\d+m\]/g, '[1s]')
}

describe.skipIf(!hasPrometheus)('a real Prometheus that scrapes the demo through an outage', () => {
  let watched: WatchedDemo
  beforeAll(async () => {
    watched = await watchDemo({
      durationSeconds: DURATION_SECONDS,
      scrapeInterval: '250ms',
      rules: impatient(alerts),
      beside: chatter,
    })
  }, 60_000)
  afterAll(() => watched?.[Symbol.asyncDispose]())

  const value = (expr: string): Promise<number | undefined> => watched.prometheus.value(expr)
  const over = (what: 'min' | 'max', series: string): Promise<number | undefined> =>
    value(`${what}(${what}_over_time(${series}[${RANGE}]))`)

  test('finds every metric, as promtool would have them', async () => {
    const page = await (await fetch(watched.page)).text()
    const checking = run(promtool(), ['check', 'metrics'])
    checking.child.stdin?.end(page)
    expect(await checking).toEqual({ stdout: '', stderr: '' })
    const names = Array.from(page.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name = '', type]) =>
      type === 'histogram' ? `${name}_count` : name,
    )
    expect(names.length).toBeGreaterThan(45)
    const found = await Promise.all(names.map(name => value(`count(${name}{job="cache_manager"})`)))
    expect(names.filter((_, i) => !found[i])).toEqual([])
  })

  test('counts what the cache counts', async () => {
    const { cache } = (await (await fetch(`${watched.service}/stats`)).json()) as {
      cache: Record<'hits' | 'misses' | 'stales' | 'deletes' | 'loads' | 'sharedLoads', number>
    }
    const is = (expr: string, expected: number): Promise<void> =>
      eventually(`${expr} is ${expected}`, async () => (await value(expr)) === expected)
    await is('cache_requests_total{cache="products", outcome="hit"}', cache.hits)
    await is('cache_requests_total{outcome="miss"}', cache.misses - cache.stales)
    await is('cache_deletes_total', cache.deletes)
    await is('cache_loads_total{outcome="ok"}', cache.loads)
    await is('cache_load_duration_seconds_count{outcome="ok"}', cache.loads)
    await is('cache_shared_loads_total', cache.sharedLoads)
    expect(cache.hits).toBeGreaterThan(100)
    expect(await value('cache_items{tier="memory"}')).toBeLessThanOrEqual(1_000)
    expect(await value('cache_items_limit{tier="memory"}')).toBe(1_000)
    expect(await value('cache_compression_ratio')).toBeGreaterThan(1.1)
  })

  test('sees the outage come and go', async () => {
    expect(await over('min', 'cache_remote_available')).toBe(0)
    expect(await value('cache_remote_available')).toBe(1)
    expect(await over('max', 'cache_tier_state{state="fallback"}')).toBe(1)
    expect(await value('cache_tier_state{state="coherent"}')).toBe(1)
    expect(await over('max', 'cache_journal_entries')).toBeGreaterThan(0)
    expect(await over('max', 'cache_journal_oldest_age_seconds')).toBeGreaterThan(0.2)
    expect(await value('cache_journal_entries')).toBe(0)
    expect(await value('cache_journal_replayed_total')).toBeGreaterThan(0)
    const outage = await value('cache_outage_seconds_total')
    expect(outage).toBeGreaterThan(DURATION_SECONDS / 6 / 2)
    expect(outage).toBeLessThan(DURATION_SECONDS / 2)
    expect(await value('cache_gaps_total')).toBeGreaterThan(1)
    expect(await value('cache_flushes_total')).toBeGreaterThan(0)
    expect(await value('sum(cache_errors_total{cause="UNAVAILABLE"})')).toBeGreaterThan(0)
    expect(await value('cache_bus_messages_sent_total')).toBeGreaterThan(0)
    expect(await value('cache_bus_messages_received_total')).toBeGreaterThan(0)
    expect(await value('cache_invalidation_lag_seconds_count')).toBeGreaterThan(0)
  })

  const targets = panels.flatMap(({ title, targets: of = [] }) =>
    of.map(({ expr }) => [title, expr] as const),
  )
  test.each(targets)('answers the dashboard: %s, %s', async (_title, expr) => {
    const query = expr
      .replaceAll('$__rate_interval', RANGE)
      .replaceAll('$job', 'cache_manager')
      .replaceAll('$cache', '.+')
    const answers = await watched.prometheus.query(query)
    expect(answers.filter(({ value: [, number] }) => Number.isFinite(Number(number)))).not.toEqual([])
  })

  test('fires the alerts of an outage, and resolves them', async () => {
    const fired = async (expr: string): Promise<string[]> =>
      (await watched.prometheus.query(expr)).map(({ metric }) => metric.alertname ?? '').sort()
    const all = await fired(`count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[${RANGE}]))`)
    expect(all).toContain('CacheRemoteAway')
    expect(all).toContain('CacheJournalGrowing')
    // The others go by times, which are a busy machine's as well: `promtool test rules` shows them quiet and firing.
    expect(all).not.toContain('CacheRedisConfiguration')
    await eventually(
      'all of them are resolved',
      async () => (await fired('ALERTS{alertstate="firing"}')).length === 0,
    )
  })
})

test.skipIf(!hasPrometheus)(
  'the configuration of the example, and the rules that it names, are what Prometheus takes',
  async () => {
    const { stdout } = await run(promtool(), [
      'check',
      'config',
      fileURLToPath(new URL('prometheus.yml', example)),
    ])
    expect(stdout).toContain('1 rule files found')
    expect(stdout).toContain('9 rules found')
    const config = await readFile(new URL('prometheus.yml', example), 'utf8')
    const inCompose = await readFile(new URL('compose/prometheus.yml', example), 'utf8')
    for (const each of [config, inCompose]) expect(each).toContain('job_name: cache_manager')
    expect(config).toContain('localhost:8000')
    expect(inCompose).toContain('host.docker.internal:8000')
  },
)
