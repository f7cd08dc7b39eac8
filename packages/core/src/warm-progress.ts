import { attempt } from './attempt.ts'
import type { Clock } from './clock.ts'
import type { WarmUpFailure, WarmUpProgress, WarmUpTerms } from './warm-options.ts'

/** What came of a batch; the rest of it was skipped. */
export interface BatchResult {
  readonly done: number
  readonly failures: readonly WarmUpFailure[]
}

/** The accounts of a warm-up: every item taken is counted once, when its batch has ended. */
export class Progress {
  readonly #clock: Clock
  readonly #terms: WarmUpTerms
  readonly #startedAt: number
  readonly #failures: WarmUpFailure[] = []
  #done = 0
  #failed = 0
  #settled = 0
  #position = 0
  /** The batch that the position waits for. */
  #next = 0
  /** Sizes of those that ended before it. */
  readonly #ahead = new Map<number, number>()

  constructor(clock: Clock, terms: WarmUpTerms) {
    this.#clock = clock
    this.#terms = terms
    this.#startedAt = clock.now()
  }

  /** @param index of the batch, in the order of the source  @param size how many items were taken for it */
  settle(index: number, size: number, { done, failures }: BatchResult): void {
    this.#done += done
    this.#failed += failures.length
    this.#settled += size
    this.#failures.push(...failures.slice(0, this.#terms.maxFailures - this.#failures.length))
    this.#ahead.set(index, size)
    for (let ended = this.#ahead.get(this.#next); ended !== undefined; ended = this.#ahead.get(this.#next)) {
      this.#position += ended
      this.#ahead.delete(this.#next++)
    }
    const { onProgress } = this.#terms
    if (onProgress) attempt(() => onProgress(this.report()))
  }

  report(): WarmUpProgress {
    const { total } = this.#terms
    const seconds = (this.#clock.now() - this.#startedAt) / 1_000
    return {
      done: this.#done,
      skipped: this.#settled - this.#done - this.#failed,
      failed: this.#failed,
      failures: [...this.#failures],
      position: this.#position,
      ...(total !== undefined && { total }),
      rate: seconds > 0 ? this.#settled / seconds : 0,
    }
  }
}
