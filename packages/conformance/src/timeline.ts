import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, ManualClock, systemClock } from '@cache/core'

/** Time as a case sees it: turned by hand for a store that takes a clock, waited for otherwise. */
export class Timeline {
  readonly clock: Clock
  readonly #manual: ManualClock | undefined

  constructor(kind: 'manual' | 'machine') {
    // Not in 1970: a store may well compare with a time of its own.
    this.#manual = kind === 'manual' ? new ManualClock(Date.now()) : undefined
    this.clock = this.#manual ?? systemClock
  }

  now(): number {
    return this.clock.now()
  }

  /** Timers that wait for the manual clock; 0 for the machine's, whose timers cannot be asked. */
  get pendingTimers(): number {
    return this.#manual?.pending ?? 0
  }

  /** Lets time pass until it is `at`, in epoch milliseconds. */
  async until(at: number): Promise<void> {
    if (this.#manual) this.#manual.advance(Math.max(0, at - this.now()))
    // A timer may fire a little early.
    else while (this.now() < at) await sleep(Math.max(1, at - this.now()))
  }
}
