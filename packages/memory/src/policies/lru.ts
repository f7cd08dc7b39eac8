import { NEXT, PREVIOUS, type Slots } from '../slots.ts'
import type { Policy } from './policy.ts'

const RECENT = 0

/** Uses noted before they are carried out: one in so many entries, within these bounds. */
const SLOTS_PER_NOTE = 8
const MIN_NOTES = 64
const MAX_NOTES = 16_384

/**
 * Least recently used: one ring from the longest unused to the latest used.
 *
 * A use is only noted; the notes are carried out when they are full, or before anything that depends on the order.
 * The order is exactly that of moving each entry at each use, but an entry that was used often in between is
 * moved once, and moves that follow each other at once do not wait for memory one by one.
 */
export class Lru implements Policy {
  static readonly words = 2
  static readonly anchors = 1
  readonly #slots: Slots<unknown, unknown>
  /** The slots used since the ring was in order, the latest last. */
  #notes = new Int32Array(1)
  #noted = 0
  /** While notes are carried out: one bit for each slot that was moved. */
  #moved = new Int32Array(1)

  constructor(slots: Slots<unknown, unknown>) {
    this.#slots = slots
  }

  admit(slot: number): void {
    if (this.#noted > 0) this.#carryOut()
    this.#slots.append(slot, RECENT)
  }

  use(slot: number): void {
    const noted = this.#noted
    const notes = this.#notes
    notes[noted] = slot
    this.#noted = noted + 1
    if (noted + 1 === notes.length) this.#carryOut()
  }

  remove(slot: number): void {
    if (this.#noted > 0) this.#carryOut()
    this.#slots.unlink(slot)
  }

  victim(): number {
    if (this.#noted > 0) this.#carryOut()
    return this.#slots.next(RECENT)
  }

  order(): Iterable<number> {
    if (this.#noted > 0) this.#carryOut()
    return this.#slots.ring(RECENT)
  }

  /** From the latest note back: each slot's first is its last use, and its place is before those already moved. */
  #carryOut(): void {
    this.#fit()
    const { words, stride } = this.#slots
    const notes = this.#notes
    const moved = this.#moved
    let following = RECENT
    for (let i = this.#noted - 1; i >= 0; i--) {
      const slot = notes[i] as number
      const bits = moved[slot >> 5] as number
      const bit = 1 << (slot & 31)
      if ((bits & bit) !== 0) continue
      moved[slot >> 5] = bits | bit
      const at = slot * stride
      const next = words[at + NEXT] as number
      if (next !== following) {
        const previous = words[at + PREVIOUS] as number
        words[previous * stride + NEXT] = next
        words[next * stride + PREVIOUS] = previous
        const before = words[following * stride + PREVIOUS] as number
        words[before * stride + NEXT] = slot
        words[at + PREVIOUS] = before
        words[at + NEXT] = following
        words[following * stride + PREVIOUS] = slot
      }
      following = slot
    }
    for (let i = 0; i < this.#noted; i++) moved[(notes[i] as number) >> 5] = 0
    this.#noted = 0
  }

  /** Grows the notes, which keep what they hold, and the bits with the slots. */
  #fit(): void {
    const capacity = this.#slots.keys.length
    const bits = (capacity >> 5) + 1
    if (this.#moved.length < bits) this.#moved = new Int32Array(bits)
    const suitable = Math.min(Math.max(Math.ceil(capacity / SLOTS_PER_NOTE), MIN_NOTES), MAX_NOTES)
    if (this.#notes.length >= suitable) return
    const notes = new Int32Array(suitable)
    notes.set(this.#notes)
    this.#notes = notes
  }
}
