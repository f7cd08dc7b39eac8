import type { Clock } from './clock.ts'

/** How long something was away in all, as far as anybody looked: each time that is told here. */
export class Outage {
  readonly #clock: Clock
  #since: number | undefined
  #ms = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds, those of an outage that lasts among them. */
  get ms(): number {
    return this.#ms + this.#lasts
  }

  note(isAway: boolean): void {
    if (isAway === (this.#since !== undefined)) return
    this.#ms += this.#lasts
    this.#since = isAway ? this.#clock.now() : undefined
  }

  get #lasts(): number {
    return this.#since === undefined ? 0 : Math.max(0, this.#clock.now() - this.#since)
  }
}
