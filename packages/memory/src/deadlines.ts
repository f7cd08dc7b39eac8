import { EXPIRY, NEVER, type Slots } from './slots.ts'

/** In `EXPIRY`: the time does not fit the word and stands in a table of its own. */
const FAR = -0x8000_0000

/** How far the clock may be set back before the base has to move. */
const SLACK_MS = 86_400_000
/** Ends nearer than this fit after the base has moved; moves are then further apart than this. */
const REACH_MS = NEVER - SLACK_MS

/**
 * When each entry ends, exact to the millisecond and in 32 bits: as the distance from a base that moves with the
 * clock, so that the next 23 days always fit. Whatever does not fit stands in a table beside the slots.
 */
export class Deadlines {
  readonly #slots: Slots<unknown, unknown>
  readonly #far = new Map<number, number>()
  #base = 0
  /** What {@link putOff} puts ends off to. */
  #usual = NEVER

  constructor(slots: Slots<unknown, unknown>) {
    this.#slots = slots
  }

  /** Epoch milliseconds at which the entry in `slot` ends; `Infinity` if it never does. */
  at(slot: number): number {
    const ticks = this.#ticks(slot)
    if (ticks === NEVER) return Number.POSITIVE_INFINITY
    return ticks === FAR ? (this.#far.get(slot) as number) : this.#base + ticks
  }

  /** Whether the entry in `slot` has an end at all. */
  has(slot: number): boolean {
    return this.#ticks(slot) !== NEVER
  }

  /**
   * Says when those entries end that are {@link putOff}; never, unless it was said.
   *
   * @param at whole epoch milliseconds, or `Infinity`
   */
  usual(at: number, now: number): void {
    this.#makeFit(at, now)
    if (at === Number.POSITIVE_INFINITY) this.#usual = NEVER
    else this.#usual = this.#fits(at) ? (at - this.#base) | 0 : FAR
  }

  /**
   * Puts the end of an entry off to the usual one, if that is later and both fit a word: it then stays where it stands
   * in the wheel.
   *
   * @returns whether it did
   */
  putOff(slot: number): boolean {
    const { words, stride } = this.#slots
    const before = words[slot * stride + EXPIRY] as number
    if (before > this.#usual || before === FAR) return false
    words[slot * stride + EXPIRY] = this.#usual
    return true
  }

  /** @param at whole epoch milliseconds, or `Infinity` */
  set(slot: number, at: number, now: number): void {
    this.forget(slot)
    if (at === Number.POSITIVE_INFINITY) return
    this.#makeFit(at, now)
    this.#write(slot, at)
  }

  /** Makes the entry in `slot` one without end. */
  forget(slot: number): void {
    if (this.#ticks(slot) === FAR) this.#far.delete(slot)
    this.#slots.words[slot * this.#slots.stride + EXPIRY] = NEVER
  }

  #ticks(slot: number): number {
    return this.#slots.words[slot * this.#slots.stride + EXPIRY] as number
  }

  #makeFit(at: number, now: number): void {
    if (!this.#fits(at) && at - now < REACH_MS) this.#rebase(now)
  }

  #fits(at: number): boolean {
    return at - this.#base > FAR && at - this.#base < NEVER
  }

  #write(slot: number, at: number): void {
    const fits = this.#fits(at)
    if (!fits) this.#far.set(slot, at)
    this.#slots.words[slot * this.#slots.stride + EXPIRY] = fits ? at - this.#base : FAR
  }

  /** One pass over all slots, every 24 days at most. */
  #rebase(now: number): void {
    const previous = this.#base
    this.#base = Math.floor(now) + REACH_MS
    if (this.#usual !== NEVER) this.#usual = FAR
    for (let slot = this.#slots.anchors; slot < this.#slots.end; slot++) {
      const ticks = this.#ticks(slot)
      if (ticks !== NEVER && ticks !== FAR) this.#write(slot, previous + ticks)
    }
    for (const [slot, at] of this.#far) {
      if (!this.#fits(at)) continue
      this.#far.delete(slot)
      this.#write(slot, at)
    }
  }
}
