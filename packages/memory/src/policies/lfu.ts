import { MARK, type Slots } from '../slots.ts'
import type { Policy } from './policy.ts'

/** Frequencies from here on count as equal; also the number of rings, one for each rank in use. */
const RANKS = 64
const MAX_FREQUENCY = RANKS - 1

/**
 * Least frequently used, with dynamic ageing (LFU-DA; Arlitt, Cherkasova, Dilley, Friedrich, Jin 2000).
 *
 * An entry's rank is its frequency plus the age of the cache at its last use; the lowest rank leaves, the longest
 * unused of a rank first, and the cache's age becomes that rank. Who was popular long ago is thus overtaken by
 * newcomers, without a pass over all entries. Ranks in use span at most 63, so there is one ring for each rank
 * modulo 64, and every operation takes constant time.
 */
export class Lfu implements Policy {
  static readonly words = 3
  static readonly anchors: number = RANKS
  readonly #slots: Slots<unknown, unknown>
  /** The rank of the last victim, modulo {@link RANKS}. */
  #age = 0

  constructor(slots: Slots<unknown, unknown>) {
    this.#slots = slots
  }

  admit(slot: number): void {
    this.#rank(slot, 1)
  }

  use(slot: number): void {
    const { words, stride } = this.#slots
    const frequency = words[slot * stride + MARK] as number
    this.#slots.unlink(slot)
    this.#rank(slot, frequency < MAX_FREQUENCY ? frequency + 1 : MAX_FREQUENCY)
  }

  remove(slot: number): void {
    this.#slots.unlink(slot)
  }

  victim(): number {
    while (this.#slots.next(this.#age) === this.#age) this.#age = (this.#age + 1) % RANKS
    return this.#slots.next(this.#age)
  }

  *order(): IterableIterator<number> {
    for (let rank = 0; rank < RANKS; rank++) yield* this.#slots.ring((this.#age + rank) % RANKS)
  }

  #rank(slot: number, frequency: number): void {
    this.#slots.words[slot * this.#slots.stride + MARK] = frequency
    this.#slots.append(slot, (this.#age + frequency) % RANKS)
  }
}
