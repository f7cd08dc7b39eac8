import type { Clock } from '@cache/core'
import { Alarm } from './alarm.ts'
import { Deadlines } from './deadlines.ts'
import type { Slots } from './slots.ts'
import { TimingWheel } from './timing-wheel.ts'

/**
 * The ends of entries: told exactly whenever asked ({@link isExpired}), and an alarm for the time when there is
 * something to reclaim that nobody touches.
 */
export class Expiry {
  readonly deadlines: Deadlines
  readonly wheel: TimingWheel
  readonly #clock: Clock
  readonly #alarm: Alarm

  /** @param onDue called when the time has come to {@link reclaim} */
  constructor(slots: Slots<unknown, unknown>, clock: Clock, onDue: () => void) {
    this.deadlines = new Deadlines(slots)
    this.wheel = new TimingWheel(slots, this.deadlines)
    this.#clock = clock
    this.#alarm = new Alarm(clock, onDue)
  }

  /** The time now, as far as it matters: without an entry that ends it is not asked for. */
  now(): number {
    return this.wheel.size === 0 ? 0 : this.#clock.now()
  }

  /** Whether the time of the entry in `slot` is up. Asks the clock only for an entry that has an end. */
  isExpired(slot: number): boolean {
    return this.deadlines.has(slot) && this.deadlines.at(slot) <= this.#clock.now()
  }

  isExpiredAt(slot: number, now: number): boolean {
    return this.deadlines.at(slot) <= now
  }

  /** @param at whole epoch milliseconds after `now`, or `Infinity` */
  set(slot: number, at: number, now: number): void {
    const before = this.deadlines.at(slot)
    this.deadlines.set(slot, at, now)
    // Put off or lifted: the wheel finds out when it comes to it.
    if (at >= before) return
    this.wheel.remove(slot)
    this.wheel.add(slot, now)
    this.#alarm.set(this.wheel.nextEvent, now)
  }

  /** The entry in `slot` leaves. */
  remove(slot: number): void {
    this.deadlines.forget(slot)
    this.wheel.remove(slot)
  }

  /** Calls `expire` for entries whose time is up at `now`, looking at no more than `limit`. */
  reclaim(now: number, limit: number, expire: (slot: number) => void): void {
    if (now < this.wheel.nextEvent) return
    this.wheel.advance(now, limit, expire)
  }

  /** Sets the alarm for what is left. */
  rearm(): void {
    if (this.wheel.size > 0) this.#alarm.set(this.wheel.nextEvent, this.#clock.now())
  }

  stop(): void {
    this.#alarm.cancel()
  }
}
