import type { Clock, TimerHandle } from '@cache/core'
import type { Journal, JournalBatch } from './journal.ts'

/** How long after a failed attempt the next is made, in milliseconds. */
const RETRY_MS = 1_000
/** Keys invalidated in one call. */
const BATCH_SIZE = 100

/**
 * Applies the journal when the remote may be back: at once when told so, else every second as long as something
 * is pending. One run at a time.
 */
export class Recovery {
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #apply: (batch: JournalBatch) => Promise<boolean>
  #running = false
  #timer: TimerHandle | undefined
  #waiting: (() => void)[] = []
  #closed = false

  constructor(journal: Journal, clock: Clock, apply: (batch: JournalBatch) => Promise<boolean>) {
    this.#journal = journal
    this.#clock = clock
    this.#apply = apply
  }

  /** Something was journalled: sees to it that it is applied, later. */
  schedule(): void {
    if (this.#closed || this.#timer || this.#journal.size === 0) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      void this.run()
    }, RETRY_MS)
    this.#timer.unref?.()
  }

  /** The remote seems to be there: applies what is pending now. */
  async run(): Promise<void> {
    if (this.#running || this.#closed) return
    this.#running = true
    try {
      await this.#journal.drain(BATCH_SIZE, this.#apply)
    } catch {
      // A store that throws, as one that was closed does, confirmed nothing: all of it still waits.
    } finally {
      this.#running = false
    }
    if (this.#journal.size === 0) this.#settle()
    else this.schedule()
  }

  /** Resolves when nothing is pending. */
  whenRecovered(): Promise<void> {
    if (this.#journal.size === 0 || this.#closed) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Ends the attempts; what is pending is given up, and whoever waits is released. */
  close(): void {
    this.#closed = true
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#settle()
  }

  #settle(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
