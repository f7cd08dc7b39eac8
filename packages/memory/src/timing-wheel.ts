import type { Deadlines } from './deadlines.ts'
import { type Slots, WHEEL_NEXT, WHEEL_PREVIOUS } from './slots.ts'

/** Buckets a level; each level's buckets are this many times as wide as those of the level below. */
const BUCKETS = 64
/** Enough for 139 years in steps of a millisecond. */
const LEVELS = 7
/** From here on, one bucket a level for entries that the wheel has reached: they expire or are placed anew. */
const DUE = LEVELS * BUCKETS
/** Milliseconds that a bucket of each level spans. */
const WIDTHS: readonly number[] = Array.from({ length: LEVELS }, (_, level) => BUCKETS ** level)
const HORIZON = BUCKETS ** LEVELS

/**
 * Finds the entries whose time is up without looking at the others: a hierarchical timing wheel (Varghese and Lauck
 * 1987, scheme 7). An entry stands in a bucket by how far off its end is, and moves to a finer level when the
 * wheel reaches that bucket: at most once a level. Buckets are lists through the slots themselves; a bitmap of the
 * used ones lets the wheel skip any length of empty time.
 *
 * An entry whose end is put off stays where it is, and is placed anew when its bucket comes up: extending an
 * expiry costs the wheel nothing.
 */
export class TimingWheel {
  readonly #slots: Slots<unknown, unknown>
  readonly #deadlines: Deadlines
  /** First slot of each bucket, 0 if empty. The first slot's previous link is the bucket: -1 - bucket. */
  readonly #heads = new Int32Array(DUE + LEVELS)
  /** One bit for each bucket that is not empty. */
  readonly #used = new Int32Array(DUE / 32)
  /** Epoch milliseconds up to which all buckets were opened. */
  #time = 0
  #size = 0
  #nextEvent = Number.POSITIVE_INFINITY

  constructor(slots: Slots<unknown, unknown>, deadlines: Deadlines) {
    this.#slots = slots
    this.#deadlines = deadlines
  }

  /** How many entries stand in it. */
  get size(): number {
    return this.#size
  }

  /** Epoch milliseconds up to which it was turned. */
  get time(): number {
    return this.#time
  }

  /** Epoch milliseconds before which no entry ends and there is nothing to do; `Infinity` when it is empty. */
  get nextEvent(): number {
    return this.#nextEvent
  }

