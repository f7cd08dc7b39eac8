import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'
import { PrometheusServer } from './prometheus-server.ts'
import { freePort } from './redis-server.ts'

const ROOT = new URL('../../../', import.meta.url)
const EXAMPLE = fileURLToPath(new URL('examples/catalogue', ROOT))

/** The example asks for a newer Node than packages do, and so than the one that may run the tests: the repository brings it. */
const NODE = fileURLToPath(new URL('node_modules/node/bin/node', ROOT))

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
  const port = await freePort()
  // Prometheus takes five seconds to begin with its targets.
  const prometheus = await startPrometheus(options, port)

  const { REDIS_URL: _, ...env } = process.env
  const args = ['--conditions=@cache/source', 'src/demo.ts', '--keep']
  const demo = spawn(NODE, [...args, '--duration', `${options.durationSeconds}`], {
    cwd: EXAMPLE,
    env: { ...env, METRICS_PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = async (): Promise<void> => {
    if (demo.exitCode === null && demo.kill('SIGINT')) await once(demo, 'exit')
    await prometheus.stop()
  }
  try {
    const said = listenTo(demo.stdout)
    const redis = { url: await said(/at (redis:\S+);/), prefix: `catalogue-demo-${demo.pid}:` }
    const page = await said(/metrics {2}(http\S+)/)
    const stop = options.beside?.(redis)
    const service = await said(/(http:\S+) and http:\S+ stay up/)
    await stop?.()
    return { page, service, prometheus, [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
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
