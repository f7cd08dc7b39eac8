import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hasPrometheus, promtool } from '@cache/test-support'
import { describe, expect, test } from 'vitest'
import { ALERTS, runbookOf } from '../monitoring/alerts.ts'

const run = promisify(execFile)
const RULES = fileURLToPath(new URL('../prometheus/alerts.yml', import.meta.url))

/** Series as `promtool test rules` takes them: values a minute apart, `a+bxn` for n more values, each b more. */
type Series = Readonly<Record<string, string>>

interface Scenario {
  /** The alert fires at the end of these, and its labels are these. */
  readonly incident: Series
  readonly labels: Readonly<Record<string, string>>
  /** It does not at the end of these. */
  readonly quiet: readonly Series[]
  readonly minutes: number
}

const JOB = 'job="cache_manager", instance="a:8000", cache="products"'
const on = (name: string, labels = ''): string => `cache_${name}{${JOB}${labels && `, ${labels}`}}`
const requests = (outcome: string): string => on('requests_total', `outcome="${outcome}"`)
const SERVICE = { job: 'cache_manager', cache: 'products' }
const PROCESS = { ...SERVICE, instance: 'a:8000' }
const MEMORY = 'tier="memory"'
const REFUSED = 'tier="redis", operation="connect", cause="CONFIGURATION"'

/** Values of a counter that grows by `first` a minute for `minutes`, then by `then` for 20. */
const turning = (first: number, minutes: number, then: number): string =>
  `0+${first}x${minutes} ${first * minutes + then}+${then}x20`

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  CacheHitRatioDrop: {
    minutes: 90,
    incident: { [requests('hit')]: turning(900, 70, 300), [requests('miss')]: turning(100, 70, 700) },
    labels: SERVICE,
    quiet: [
      { [requests('hit')]: turning(900, 70, 850), [requests('miss')]: turning(100, 70, 150) },
      // Hardly any traffic: what is left of it says nothing.
      { [requests('hit')]: turning(9, 70, 3), [requests('miss')]: turning(1, 70, 7) },
    ],
  },
  CacheBreakerOpen: {
    minutes: 10,
    incident: {
      [on('breaker_state', 'state="closed"')]: '1 1 1 0x8',
      // It probes now and then.
      [on('breaker_state', 'state="open"')]: '0 0 0 1 0 1 1 0 1 1 1',
    },
    labels: PROCESS,
    quiet: [
      { [on('breaker_state', 'state="closed"')]: '1x11' },
      { [on('breaker_state', 'state="closed"')]: '1 1 1 1 1 1 1 1 1 0 1' },
    ],
  },
  CacheRemoteAway: {
    minutes: 10,
    incident: { [on('remote_available')]: '1 1 1 0x8' },
    labels: PROCESS,
    quiet: [{ [on('remote_available')]: '1x11' }, { [on('remote_available')]: '1 1 0 1 1 1 1 0 1 0 1' }],
  },
  CacheJournalGrowing: {
    minutes: 12,
    incident: { [on('journal_entries')]: '0 0 0+50x12' },
    labels: PROCESS,
    quiet: [
      { [on('journal_entries')]: '0x13' },
      // Held back, but no more of it.
      { [on('journal_entries')]: '0 0 40x12' },
      { [on('journal_entries')]: '400-50x8 0x6' },
    ],
  },
  CacheJournalOldestEntry: {
    minutes: 10,
    incident: { [on('journal_oldest_age_seconds')]: '0+60x11' },
    labels: PROCESS,
    quiet: [{ [on('journal_oldest_age_seconds')]: '0 60 120 180 240 0 0 0 60 0 0' }],
  },
  CacheInvalidationLag: {
    minutes: 20,
    incident: {
      [on('invalidation_lag_seconds_bucket', 'le="1"')]: '0+10x20',
      [on('invalidation_lag_seconds_bucket', 'le="5"')]: '0+100x20',
      [on('invalidation_lag_seconds_bucket', 'le="+Inf"')]: '0+100x20',
    },
    labels: SERVICE,
    quiet: [
      {
        [on('invalidation_lag_seconds_bucket', 'le="0.01"')]: '0+99.9x20',
        [on('invalidation_lag_seconds_bucket', 'le="1"')]: '0+100x20',
        [on('invalidation_lag_seconds_bucket', 'le="+Inf"')]: '0+100x20',
      },
      { [on('invalidation_lag_seconds_bucket', 'le="+Inf"')]: '0x20' },
    ],
  },
  CacheMemoryNearBound: {
    minutes: 40,
    incident: {
      [on('size_bytes', MEMORY)]: '990x40',
      [on('size_limit_bytes', MEMORY)]: '1000x40',
      [on('evictions_total', `${MEMORY}, cause="bytes"`)]: '0+300x40',
      [on('tier_requests_total', `${MEMORY}, outcome="hit"`)]: '0+1000x40',
    },
    labels: { ...PROCESS, tier: 'memory' },
    quiet: [
      // Full as it should be, and nearly all that is asked for is there.
      {
        [on('size_bytes', MEMORY)]: '990x40',
        [on('size_limit_bytes', MEMORY)]: '1000x40',
        [on('items', MEMORY)]: '100x40',
        [on('items_limit', MEMORY)]: '100x40',
        [on('evictions_total', `${MEMORY}, cause="bytes"`)]: '0+30x40',
        [on('tier_requests_total', `${MEMORY}, outcome="hit"`)]: '0+1000x40',
      },
      {
        [on('items', MEMORY)]: '50x40',
        [on('items_limit', MEMORY)]: '100x40',
        [on('evictions_total', `${MEMORY}, cause="items"`)]: '0+300x40',
        [on('tier_requests_total', `${MEMORY}, outcome="hit"`)]: '0+1000x40',
      },
    ],
  },
  CacheErrorRate: {
    minutes: 15,
    incident: {
      [requests('hit')]: '0+1000x15',
      [on('errors_total', 'tier="redis", operation="get", cause="TIMEOUT"')]: '0+100x15',
    },
    labels: SERVICE,
    quiet: [
      {
        [requests('hit')]: '0+1000x15',
        [on('errors_total', 'tier="redis", operation="get", cause="TIMEOUT"')]: '0+10x15',
      },
    ],
  },
  CacheRedisConfiguration: {
    minutes: 5,
    // Told once, for it stays as it is.
    incident: { [on('errors_total', REFUSED)]: '0 0 1x4' },
    labels: { ...PROCESS, tier: 'redis', operation: 'connect' },
    quiet: [
      { [on('errors_total', REFUSED)]: '0x6' },
      { [on('errors_total', 'tier="redis", operation="connect", cause="UNAVAILABLE"')]: '0 0 1x4' },
    ],
  },
}

