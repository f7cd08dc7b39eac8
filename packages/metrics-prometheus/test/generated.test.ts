import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { dashboard } from '../monitoring/dashboard.ts'
import { generated } from '../monitoring/generated.ts'
import { Queries } from '../monitoring/query.ts'
import { METRICS } from '../src/catalogue/index.ts'

test('dashboard, alerts and the table of the README are what the catalogue makes of them', async () => {
  for (const [file, contents] of await generated()) {
    expect(await readFile(file, 'utf8'), `run monitoring/generate.ts for ${file}`).toBe(contents)
  }
})

const panels = dashboard.panels ?? []

test('every metric is on the dashboard', () => {
  const queries = JSON.stringify(panels)
  const missing = METRICS.filter(
    ({ name, type }) =>
      !(type === 'histogram' ? queries.includes(`cache_${name}_`) : queries.includes(`cache_${name}{`)),
  )
  expect(missing.map(({ name }) => name)).toEqual([])
})

test('rows are those that an operator looks for, in this order', () => {
  expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
    'Traffic and hit ratio',
    'Latency',
    'Remote health',
    'Coherence and journal',
    'Memory',
    'Compression',
    'Warm-up',
  ])
})

test('it works as it is imported: variables for what it asks, ids of its own, nothing on top of another', () => {
  expect(dashboard.id).toBeNull()
  const variables = dashboard.templating?.list?.map(({ name }) => name)
  expect(variables).toEqual(['datasource', 'job', 'cache'])
  const asked = new Set(Array.from(JSON.stringify(dashboard).matchAll(/\$([a-z]+)/g), ([, name]) => name))
  expect([...asked].sort()).toEqual(['cache', 'datasource', 'job'])
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos }) => {
    const { x = 0, y = 0, w = 0, h = 0 } = gridPos ?? {}
    return Array.from({ length: w * h }, (_, i) => `${x + (i % w)}:${y + Math.floor(i / w)}`)
  })
  expect(new Set(cells).size).toBe(cells.length)
  expect(panels.every(({ gridPos }) => (gridPos?.x ?? 0) + (gridPos?.w ?? 0) <= 24)).toBe(true)
})

test('what is not in the catalogue cannot be asked for', () => {
  const q = new Queries('job="j"', '5m')
  expect(q.rate('requests_total', ['cache'], { outcome: '!~a|b' })).toBe(
    'sum by (cache) (rate(cache_requests_total{job="j", outcome!~"a|b"}[5m]))',
  )
  expect(() => q.series('request_total')).toThrow('request_total')
  expect(() => q.series('items', { outcome: 'hit' })).toThrow('outcome')
  expect(() => q.series('requests_total_bucket')).toThrow('requests_total_bucket')
  expect(() => q.series('load_duration_seconds')).toThrow('load_duration_seconds')
})
