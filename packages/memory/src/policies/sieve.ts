import type { Slots } from '../slots.ts'
import type { Policy } from './policy.ts'

const ARRIVALS = 0

/**
 * SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi, NSDI 2024): one ring in order of arrival, and a hand that goes from the
 * oldest to the newest and round again. It passes over entries that were used, once for all their uses, and takes
 * the first that was not. A hit writes one word and moves nothing; what survived stays where it is, so that newcomers
 * are sifted out soon.
 */
export class Sieve implements Policy {
  static readonly words = 2
  static readonly anchors = 1
  readonly #slots: Slots<unknown, unknown>
  /**
   * By slot: 1 if the entry was used since the hand last passed it. A byte for each and nothing else between them, so
   * that a hit finds them in the processor's cache.
   */
  #used: Uint8Array<ArrayBuffer> = new Uint8Array(1)
  /** The slot that the hand passed last; the fixed point of the ring, before the oldest entry, to begin with. */
  #passed = ARRIVALS

  constructor(slots: Slots<unknown, unknown>) {
    this.#slots = slots
  }

  admit(slot: number): void {
    if (slot >= this.#used.length) this.#grow()
    this.#used[slot] = 0
    this.#slots.append(slot, ARRIVALS)
  }

  use(slot: number): void {
    const used = this.#used
    if (used[slot] === 0) used[slot] = 1
  }

  remove(slot: number): void {
    if (this.#passed === slot) this.#passed = this.#slots.previous(slot)
    this.#slots.unlink(slot)
  }

  victim(): number {
    const used = this.#used
    let slot = this.#after(this.#passed)
    while (used[slot] === 1) {
      used[slot] = 0
      slot = this.#after(slot)
    }
    // The newest ends the round, whoever comes meanwhile.
    this.#passed = this.#slots.next(slot) === ARRIVALS ? ARRIVALS : this.#slots.previous(slot)
    return slot
  }

  /** Those that the hand would take on its next round, then those it would have to come back for. */
  *order(): IterableIterator<number> {
    for (const slot of this.#round()) if (this.#used[slot] === 0) yield slot
    for (const slot of this.#round()) if (this.#used[slot] === 1) yield slot
  }

  *#round(): IterableIterator<number> {
    const slots = this.#slots
    for (let slot = slots.next(this.#passed); slot !== ARRIVALS; slot = slots.next(slot)) yield slot
    if (this.#passed === ARRIVALS) return
    for (const slot of slots.ring(ARRIVALS)) {
      yield slot
      if (slot === this.#passed) return
    }
  }

  /** Where the hand goes from a slot. */
  #after(slot: number): number {
    const next = this.#slots.next(slot)
    return next === ARRIVALS ? this.#slots.next(ARRIVALS) : next
  }

  #grow(): void {
    this.#used = new Uint8Array(this.#used.buffer.transfer(this.#slots.capacity))
  }
}