/** Whether an alert fires at the end of some series. */
function unitTest(name: string, minutes: number, series: Series, labels?: Scenario['labels']): object {
  const severity = ALERTS.find(alert => alert.name === name)?.severity ?? ''
  const all = { __name__: 'ALERTS', alertname: name, alertstate: 'firing', severity, ...labels }
  const [, ...matchers] = Object.entries(all).map(([label, value]) => `${label}="${value}"`)
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
    promql_expr_test: [
      {
        expr: `ALERTS{alertname="${name}", alertstate="firing"}`,
        eval_time: `${minutes}m`,
        exp_samples: labels ? [{ labels: `ALERTS{${matchers.join(', ')}}`, value: 1 }] : [],
      },
    ],
  }
}

/** @returns what promtool says; JSON is YAML, too */
async function testRules(tests: readonly object[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cache-rules-'))
  try {
    const file = join(directory, 'test.yml')
    await writeFile(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }))
    return await run(promtool(), ['test', 'rules', file]).then(
      ({ stdout }) => stdout,
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

test.skipIf(!hasPrometheus)('the rules are what Prometheus takes', async () => {
  const { stdout } = await run(promtool(), ['check', 'rules', RULES])
  expect(stdout).toContain(`SUCCESS: ${ALERTS.length} rules found`)
})

describe('every alert', () => {
  test.skipIf(!hasPrometheus).each(ALERTS.map(({ name }) => name))(
    '%s fires in its incident, and is quiet otherwise',
    async name => {
      const { minutes, incident, labels, quiet } = SCENARIOS[name] as Scenario
      const tests = [
        unitTest(name, minutes, incident, labels),
        ...quiet.map(series => unitTest(name, minutes, series)),
      ]
      expect(await testRules(tests)).toContain('SUCCESS')
    },
  )

  test('is explained where its runbook link leads', async () => {
    const runbook = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
    const headings = Array.from(runbook.matchAll(/^#+ (.*)$/gm), ([, heading = '']) => heading)
    for (const alert of ALERTS) {
      expect(headings).toContain(alert.name)
      expect(runbookOf(alert)).toBe(`docs/operations.md#${alert.name.toLowerCase()}`)
    }
  })
})

test.skipIf(!hasPrometheus)('what one alert says is filled in', async () => {
  const rule = {
    interval: '1m',
    input_series: [{ series: on('journal_oldest_age_seconds'), values: '0+60x11' }],
    alert_rule_test: [
      {
        eval_time: '10m',
        alertname: 'CacheJournalOldestEntry',
        exp_alerts: [
          {
            exp_labels: { ...PROCESS, severity: 'critical' },
            exp_annotations: {
              summary: 'An invalidation of cache products on a:8000 waits for long',
              description:
                'It has waited for 10m 0s: until it is applied, other processes may serve what it was to remove.',
              runbook_url: 'docs/operations.md#cachejournaloldestentry',
            },
          },
        ],
      },
    ],
  }
  expect(await testRules([rule])).toContain('SUCCESS')
})
