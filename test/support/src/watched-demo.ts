import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'
import { PrometheusServer } from './prometheus-server.ts'
import { freePort } from './redis-server.ts'

const EXAMPLE = fileURLToPath(new URL('../../../examples/catalogue', import.meta.url))

export interface WatchedDemoOptions {
  readonly durationSeconds: number
  /** How often Prometheus looks: `1s`. */
  readonly scrapeInterval: string
  /** The text of a rule file. */
  readonly rules?: string
  /** Called when the demo's Redis is there. @returns what is called when the traffic has ended */
  readonly beside?: (redis: { readonly url: string; readonly prefix: string }) => () => unknown
}

/** The demo of this repository after its outage, still up, and a Prometheus that has seen all of it. */
export interface WatchedDemo extends AsyncDisposable {
  /** Of the metrics. */
  readonly page: string
  /** Where the service is. */
  readonly service: string
  readonly prometheus: PrometheusServer
}

/** Plays the demo to the end of its traffic. Its job is called `cache_manager`. */
export async function watchDemo(options: WatchedDemoOptions): Promise<WatchedDemo> {
  const resources = new AsyncDisposableStack()
  try {
    const port = await freePort()
    // Prometheus takes five seconds to begin with its targets.
    const prometheus = await startPrometheus(options, port)
    resources.defer(() => prometheus.stop())

    const { REDIS_URL: _, ...env } = process.env
    const args = ['--conditions=@cache/source', 'src/demo.ts', '--keep']
    const demo = spawn(process.execPath, [...args, '--duration', `${options.durationSeconds}`], {
      cwd: EXAMPLE,
      env: { ...env, METRICS_PORT: `${port}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    resources.defer(async () => {
      const ended = once(demo, 'exit')
      demo.kill('SIGINT')
      await ended
    })
    const said = listenTo(demo.stdout)
    const redis = { url: await said(/at (redis:\S+);/), prefix: `catalogue-demo-${demo.pid}:` }
    const page = await said(/metrics {2}(http\S+)/)
    const stop = options.beside?.(redis)
    const service = await said(/(http:\S+) and http:\S+ stay up/)
    await stop?.()
    return { page, service, prometheus, [Symbol.asyncDispose]: () => resources.disposeAsync() }
  } catch (error) {
    await resources.disposeAsync()
    throw error
  }
}

function startPrometheus(
  { scrapeInterval, rules }: WatchedDemoOptions,
  port: number,
): Promise<PrometheusServer> {
  const config = {
    global: { scrape_interval: scrapeInterval, evaluation_interval: scrapeInterval },
    scrape_configs: [{ job_name: 'cache_manager', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
  }
  return PrometheusServer.start(config, rules)
}

/** @returns what finds the first group of a pattern in all that a stream has given, or will */
function listenTo(stream: Readable): (pattern: RegExp) => Promise<string> {
  let text = ''
  stream.on('data', chunk => {
    text += chunk
  })
  return async pattern => {
    await eventually(`${pattern}`, () => pattern.test(text), 120_000)
    return pattern.exec(text)?.[1] ?? ''
  }
}
