import { Agent, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { seededRandom } from '../random.ts'
import { Latencies, type LatencySummary } from './latency.ts'

export interface ReplayOptions {
  /** The service's address: `http://127.0.0.1:3000`. */
  readonly url: string
  /** Products to ask for, in order; again from the start when they end. */
  readonly ids: Uint32Array<ArrayBuffer>
  /** Requests under way at a time, each on a connection that is kept. */
  readonly connections: number
  /** Share of requests that change the product's price: 0 to 1. */
  readonly writes: number
}

export interface Report extends LatencySummary {
  readonly requests: number
  /** Requests with a status other than 2xx, a broken connection, or no answer in time. */
  readonly errors: number
  /** What the first error was. */
  readonly firstError?: string
  /** Reads that showed a product as it was before a write that had been answered when the read began. */
  readonly staleReads: number
  /** What happened since the report before this one. */
  readonly recent: LatencySummary & { readonly requests: number; readonly seconds: number }
}

/** No answer for this long, in milliseconds, counts as an error. */
const PATIENCE_MS = 5_000

/**
 * Plays a trace in a closed loop: every connection sends its next request when it has the whole answer to the last.
 * A latency runs from before the request is made to the last byte of its answer.
 */
export class Replay {
  readonly #options: ReplayOptions
  readonly #agent: Agent
  readonly #random = seededRandom(7)
  /** By product: the highest revision that a write was answered with. */
  readonly #written = new Map<number, number>()
  readonly #total = new Latencies()
  readonly #recent = new Latencies()
  #recentSince = performance.now()
  #recentRequests = 0
  #requests = 0
  #errors = 0
  #firstError: string | undefined
  #staleReads = 0
  #position = 0
  #stopped = false

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections })
  }

  /** Plays until {@link stop}; resolves when the last answer is in. */
  async run(): Promise<void> {
    this.#recentSince = performance.now()
    await Promise.all(Array.from({ length: this.#options.connections }, () => this.#connection()))
    this.#agent.destroy()
  }

  stop(): void {
    this.#stopped = true
  }

  report(): Report {
    const now = performance.now()
    const recent = {
      ...this.#recent.summary(),
      requests: this.#recentRequests,
      seconds: (now - this.#recentSince) / 1_000,
    }
    this.#recent.reset()
    this.#recentRequests = 0
    this.#recentSince = now
    return {
      ...this.#total.summary(),
      requests: this.#requests,
      errors: this.#errors,
      staleReads: this.#staleReads,
      ...(this.#firstError === undefined ? {} : { firstError: this.#firstError }),
      recent,
    }
  }

  async #connection(): Promise<void> {
    const { ids, writes } = this.#options
    while (!this.#stopped) {
      const id = ids[this.#position++ % ids.length] as number
      const start = performance.now()
      try {
        await (this.#random() < writes ? this.#write(id) : this.#read(id))
      } catch (error) {
        this.#errors++
        this.#firstError ??= error instanceof Error ? error.message : String(error)
      }
      const ms = performance.now() - start
      this.#total.record(ms)
      this.#recent.record(ms)
      this.#requests++
      this.#recentRequests++
    }
  }

  async #read(id: number): Promise<void> {
    const expected = this.#written.get(id)
    const body = await this.#send('GET', id)
    if (expected !== undefined && revisionOf(body) < expected) this.#staleReads++
  }

  async #write(id: number): Promise<void> {
    const priceCents = 500 + Math.floor(this.#random() * 50_000)
    const revision = revisionOf(await this.#send('PUT', id, JSON.stringify({ priceCents })))
    this.#written.set(id, Math.max(revision, this.#written.get(id) ?? 0))
  }

  async #send(method: string, id: number, body?: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const request = httpRequest(`${this.#options.url}/products/${id}`, {
      method,
      agent: this.#agent,
      timeout: PATIENCE_MS,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
    })
    request.on('error', reject)
    request.once('timeout', () => request.destroy(new Error(`No answer within ${PATIENCE_MS} ms`)))
    request.once('response', response => {
      const { statusCode = 0 } = response
      if (statusCode >= 200 && statusCode < 300) text(response).then(resolve, reject)
      else
        text(response).then(
          answer => reject(new Error(`${method} answered ${statusCode}: ${answer}`)),
          reject,
        )
    })
    request.end(body)
    return await promise
  }
}

function revisionOf(body: string): number {
  return (JSON.parse(body) as { revision: number }).revision
}
