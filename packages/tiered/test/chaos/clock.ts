import { setTimeout as sleep } from 'node:timers/promises'

export { sleep }

/** Milliseconds by the one clock that all processes of a machine share, and that nobody sets. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

const TICK_MS = 5

/** How long the event loop of this process stood still, so that it is not mistaken for a call that took long. */
export class LoopDelay {
  #total = 0
  #last = now()
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#timer = setInterval(() => {
      const time = now()
      this.#total += this.#lateness(time)
      this.#last = time
    }, TICK_MS)
    this.#timer.unref()
  }

  /** Milliseconds since the start, those that are just passing included. */
  get total(): number {
    return this.#total + this.#lateness(now())
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #lateness(time: number): number {
    return Math.max(0, time - this.#last - TICK_MS - 1)
  }
}
