import { type CacheError, type Clock, type TimerHandle, toCacheError } from '@cache/core'
import { ClearedScopes } from './cleared-scopes.ts'
import { together } from './cluster-shards.ts'
import type { Command } from './connection.ts'
import type { Keyspace } from './keyspace.ts'
import type { Pool } from './pool.ts'
import { scan } from './scan.ts'
import { SWEEP, SWEPT } from './scripts/order-scripts.ts'
import type { ServerOrder } from './server-order.ts'

/**
 * How long a clear stays in force, in milliseconds, though all was swept: a write sent before it may have been under way,
 * and come after the sweep.
 */
const IN_FORCE_MS = 60_000
/** A scope not swept so long after its clear was heard of was left by whoever cleared it. Up to twice that: not all at once. */
const ABANDONED_MS = 120_000
/** How soon what failed is tried again, and how often it is looked whether others have finished. */
const RETRY_MS = 5_000
/** Keys removed at a time, by one script: Redis does nothing else meanwhile, for about a millisecond. */
const KEYS_PER_SCRIPT = 500

export interface SweeperOptions {
  readonly pool: Pick<Pool, 'cluster'>
  readonly keys: Keyspace
  readonly order: ServerOrder
  readonly clock: Clock
  readonly run: <T>(command: Command<T>) => Promise<T>
  readonly onError: (error: CacheError) => void
}

/** A clear under way. */
interface Sweep {
  readonly version: number
  /** When it was heard of, by our own clock. */
  readonly since: number
  /** When it is swept next; of others' clears, unless they have done it by then. */
  next: number
  /** Whether it stays in force no longer once it is swept the next time. */
  last: boolean
}

/**
 * Removes what was cleared, behind the backs of all readers, to whom it is gone already: page by page, twice (see
 * {@link IN_FORCE_MS}), resting as long as it works. What a process leaves unfinished, another one finishes.
 */
export class Sweeper {
  readonly #options: SweeperOptions
  readonly #sweeps = new Map<string, Sweep>()
  #timer: TimerHandle | undefined
  #running = false
  #closed = false

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  /** Sweeps what was cleared here. */
  start(scope: string, version: number): void {
    const now = this.#options.clock.now()
    this.#sweeps.set(scope, { version, since: now, next: now, last: false })
    this.#schedule()
  }

  /** There are clears of others: sees to it that they are swept. */
  watch(): void {
    const { order, clock } = this.#options
    const now = clock.now()
    for (const [scope, version] of order.clears) {
      const known = this.#sweeps.get(scope)
      if (known && known.version >= version) continue
      const next = now + ABANDONED_MS * (1 + Math.random())
      this.#sweeps.set(scope, { version, since: now, next, last: true })
    }
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#closed || this.#running || this.#sweeps.size === 0) return
    const { clock } = this.#options
    if (this.#timer) clock.clearTimeout(this.#timer)
    const next = Math.min(...Array.from(this.#sweeps.values(), sweep => sweep.next))
    this.#timer = clock.setTimeout(
      () => void this.#run(),
      Math.max(0, Math.min(next - clock.now(), RETRY_MS)),
    )
    this.#timer.unref?.()
  }

  async #run(): Promise<void> {
    this.#timer = undefined
    this.#running = true
    try {
      await this.#forgetFinished()
      const now = this.#options.clock.now()
      const due = new Map([...this.#sweeps].filter(([, { next }]) => next <= now))
      if (due.size > 0) await this.#sweep(due)
    } catch (thrown) {
      if (!this.#closed)
        this.#options.onError(toCacheError(thrown, 'STORE', 'what was cleared could not be swept'))
      for (const sweep of this.#sweeps.values()) sweep.next += RETRY_MS
    } finally {
      this.#running = false
      this.#schedule()
    }
  }

  /** Others may have done it, or cleared again. */
  async #forgetFinished(): Promise<void> {
    const { order } = this.#options
    await order.catchUp()
    for (const [scope, { version }] of this.#sweeps) {
      if (order.clears.get(scope) !== version) this.#sweeps.delete(scope)
    }
  }

  /** All that are due at one go: to walk the keys costs the same for one scope as for a thousand. */
  async #sweep(due: ReadonlyMap<string, Sweep>): Promise<void> {
    const { keys, order, run } = this.#options
    await this.#removeAll(due)
    if (this.#closed) return
    for (const [scope, sweep] of due) {
      if (!sweep.last) {
        sweep.next = sweep.since + IN_FORCE_MS
        sweep.last = true
        continue
      }
      await run(client => SWEPT.run(client, [keys.last, keys.clears], [scope, String(sweep.version)]))
      order.noteSwept(scope, sweep.version)
      if (this.#sweeps.get(scope) === sweep) this.#sweeps.delete(scope)
    }
  }

  async #removeAll(due: ReadonlyMap<string, Sweep>): Promise<void> {
    const { pool, keys, run } = this.#options
    const [only] = due.size === 1 ? due.keys() : ['']
    const scopes = new ClearedScopes()
    for (const [scope, { version }] of due) scopes.add(scope, version)
    for await (const page of scan(keys.keyOf(only ?? ''), run, pool.cluster)) {
      const versions = new Map<Buffer, string>()
      for (const redisKey of page) {
        const key = keys.entryKeyOf(redisKey.toString())
        const version = key === undefined ? 0 : scopes.versionOf(key)
        if (version > 0) versions.set(redisKey, String(version))
      }
      const cleared = [...versions.keys()]
      for (let i = 0; i < cleared.length; i += KEYS_PER_SCRIPT) {
        const started = performance.now()
        await run(client =>
          Promise.all(
            together(client, cleared.slice(i, i + KEYS_PER_SCRIPT)).map(group =>
              SWEEP.run(
                client,
                group,
                group.map(key => versions.get(key) ?? '0'),
              ),
            ),
          ),
        )
        await this.#rest(performance.now() - started)
      }
      if (this.#closed) return
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise(resolve => {
      setTimeout(resolve, ms)
    })
  }
}
