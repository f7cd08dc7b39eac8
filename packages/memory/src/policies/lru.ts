import type { Slots } from '../slots.ts'
import type { Policy } from './policy.ts'

/** In place of the time of its last use: nobody is in the slot. */
const EMPTY = -1
/**
 * Uses between two rankings, for each slot there is. They bound the time that a ranking takes and its scratch space of
 * a word for each; there may be more as long as that space is small.
 */
const MIN_USES_PER_SLOT = 4
const MAX_USES_PER_SLOT = 64
const SMALL_SPACE = 2 ** 19

/**
 * Least recently used, exactly, and without links: a use writes down its number in the order of all uses, and moves
 * nothing. Who has gone longest without one is looked up when somebody has to leave, for all entries at once: they are
 * ranked by their last use in one pass, and leave in this order unless they were used again since. By the time all of
 * a ranking have left or were used, there were as many uses as entries: a use costs constant time, amortised.
 */
export class Lru implements Policy {
  static readonly words = 0
  static readonly anchors = 0
  readonly #slots: Slots<unknown, unknown>
  /** By slot: the number of the last use since the ranking, 0 if there was none, or {@link EMPTY}. */
  #lastUse: Int32Array<ArrayBuffer> = new Int32Array(1)
  /** Uses since the ranking, and how many there may be. */
  #uses = 0
  #maxUses = MAX_USES_PER_SLOT
  /** The slots by their last use before the ranking, the longest unused first, from `#first` up to `#end`. */
  #ranking: Int32Array<ArrayBuffer> = new Int32Array(0)
  #first = 0
  #end = 0

  constructor(slots: Slots<unknown, unknown>) {
    this.#slots = slots
  }

  admit(slot: number): void {
    if (slot >= this.#lastUse.length) this.#grow()
    this.use(slot)
  }

  use(slot: number): void {
    const use = ++this.#uses
    this.#lastUse[slot] = use
    if (use === this.#maxUses) this.#rank()
  }

  remove(slot: number): void {
    this.#lastUse[slot] = EMPTY
  }

  victim(): number {
    const lastUse = this.#lastUse
    const ranking = this.#ranking
    for (let i = this.#first; i < this.#end; i++) {
      const slot = ranking[i] as number
      if (lastUse[slot] !== 0) continue
      this.#first = i + 1
      return slot
    }
    this.#first = this.#end
    this.#rank()
    return this.#ranking[this.#first++] as number
  }

  *order(): IterableIterator<number> {
    this.#rank()
    yield* this.#ranking.subarray(0, this.#end)
  }

  /**
   * Those still unused keep their places; behind them come those used since, sorted by the number of the use. Without a
   * branch on any of them, for no processor could predict it.
   */
  #rank(): void {
    const { end: slots } = this.#slots
    const lastUse = this.#lastUse
    const before = this.#ranking
    const uses = this.#uses
    const usedAt = zeros(uses + 1)
    for (let slot = 1; slot < slots; slot++) usedAt[Math.max(lastUse[slot] as number, 0)] = slot
    const ranking = before.length > lastUse.length ? before : resized(before, lastUse.length + 1)
    let end = 0
    for (let i = this.#first; i < this.#end; i++) {
      const slot = ranking[i] as number
      ranking[end] = slot
      end += isZero(lastUse[slot] as number)
    }
    for (let use = 1; use <= uses; use++) {
      const slot = usedAt[use] as number
      ranking[end] = slot
      end += 1 - isZero(slot)
    }
    lastUse.fill(0)
    this.#ranking = ranking
    this.#first = 0
    this.#end = end
    this.#uses = 0
  }

  #grow(): void {
    const slots = this.#slots.keys.length
    this.#lastUse = resized(this.#lastUse, slots)
    this.#maxUses = Math.max(slots * MIN_USES_PER_SLOT, Math.min(slots * MAX_USES_PER_SLOT, SMALL_SPACE))
  }
}

/** Shared by all: a ranking is made at one go, and lets nobody else in. */
let smallSpace = new Int32Array(0)

function zeros(length: number): Int32Array {
  if (length > SMALL_SPACE) return new Int32Array(length)
  if (smallSpace.length < length) smallSpace = new Int32Array(Math.min(length * 2, SMALL_SPACE))
  return smallSpace.fill(0, 0, length)
}

/** 1 for 0, 0 for any other 32-bit integer. */
function isZero(n: number): number {
  return 1 - ((n | (0 - n)) >>> 31)
}

function resized(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  return new Int32Array(array.buffer.transfer(length * Int32Array.BYTES_PER_ELEMENT))
}
