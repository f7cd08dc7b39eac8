import { NEXT, PREVIOUS, type Slots } from '../slots.ts'
import type { Policy } from './policy.ts'

/** Of a slot that holds an entry: where it stands in the list of all entries. */
const POSITION = PREVIOUS
/** Of the slot with the number of a position: which slot stands there. */
const OCCUPANT = NEXT

/**
 * A random entry leaves. The entries' slots stand in a list without holes, positions 1 to n, which is kept in
 * the slots themselves; the last takes the place of one that leaves.
 */
export class Random implements Policy {
  static readonly words = 2
  static readonly anchors = 1
  readonly #slots: Slots<unknown, unknown>
  #size = 0

  constructor(slots: Slots<unknown, unknown>) {
    this.#slots = slots
  }

  admit(slot: number): void {
    this.#stand(slot, ++this.#size)
  }

  use(): void {}

  remove(slot: number): void {
    const { words, stride } = this.#slots
    const position = words[slot * stride + POSITION] as number
    this.#stand(this.#at(this.#size), position)
    this.#size--
  }

  victim(): number {
    return this.#at(1 + Math.floor(Math.random() * this.#size))
  }

  *order(): IterableIterator<number> {
    for (let position = 1; position <= this.#size; position++) yield this.#at(position)
  }

  #at(position: number): number {
    return this.#slots.words[position * this.#slots.stride + OCCUPANT] as number
  }

  #stand(slot: number, position: number): void {
    const { words, stride } = this.#slots
    words[slot * stride + POSITION] = position
    words[position * stride + OCCUPANT] = slot
  }
}
