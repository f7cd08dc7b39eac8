import { Queries } from './query.ts'

export interface Alert {
  readonly name: string
  readonly severity: 'info' | 'warning' | 'critical'
  readonly expr: string
  /** How long it must hold. */
  readonly for: string
  readonly summary: string
  readonly description: string
}

const q = new Queries('', '10m')
const CACHE = ['job', 'cache']
const INSTANCE = ['job', 'instance', 'cache']
const TIER = ['job', 'instance', 'cache', 'tier']

const hits = { outcome: 'hit' }
const hitRatio = (over: Queries): string =>
  `${over.rate('requests_total', CACHE, hits)}\n    / ${over.rate('requests_total', CACHE)}`

/** What is worth waking somebody for, or showing in the morning; docs/operations.md says what to do. */
export const ALERTS: readonly Alert[] = [
  {
    name: 'CacheHitRatioDrop',
    severity: 'warning',
    expr: `(
    ${hitRatio(q)}
)
  < 0.7 * (
    ${hitRatio(q.over('1h', '10m'))}
)
and ${q.rate('requests_total', CACHE)} > 1`,
    for: '5m',
    summary: 'Cache {{ $labels.cache }} of {{ $labels.job }} finds much less than an hour ago',
    description:
      'The hit ratio of the last 10 minutes is {{ $value | humanizePercentage }}, less than 70 % of that of the hour before.',
  },
  {
    name: 'CacheBreakerOpen',
    severity: 'critical',
    expr: `${q.max('breaker_state', INSTANCE, { state: 'closed' })} == 0`,
    for: '1m',
    summary: 'Cache {{ $labels.cache }} on {{ $labels.instance }} has given up on its remote',
    description:
      'The breaker has not been closed for a minute: memory serves alone, and the origin does the rest.',
  },
  {
    name: 'CacheRemoteAway',
    severity: 'critical',
    expr: `${q.min('remote_available', INSTANCE)} == 0`,
    for: '1m',
    summary: 'Cache {{ $labels.cache }} on {{ $labels.instance }} has no connection to its remote',
    description: 'For a minute memory has served alone, and the origin has done the rest.',
  },
  {
    name: 'CacheJournalGrowing',
    severity: 'warning',
    expr: `delta(${q.series('journal_entries')}[5m]) > 0
and min_over_time(${q.series('journal_entries')}[5m]) > 0`,
    for: '2m',
    summary: 'Invalidations of cache {{ $labels.cache }} on {{ $labels.instance }} pile up',
    description:
      '{{ $value | humanize }} invalidations more than 5 minutes ago wait for the remote. Beyond the bound of the journal everything is invalidated.',
  },
  {
    name: 'CacheJournalOldestEntry',
    severity: 'critical',
    expr: `${q.series('journal_oldest_age_seconds')} > 300`,
    for: '1m',
    summary: 'An invalidation of cache {{ $labels.cache }} on {{ $labels.instance }} waits for long',
    description:
      'It has waited for {{ $value | humanizeDuration }}: until it is applied, other processes may serve what it was to remove.',
  },
  {
    name: 'CacheInvalidationLag',
    severity: 'warning',
    expr: `${q.over('5m').quantile(0.99, 'invalidation_lag_seconds', CACHE)} > 1`,
    for: '5m',
    summary: 'Invalidations of cache {{ $labels.cache }} of {{ $labels.job }} arrive late',
    description:
      'One in a hundred takes longer than {{ $value | humanizeDuration }}: that long the processes serve different values.',
  },
  {
    name: 'CacheMemoryNearBound',
    severity: 'info',
    expr: `(
    ${q.series('size_bytes')} / ${q.series('size_limit_bytes')} > 0.95
  or ${q.series('items')} / ${q.series('items_limit')} > 0.95
)
and on (${TIER.join(', ')})
    ${q.rate('evictions_total', TIER)}
  > 0.2 * ${q.rate('tier_requests_total', TIER, hits)}`,
    for: '15m',
    summary: 'Cache {{ $labels.cache }} on {{ $labels.instance }} is too small for what is asked of it',
    description:
      'The tier {{ $labels.tier }} is {{ $value | humanizePercentage }} full, and loses an entry for every five that it serves.',
  },
  {
    name: 'CacheErrorRate',
    severity: 'critical',
    expr: `${q.over('5m').rate('errors_total', CACHE)}
  > 0.05 * ${q.over('5m').rate('requests_total', CACHE)}`,
    for: '2m',
    summary: 'Cache {{ $labels.cache }} of {{ $labels.job }} fails often',
    description:
      '{{ $value | humanize }} operations in a second fail, more than one for every twenty reads. Callers were spared.',
  },
  {
    name: 'CacheRedisConfiguration',
    severity: 'critical',
    expr: `${q.over('15m').increase('errors_total', [...TIER, 'operation'], { cause: 'CONFIGURATION' })} > 0`,
    for: '0m',
    summary: 'Cache {{ $labels.cache }} on {{ $labels.instance }} is not set up as its remote needs it',
    description:
      'The remote refuses {{ $labels.operation }}: a password, a permission, a database or a protocol is wrong. It does not pass by itself.',
  },
]

/** Where an alert is explained, in docs/operations.md: its name as a heading. */
export function runbookOf({ name }: Pick<Alert, 'name'>): string {
  return `docs/operations.md#${name.toLowerCase()}`
}

/** The rule file for Prometheus. */
export function alertsYaml(): string {
  const rules = ALERTS.map(alert =>
    [
      `      - alert: ${alert.name}`,
      '        expr: |-',
      ...alert.expr.split('\n').map(line => `          ${line}`),
      `        for: ${alert.for}`,
      '        labels:',
      `          severity: ${alert.severity}`,
      '        annotations:',
      `          summary: ${JSON.stringify(alert.summary)}`,
      `          description: ${JSON.stringify(alert.description)}`,
      `          runbook_url: ${JSON.stringify(runbookOf(alert))}`,
    ].join('\n'),
  )
  return `${HEAD}\ngroups:\n  - name: cache\n    rules:\n${rules.join('\n\n')}\n`
}

const HEAD = `# Alerts for @cache/metrics-prometheus, made by monitoring/generate.ts: change them there.
# The runbook links are paths in the repository; put the address in front at which your people read it.`
