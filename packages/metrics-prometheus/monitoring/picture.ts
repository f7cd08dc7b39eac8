/**
 * Draws the dashboard for the README, from what a real Prometheus saw of the demo and its outage:
 *
 *     node --conditions=@cache/source monitoring/picture.ts
 *
 * Needs `prometheus` and `redis-server` on the PATH, and takes a minute.
 */
import { writeFile } from 'node:fs/promises'
import { RedisBus } from '@cache/redis'
import { type PrometheusServer, watchDemo } from '@cache/test-support'
import type { Panel } from '@grafana/schema'
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { ROWS } from './rows.ts'

const PICTURE = new URL('../dashboard.svg', import.meta.url)
const DURATION_SECONDS = 30
/** Of each row, side by side. */
const PANELS = 3
const WIDTH = 260
const HEIGHT = 110

interface Point {
  readonly second: number
  readonly value: number
  readonly series: string
}

await using demo = await watchDemo({
  durationSeconds: DURATION_SECONDS,
  scrapeInterval: '1s',
  beside: chatter,
})
const rows = await Promise.all(
  ROWS.map(async ({ title, panels }) => ({
    title: { text: title, fontSize: 14, anchor: 'start' as const },
    spacing: 24,
    resolve: { scale: { color: 'independent' as const } },
    hconcat: await Promise.all(panels.slice(0, PANELS).map(panel => chartOf(demo.prometheus, panel))),
  })),
)
await writeFile(PICTURE, `${await svgOf({ vconcat: rows, background: 'white' })}\n`)

/** Another process, that invalidates something now and then. */
function chatter(redis: { readonly url: string; readonly prefix: string }): () => Promise<void> {
  const peer = new RedisBus(redis)
  const timer = setInterval(() => void peer.publish({ type: 'keys', keys: ['product:1'] }), 200)
  return () => {
    clearInterval(timer)
    return peer.close()
  }
}

async function chartOf(prometheus: PrometheusServer, { title = '', targets = [], fieldConfig }: Panel) {
  const values = (await Promise.all(targets.map(target => pointsOf(prometheus, target)))).flat()
  // A line at zero has no scale of its own.
  const max = Math.max(...values.map(({ value }) => value))
  const isShare = fieldConfig?.defaults.unit === 'percentunit'
  return {
    title: { text: title, fontSize: 11, fontWeight: 'normal' as const },
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    mark: { type: 'line' as const, interpolate: 'monotone' as const, strokeWidth: 1.5 },
    encoding: {
      x: {
        field: 'second',
        type: 'quantitative' as const,
        title: null,
        axis: { grid: false, labelExpr: "datum.value + ' s'" },
      },
      y: {
        field: 'value',
        type: 'quantitative' as const,
        title: null,
        scale: max > 0 ? { domainMin: 0 } : { domain: [0, 1] },
        axis: { tickCount: 4, format: isShare ? '.0%' : '~s' },
      },
      color: {
        field: 'series',
        type: 'nominal' as const,
        legend: {
          title: null,
          orient: 'bottom' as const,
          columns: 3,
          labelFontSize: 9,
          symbolSize: 40,
          labelLimit: 110,
        },
      },
    },
  }
}

async function pointsOf(prometheus: PrometheusServer, target: Record<string, unknown>): Promise<Point[]> {
  const end = Date.now() / 1_000
  const start = end - DURATION_SECONDS - 2
  const expr = `${target.expr}`
    .replaceAll('$__rate_interval', '4s')
    .replaceAll('$job', 'cache_manager')
    .replaceAll('$cache', '.+')
  return (await prometheus.queryRange(expr, start, end, 1)).flatMap(({ metric, values }) =>
    values.flatMap(([time, text]) => {
      const value = Number(text)
      if (!Number.isFinite(value)) return []
      return [
        {
          second: Math.round(time - start),
          value,
          series: nameOf(`${target.legendFormat}`, metric),
        },
      ]
    }),
  )
}

/** As Grafana fills in a legend; the name of the one cache goes without saying. */
function nameOf(legend: string, metric: Readonly<Record<string, string>>): string {
  const name = legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) =>
    label === 'cache' ? '' : (metric[label] ?? ''),
  )
  return name.trim() || 'all'
}

async function svgOf(spec: object): Promise<string> {
  const { spec: compiled } = compile(spec as TopLevelSpec)
  const svg = await new View(parse(compiled), { renderer: 'none' }).toSVG()
  // A tenth of a pixel is as much as anybody sees.
  return svg.replace(/\d+\.\d{2,}/g, number => String(Math.round(Number(number) * 10) / 10))
}
