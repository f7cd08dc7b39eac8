import type { Clock, TimerHandle } from '@cache/core'
import type { Apply, Confirmation, Hold, Journal, JournalBatch } from './journal.ts'

/** How long after a failed attempt the next is made, in milliseconds; then after twice as long, up to the longest. */
const FIRST_RETRY_MS = 50
const LONGEST_RETRY_MS = 500
/** Keys invalidated in one call. One call at a time: a remote that just came back is not flooded. */
const BATCH_SIZE = 100

export interface RecoveryOptions {
  readonly journal: Journal
  readonly clock: Clock
  /** What may not be applied yet. */
  readonly held: Hold | undefined
  readonly apply: Apply
  readonly onRecovered: (recovered: { invalidations: number; durationMs: number }) => void
}

/**
 * Applies the journal when the remote may be back: at once when told so, else again and again, twice a second in the end, as
 * long as something is pending. One run at a time.
 */
export class Recovery {
  readonly #options: RecoveryOptions
  #running = false
  /** Told to run while it ran. */
  #again = false
  #timer: TimerHandle | undefined
  #retryMs = FIRST_RETRY_MS
  #waiting: (() => void)[] = []
  /** When something was first pending, in epoch milliseconds, and what was applied of it so far. */
  #since: number | undefined
  #applied = 0
  #closed = false

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** Something was journalled: sees to it that it is applied, later. */
  schedule(): void {
    const { clock, journal } = this.#options
    if (this.#closed || journal.size === 0) return
    this.#since ??= clock.now()
    if (this.#timer) return
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined
      void this.#run()
    }, this.#retryMs)
    this.#timer.unref?.()
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
  }

  /** The remote seems to be there, or something is held no more: applies what is pending now. */
  run(): Promise<void> {
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#retryMs = FIRST_RETRY_MS
    return this.#run()
  }

  async #run(): Promise<void> {
    if (this.#running) this.#again = true
    if (this.#running || this.#closed || this.#options.journal.size === 0) return
    this.#since ??= this.#options.clock.now()
    this.#running = true
    try {
      do {
        this.#again = false
        await this.#options.journal.drain(BATCH_SIZE, batch => this.#apply(batch), this.#options.held)
      } while (this.#again)
    } catch {
      // A store that throws, as one that was closed does, confirmed nothing: all of it still waits.
    } finally {
      this.#running = false
    }
    if (this.#options.journal.size === 0) this.#recovered()
    else this.schedule()
  }

  /** Resolves when nothing is pending. */
  whenRecovered(): Promise<void> {
    if (this.#options.journal.size === 0 || this.#closed) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Ends the attempts; what is pending is given up, and whoever waits is released. */
  close(): void {
    this.#closed = true
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer)
    this.#settle()
  }

  async #apply(batch: JournalBatch): Promise<Confirmation> {
    const confirmed = !this.#closed && (await this.#options.apply(batch))
    if (confirmed === false) return false
    const all = 'keys' in batch ? batch.keys.length : 'tags' in batch ? batch.tags.length : 1
    this.#applied += confirmed === true ? all : all - confirmed.except.size
    return confirmed
  }

  #recovered(): void {
    if (this.#closed) return
    const durationMs = this.#options.clock.now() - (this.#since ?? 0)
    this.#options.onRecovered({ invalidations: this.#applied, durationMs })
    this.#since = undefined
    this.#applied = 0
    this.#settle()
  }

  #settle(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
