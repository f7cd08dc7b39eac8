import type { Slots } from '../slots.ts'
import type { Policy } from './policy.ts'

const ARRIVALS = 0

/** First in, first out: one ring in order of arrival. Reading or replacing an entry does not move it. */
export class Fifo implements Policy {
  static readonly words = 2
  static readonly anchors = 1
  readonly #slots: Slots<unknown, unknown>

  constructor(slots: Slots<unknown, unknown>) {
    this.#slots = slots
  }

  admit(slot: number): void {
    this.#slots.append(slot, ARRIVALS)
  }

  use(): void {}

  remove(slot: number): void {
    this.#slots.unlink(slot)
  }

  victim(): number {
    return this.#slots.next(ARRIVALS)
  }

  order(): Iterable<number> {
    return this.#slots.ring(ARRIVALS)
  }
}
