import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { freePort } from './redis-server.ts'

/** The `promtool` that belongs to the Prometheus of the tests. */
export function promtool(): string {
  return process.env.PROMTOOL || 'promtool'
}

/** Whether there is a Prometheus to test with: `scripts/ensure-servers.ts` leaves `PROMETHEUS` empty if there is none. */
export const hasPrometheus: boolean = process.env.PROMETHEUS !== ''

/** Labels and the value of one series, as the answer to a query. */
export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

export interface RangeResult {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (readonly [time: number, value: string])[]
}

/** A real Prometheus of the test's own: on a free port, in its own directory, gone with {@link PrometheusServer.stop}. */
export class PrometheusServer {
  readonly url: string
  readonly #process: ChildProcess
  readonly #directory: string

  private constructor(url: string, process: ChildProcess, directory: string) {
    this.url = url
    this.#process = process
    this.#directory = directory
  }

  /**
   * @param config of Prometheus: its YAML, as an object
   * @param rules the text of a rule file
   */
  static async start(config: object, rules = 'groups: []'): Promise<PrometheusServer> {
    const directory = await mkdtemp(join(tmpdir(), 'cache-prometheus-'))
    const file = join(directory, 'prometheus.yml')
    // JSON is YAML, too.
    await writeFile(file, JSON.stringify({ ...config, rule_files: ['rules.yml'] }))
    await writeFile(join(directory, 'rules.yml'), rules)
    const address = `127.0.0.1:${await freePort()}`
    const child = spawn(
      process.env.PROMETHEUS || 'prometheus',
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=${address}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const server = new PrometheusServer(`http://${address}`, child, directory)
    try {
      await eventually('Prometheus is ready', () => server.#isReady())
    } catch (error) {
      await server.stop()
      throw error
    }
    return server
  }

  /** @throws Error with what Prometheus says of a query that it does not understand */
  query(expr: string): Promise<readonly QueryResult[]> {
    return this.#ask('query', { query: expr })
  }

  /** A query over time. @param start and `end`: seconds since the epoch; `step` is in seconds, too */
  queryRange(expr: string, start: number, end: number, step: number): Promise<readonly RangeResult[]> {
    return this.#ask('query_range', { query: expr, start: `${start}`, end: `${end}`, step: `${step}` })
  }

  /** The value of a query that gives one series; `undefined` if it gives none. */
  async value(expr: string): Promise<number | undefined> {
    const [first] = await this.query(expr)
    return first && Number(first.value[1])
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#process
    if (exitCode === null && signalCode === null) {
      const ended = once(this.#process, 'exit')
      this.#process.kill('SIGKILL')
      await ended
    }
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #ask<T>(path: string, question: Record<string, string>): Promise<readonly T[]> {
    const body = new URLSearchParams(question)
    const response = await fetch(`${this.url}/api/v1/${path}`, { method: 'POST', body })
    const answer = (await response.json()) as { data?: { result: T[] }; error?: string }
    if (answer.data) return answer.data.result
    throw new Error(`${answer.error} in ${question.query}`)
  }

  async #isReady(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`prometheus ended with ${this.#process.exitCode}`)
    return fetch(`${this.url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
}
