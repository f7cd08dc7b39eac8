import type { Slots } from '../slots.ts'
import type { Policy } from './policy.ts'

const RECENT = 0

/** Least recently used: one ring from the longest unused to the latest used. */
export class Lru implements Policy {
  static readonly words = 2
  static readonly anchors = 1
  readonly #slots: Slots<unknown, unknown>

  constructor(slots: Slots<unknown, unknown>) {
    this.#slots = slots
  }

  admit(slot: number): void {
    this.#slots.append(slot, RECENT)
  }

  use(slot: number): void {
    const slots = this.#slots
    if (slots.next(slot) === RECENT) return
    slots.unlink(slot)
    slots.append(slot, RECENT)
  }

  remove(slot: number): void {
    this.#slots.unlink(slot)
  }

  victim(): number {
    return this.#slots.next(RECENT)
  }

  order(): Iterable<number> {
    return this.#slots.ring(RECENT)
  }
}
