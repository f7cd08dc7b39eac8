import type { Clock, TimerHandle } from '@cache/core'

/** The longest a timer can wait; it rings early then, and is set again. */
const MAX_DELAY_MS = 0x7fff_ffff

/** One timer that rings at the earliest time asked for, and does not keep the process alive. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #timer: TimerHandle | undefined
  #at = Number.POSITIVE_INFINITY

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at `at` (epoch milliseconds; never for `Infinity`), unless it is to ring earlier anyway. */
  set(at: number, now: number): void {
    if (at >= this.#at) return
    this.cancel()
    this.#at = at
    this.#timer = this.#clock.setTimeout(
      () => {
        this.#timer = undefined
        this.#at = Number.POSITIVE_INFINITY
        this.#ring()
      },
      Math.min(Math.max(at - now, 0), MAX_DELAY_MS),
    )
    this.#timer.unref?.()
  }

  cancel(): void {
    if (this.#timer) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#at = Number.POSITIVE_INFINITY
  }
}
