import type { Clock, Marking, Setback, TimerHandle } from '@cache/core'
import type { JournalBatch } from './journal.ts'
import { Ring } from './ring.ts'

/** How long after something was confirmed a mark is left behind it, in milliseconds. */
const MARK_MS = 1_000

export interface SetbacksOptions {
  readonly store: Marking
  readonly clock: Clock
  /** How long the server may take to say what survived, in milliseconds; `Infinity` if the store sees to that. */
  readonly readMs: number
  /** A server may have been set back. */
  readonly onSetback: (reason: string) => void
  /** What it may have lost; `undefined`: more than can be told. */
  readonly onLost: (lost: readonly JournalBatch[] | undefined) => void
}

/**
 * Notices that a server lost what it had confirmed, and finds out what that was. Behind what is confirmed a mark is
 * left, once a second at most: where the mark has survived, all before it has.
 */
export class Setbacks {
  readonly #options: SetbacksOptions
  readonly #ring = new Ring()
  readonly #stop: () => void
  #timer: TimerHandle | undefined
  /** Setbacks so far: an answer that belongs to an earlier one counts no more. */
  #count = 0
  /** Resolves when it is known what the last one lost; `undefined` if it is. */
  #settling: Promise<void> | undefined
  #marking = false
  #closed = false

  constructor(options: SetbacksOptions) {
    this.#options = options
    this.#stop = options.store.onSetback(setback => {
      this.#settling = this.#settle(setback)
    })
    void this.#mark()
  }

  /** Whether the server may hold what counts no more, and nobody knows yet what. */
  get settling(): boolean {
    return this.#settling !== undefined
  }

  /** Resolves when it is known what was lost, if anything. */
  async whenSettled(): Promise<void> {
    while (this.#settling && !this.#closed) await this.#settling
  }

  /** The remote confirmed an invalidation, or a peer told of one. */
  confirmed(invalidation: JournalBatch): void {
    this.#ring.add(invalidation)
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer)
    this.#stop()
  }

  #schedule(): void {
    if (this.#timer || this.#marking || this.#closed) return
    const { clock } = this.#options
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined
      void this.#mark()
    }, MARK_MS)
    this.#timer.unref?.()
  }

  async #mark(): Promise<void> {
    const { next } = this.#ring
    const count = this.#count
    this.#marking = true
    const mark = await this.#leave()
    this.#marking = false
    if (mark !== undefined && count === this.#count) this.#ring.mark(mark, next)
    // Without a mark, more than need be is sent again.
    if (mark === undefined || count !== this.#count || next < this.#ring.next) this.#schedule()
  }

  async #leave(): Promise<number | undefined> {
    try {
      return await this.#options.store.mark()
    } catch {
      return undefined
    }
  }

  async #settle({ reason, survived }: Setback): Promise<void> {
    const count = ++this.#count
    this.#options.onSetback(reason)
    const mark = await this.#bounded(survived)
    if (count !== this.#count || this.#closed) return
    const lost = this.#ring.lostSince(mark)
    this.#ring.clear()
    this.#settling = undefined
    this.#options.onLost(lost)
    this.#schedule()
  }

  /** A server that does not say has lost everything. */
  #bounded(survived: Promise<number | undefined>): Promise<number | undefined> {
    const { clock, readMs } = this.#options
    if (readMs === Number.POSITIVE_INFINITY) return survived.catch(() => 0)
    return new Promise(resolve => {
      const timer = clock.setTimeout(() => resolve(0), readMs)
      const done = (mark: number | undefined): void => {
        clock.clearTimeout(timer)
        resolve(mark)
      }
      survived.then(done, () => done(0))
    })
  }
}
