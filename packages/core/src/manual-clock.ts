import type { Clock, TimerHandle } from './clock.ts'

interface ManualTimer extends TimerHandle {
  readonly at: number
  readonly fn: () => void
}

/** A clock that stands still until it is turned: for tests of anything that takes a {@link Clock}. */
export class ManualClock implements Clock {
  #now: number
  readonly #timers = new Set<ManualTimer>()

  /** @param start milliseconds since the epoch; default 1,000,000 */
  constructor(start: number = 1_000_000) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  setTimeout(fn: () => void, ms: number): TimerHandle {
    const timer: ManualTimer = { at: this.#now + ms, fn, unref: () => timer }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle as ManualTimer)
  }

  /** Moves time forward by `ms` milliseconds and runs the timers that fall due, in order of their time. */
  advance(ms: number): void {
    const target = this.#now + ms
    for (;;) {
      const due = this.#next(target)
      if (!due) break
      this.#timers.delete(due)
      this.#now = Math.max(this.#now, due.at)
      due.fn()
    }
    this.#now = target
  }

  /** Timers not yet run or cleared. */
  get pending(): number {
    return this.#timers.size
  }

  #next(target: number): ManualTimer | undefined {
    let next: ManualTimer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= target && (!next || timer.at < next.at)) next = timer
    }
    return next
  }
}
