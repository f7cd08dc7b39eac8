const WAYS = 8
/** Buckets aged at a time: some ten microseconds of work. */
const BUCKETS_PER_PART = 512

/** A cell is a frequency (four bits, 0 for an empty cell), a bit of the epoch it was written in, and a fingerprint. */
const FREQUENCY = 15
const EPOCH_SHIFT = 4
const FINGERPRINT_SHIFT = 5
const FINGERPRINT = 0x7ff

/**
 * How often keys that left were asked for, in two bytes a key: buckets of eight cells, the key that left last in
 * front and the one before all others out. A foreign key passes for a remembered one in one of 256 look-ups; it
 * then inherits some count, and no harm is done.
 *
 * All frequencies halve at the turn of an epoch and at the same instant: the bit tells whether a cell has missed the
 * last turn, and while an epoch lasts, all parts are brought up to date one after the other.
 */
export class GhostTable {
  /** How many times {@link age} is to be called in each epoch. */
  readonly parts: number
  readonly #buckets: number
  readonly #cells: Uint16Array

  /** @param capacity how many keys to remember */
  constructor(capacity: number) {
    this.#buckets = Math.ceil(capacity / WAYS)
    this.parts = Math.ceil(this.#buckets / BUCKETS_PER_PART)
    this.#cells = new Uint16Array(this.#buckets * WAYS)
  }

  /** Forgets a key. @returns its frequency, 0 for an unknown one */
  take(hash: number, epoch: number): number {
    const cells = this.#cells
    const start = this.#bucket(hash)
    const end = start + WAYS
    for (let i = start; i < end; i++) {
      const cell = cells[i] as number
      if (cell === 0) return 0
      if (cell >>> FINGERPRINT_SHIFT !== (hash & FINGERPRINT)) continue
      for (let j = i + 1; j < end; j++) cells[j - 1] = cells[j] as number
      cells[end - 1] = 0
      return frequencyIn(cell, epoch)
    }
    return 0
  }

  /** Remembers a key; one with a frequency of 0 is not worth it. */
  put(hash: number, frequency: number, epoch: number): void {
    if (frequency === 0) return
    const cells = this.#cells
    const start = this.#bucket(hash)
    for (let i = start + WAYS - 1; i > start; i--) cells[i] = cells[i - 1] as number
    cells[start] = ((hash & FINGERPRINT) << FINGERPRINT_SHIFT) | ((epoch & 1) << EPOCH_SHIFT) | frequency
  }

  /** Brings a part up to `epoch`. */
  age(part: number, epoch: number): void {
    const first = part * BUCKETS_PER_PART
    const last = Math.min(first + BUCKETS_PER_PART, this.#buckets)
    for (let bucket = first; bucket < last; bucket++) this.#ageBucket(bucket * WAYS, epoch)
  }

  #ageBucket(start: number, epoch: number): void {
    const cells = this.#cells
    const end = start + WAYS
    let kept = start
    for (let i = start; i < end; i++) {
      const cell = cells[i] as number
      const frequency = frequencyIn(cell, epoch)
      if (frequency === 0) continue
      const fingerprint = cell & (FINGERPRINT << FINGERPRINT_SHIFT)
      cells[kept++] = fingerprint | ((epoch & 1) << EPOCH_SHIFT) | frequency
    }
    while (kept < end) cells[kept++] = 0
  }

  /** Where its bucket starts: by the high bits, the fingerprint being the low ones. */
  #bucket(hash: number): number {
    return Math.floor((hash >>> 0) * 2 ** -32 * this.#buckets) * WAYS
  }
}

function frequencyIn(cell: number, epoch: number): number {
  return (cell & FREQUENCY) >>> (((cell >>> EPOCH_SHIFT) ^ epoch) & 1)
}
