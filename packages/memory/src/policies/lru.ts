import type { Slots } from '../slots.ts'
import type { Policy } from './policy.ts'

/** In place of the time of its last use: nobody is in the slot. */
const EMPTY = -1
/** Uses are numbered in 31 bits; then comes a ranking, whoever asks for it, and they begin anew. */
const MAX_USES = 0x7fff_ffff
/** With more uses than these for each slot, sorting digit by digit is faster than laying them out in a row. */
const ROW_PER_SLOT = 16
/** A row up to this length is kept for the next time. */
const SHARED_ROW = 2 ** 19
const DIGIT_BITS = 11
const DIGITS = 2 ** DIGIT_BITS

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
  /** Uses since the ranking. */
  #uses = 0
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
    if (use === MAX_USES) this.#rank()
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

  /** Those still unused keep their places; behind them come those used since, sorted by the number of the use. */
  #rank(): void {
    const lastUse = this.#lastUse
    const before = this.#ranking
    const ranking = before.length > lastUse.length ? before : resized(before, lastUse.length + 1)
    let end = 0
    for (let i = this.#first; i < this.#end; i++) {
      const slot = ranking[i] as number
      ranking[end] = slot
      end += isZero(lastUse[slot] as number)
    }
    const slots = this.#slots.end
    const sort = this.#uses <= slots * ROW_PER_SLOT ? appendByRow : appendByDigits
    this.#end = sort(ranking, end, { lastUse, slots, uses: this.#uses })
    lastUse.fill(0)
    this.#ranking = ranking
    this.#first = 0
    this.#uses = 0
  }

  #grow(): void {
    this.#lastUse = resized(this.#lastUse, this.#slots.capacity)
  }
}

interface Uses {
  readonly lastUse: Int32Array
  /** One past the highest slot. */
  readonly slots: number
  readonly uses: number
}

/**
 * Appends the slots that were used, by the number of their last use: each is written down at that number in a row of all
 * uses. Without a branch on any of them, for no processor could predict it.
 *
 * @returns where the ranking ends now
 */
function appendByRow(ranking: Int32Array, start: number, { lastUse, slots, uses }: Uses): number {
  const usedAt = zeros(uses + 1)
  for (let slot = 1; slot < slots; slot++) usedAt[Math.max(lastUse[slot] as number, 0)] = slot
  let end = start
  for (let use = 1; use <= uses; use++) {
    const slot = usedAt[use] as number
    ranking[end] = slot
    end += 1 - isZero(slot)
  }
  return end
}

/** The same by a radix sort from the lowest digit on. */
function appendByDigits(ranking: Int32Array, start: number, { lastUse, slots, uses }: Uses): number {
  let used = new Int32Array(slots)
  let count = 0
  for (let slot = 1; slot < slots; slot++) if ((lastUse[slot] as number) > 0) used[count++] = slot
  let sorted = new Int32Array(slots)
  for (let shift = 0; shift < 31 && uses >>> shift > 0; shift += DIGIT_BITS) {
    const places = new Int32Array(DIGITS + 1)
    const digitOf = (slot: number): number => ((lastUse[slot] as number) >>> shift) & (DIGITS - 1)
    /** @returns what it was before */
    const increase = (digit: number, by: number): number => {
      const before = places[digit] as number
      places[digit] = before + by
      return before
    }
    for (let i = 0; i < count; i++) increase(digitOf(used[i] as number) + 1, 1)
    for (let digit = 1; digit < DIGITS; digit++) increase(digit, places[digit - 1] as number)
    for (let i = 0; i < count; i++) {
      const slot = used[i] as number
      sorted[increase(digitOf(slot), 1)] = slot
    }
    ;[used, sorted] = [sorted, used]
  }
  ranking.set(used.subarray(0, count), start)
  return start + count
}

/** Shared by all: a ranking is made at one go, and lets nobody else in. */
let sharedRow = new Int32Array(0)

function zeros(length: number): Int32Array {
  if (length > SHARED_ROW) return new Int32Array(length)
  if (sharedRow.length < length) sharedRow = new Int32Array(Math.min(length * 2, SHARED_ROW))
  return sharedRow.fill(0, 0, length)
}

/** 1 for 0, 0 for any other 32-bit integer. */
function isZero(n: number): number {
  return 1 - ((n | (0 - n)) >>> 31)
}

function resized(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  return new Int32Array(array.buffer.transfer(length * Int32Array.BYTES_PER_ELEMENT))
}
