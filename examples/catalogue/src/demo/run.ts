import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PolicyName } from '@cache/memory'
import { PrometheusMetrics, serveMetrics } from '@cache/metrics-prometheus'
import { RedisStore } from '@cache/redis'
import { readConfig } from '../config.ts'
import { PRODUCTS } from '../origin.ts'
import { startService } from '../service.ts'
import type { Arguments } from './arguments.ts'
import { countsOf, Meter } from './meter.ts'
import { outage } from './outage.ts'
import { provideRedis } from './redis-source.ts'
import type { Report } from './replay.ts'
import { inWords, type Summary, summarize } from './summary.ts'
import { type Screen, Table } from './table.ts'
import { readTrace, zipfTrace } from './trace.ts'
import { startTraffic } from './traffic.ts'

/** Few enough that Redis has something to do. */
const ITEMS_IN_MEMORY = 1_000
const TTL_SECONDS = 300
const CONNECTIONS = 8
const WRITES = 0.01
/** More than half a minute can play. */
const ZIPF_LENGTH = 1_000_000

export interface DemoOptions {
  readonly args: Arguments
  readonly env: NodeJS.ProcessEnv
  readonly screen: Screen
  /** Ends the demo early. */
  readonly signal: AbortSignal
  /** Called when the traffic has ended, before anything is closed. */
  readonly onSummary: (summary: Summary, report: Report) => void
}

/** Starts everything, plays the traffic, and cleans up whatever happens. Rejects when aborted. */
export async function runDemo({ args, env, screen, signal, onSummary }: DemoOptions): Promise<void> {
  const { duration } = args
  const { metricsPort } = readConfig({ METRICS_PORT: env.METRICS_PORT })
  const table = new Table(screen)
  const say = (text: string): void => table.say(text)
  const trace =
    args.trace === undefined ? zipfTrace(PRODUCTS, ZIPF_LENGTH) : await readTrace(args.trace, PRODUCTS)

  await using resources = new AsyncDisposableStack()
  const redis = await provideRedis(env, say)
  resources.defer(() => redis.own?.stop())
  const prefix = `catalogue-demo-${process.pid}:`
  if (redis.origin === 'url' && redis.url !== undefined) resources.defer(janitorOf(redis.url, prefix))
  const { observer, register } = new PrometheusMetrics()
  const service = await startService({
    host: '127.0.0.1',
    port: 0,
    maxItems: ITEMS_IN_MEMORY,
    policy: args.policy as PolicyName,
    ttl: TTL_SECONDS,
    observer,
    ...(redis.url === undefined ? {} : { redisUrl: redis.url, prefix }),
  })
  resources.defer(() => service.close())
  const metrics = await serveMetrics({
    port: metricsPort,
    host: '127.0.0.1',
    register,
    onPortTaken: 'next',
  })
  resources.defer(() => metrics.close())

  say(`service  ${service.url}/products/1`)
  say(`metrics  ${metrics.url}${metrics.port === metricsPort ? '' : ` (${metricsPort} is taken)`}`)
  say(`traffic  ${trace.name}`)

  const meter = new Meter(service, duration)
  const traffic = startTraffic(
    { url: service.url, ids: trace.ids, connections: CONNECTIONS, writes: WRITES, everyMs: 1_000 },
    report => table.show(meter.look(report)),
  )
  resources.defer(traffic.abandon)
  const ended = new AbortController()
  resources.defer(() => ended.abort())
  const untilEnded = AbortSignal.any([signal, ended.signal])
  const events: Promise<void>[] = [sleep(duration * 1_000, undefined, { signal: untilEnded })]
  if (redis.own) events.push(outage(redis.own, duration, say, untilEnded))
  await Promise.race([Promise.all(events), traffic.failed])

  const report = await traffic.stop()
  const summary = summarize(report, countsOf(service, report), redis.origin, redis.own ? 1 : 0)
  table.conclude(inWords(summary, report, trace.ids.length))
  onSummary(summary, report)
  if (!args.keep || signal.aborted) return
  table.conclude(`\n${service.url} and ${metrics.url} stay up until Ctrl-C`)
  await once(signal, 'abort')
}

/** @returns a function that leaves the user's Redis as it was. @throws at once for a URL that is none */
function janitorOf(url: string, prefix: string): () => Promise<void> {
  const store = new RedisStore({ url, prefix, poolSize: 1 })
  return async () => {
    try {
      await store.purge()
    } finally {
      await store.close()
    }
  }
}