  /** Puts the entry in `slot`, which is in no bucket, where its end says. */
  add(slot: number, now: number): void {
    if (this.#size === 0) this.#time = Math.floor(now)
    this.#place(slot, this.#deadlines.at(slot))
  }

  has(slot: number): boolean {
    return this.#previous(slot) !== 0
  }

  /** Takes `slot` out, if it is in. */
  remove(slot: number): void {
    const previous = this.#previous(slot)
    if (previous === 0) return
    const { words, stride } = this.#slots
    const next = words[slot * stride + WHEEL_NEXT] as number
    if (previous > 0) words[previous * stride + WHEEL_NEXT] = next
    else this.#setHead(-1 - previous, next)
    if (next !== 0) words[next * stride + WHEEL_PREVIOUS] = previous
    words[slot * stride + WHEEL_PREVIOUS] = 0
    this.#size--
    if (this.#size === 0) this.#nextEvent = Number.POSITIVE_INFINITY
  }

  /**
   * Turns the wheel to `now` and calls `expire` for each entry whose time is up, already out of the wheel.
   * Stops after `limit` entries looked at; `nextEvent` then still lies in the past.
   */
  advance(now: number, limit: number, expire: (slot: number) => void): void {
    let left = limit
    for (;;) {
      for (let slot = this.#due(); slot !== 0; slot = this.#due()) {
        if (left-- === 0) return
        this.remove(slot)
        const at = this.#deadlines.at(slot)
        if (at <= now) expire(slot)
        else if (at < Number.POSITIVE_INFINITY) this.#place(slot, at)
      }
      this.#nextEvent = this.#findEvent()
      if (this.#nextEvent > now) break
      this.#time = this.#nextEvent
      this.#openBuckets()
    }
    this.#time = Math.max(this.#time, Math.floor(now))
  }

  #place(slot: number, at: number): void {
    // Behind the wheel only if the clock was set back: it is reclaimed late then, at the wheel's next step.
    const distance = Math.min(Math.max(at - this.#time, 1), HORIZON - 1)
    let level = 0
    while (distance >= (WIDTHS[level] as number) * BUCKETS) level++
    const width = WIDTHS[level] as number
    const start = Math.floor((this.#time + distance) / width)
    this.#push(slot, level * BUCKETS + indexOf(start))
    this.#nextEvent = Math.min(this.#nextEvent, start * width)
  }

  /** The earliest start of a used bucket. A level's current bucket was opened before: what it holds is a round away. */
  #findEvent(): number {
    let earliest = Number.POSITIVE_INFINITY
    if (this.#size === 0) return earliest
    for (let level = 0; level < LEVELS; level++) {
      const width = WIDTHS[level] as number
      const following = Math.floor(this.#time / width) + 1
      const used = this.#nextUsed(level, indexOf(following))
      if (used < 0) continue
      earliest = Math.min(earliest, (following + indexOf(used - indexOf(following))) * width)
    }
    return earliest
  }

  /** The first used bucket of a level from `index` on, going round; -1 if there is none. */
  #nextUsed(level: number, index: number): number {
    let half = index >> 5
    let bits = (this.#used[level * 2 + half] as number) & (-1 << (index & 31))
    for (let looked = 0; looked < 3; looked++) {
      if (bits !== 0) return half * 32 + 31 - Math.clz32(bits & -bits)
      half ^= 1
      bits = this.#used[level * 2 + half] as number
    }
    return -1
  }

  /** Makes due what stands in the buckets that start now, on whatever level. Nothing else is due. */
  #openBuckets(): void {
    for (let level = 0; level < LEVELS; level++) {
      const width = WIDTHS[level] as number
      if (this.#time % width !== 0) return
      this.#move(level * BUCKETS + indexOf(this.#time / width), DUE + level)
    }
  }

  #due(): number {
    for (let level = 0; level < LEVELS; level++) {
      const slot = this.#head(DUE + level)
      if (slot !== 0) return slot
    }
    return 0
  }

  /** Moves a whole bucket to an empty one, in constant time. */
  #move(from: number, to: number): void {
    const first = this.#head(from)
    if (first === 0) return
    this.#setHead(from, 0)
    this.#setHead(to, first)
    this.#slots.words[first * this.#slots.stride + WHEEL_PREVIOUS] = -1 - to
  }

  #push(slot: number, bucket: number): void {
    const { words, stride } = this.#slots
    const next = this.#head(bucket)
    words[slot * stride + WHEEL_PREVIOUS] = -1 - bucket
    words[slot * stride + WHEEL_NEXT] = next
    if (next !== 0) words[next * stride + WHEEL_PREVIOUS] = slot
    this.#setHead(bucket, slot)
    this.#size++
  }

  #head(bucket: number): number {
    return this.#heads[bucket] as number
  }

  #setHead(bucket: number, slot: number): void {
    this.#heads[bucket] = slot
    if (bucket >= DUE) return
    const bit = 1 << (bucket & 31)
    const bits = this.#used[bucket >> 5] as number
    this.#used[bucket >> 5] = slot === 0 ? bits & ~bit : bits | bit
  }

  #previous(slot: number): number {
    return this.#slots.words[slot * this.#slots.stride + WHEEL_PREVIOUS] as number
  }
}

/** The number of a bucket within its level. Bitwise operators take larger numbers modulo 2^32, which is right here. */
function indexOf(start: number): number {
  return start & (BUCKETS - 1)
}
