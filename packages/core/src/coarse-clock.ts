import { type Clock, systemClock, type TimerHandle } from './clock.ts'

/** Looks at the time that go by one look at the machine's clock, which costs about as much as all else of a near hit. */
const LOOKS_PER_READING = 32

/** The time, for decisions that may come late by one turn of the event loop or a few looks. */
export class CoarseClock implements Pick<Clock, 'now'> {
  #now = 0
  #looksSpared = 0
  #turn: TimerHandle | undefined

  /** A clock that was given is asked every time. */
  static of(clock: Clock): Pick<Clock, 'now'> {
    return clock === systemClock ? new CoarseClock() : clock
  }

  now(): number {
    if (--this.#looksSpared < 0) this.#read()
    return this.#now
  }

  #read(): void {
    this.#now = systemClock.now()
    this.#looksSpared = LOOKS_PER_READING
    if (this.#turn !== undefined) return
    this.#turn = systemClock.setTimeout(this.#onTurn, 1)
    this.#turn.unref?.()
  }

  readonly #onTurn = (): void => {
    this.#turn = undefined
    this.#looksSpared = 0
  }
}
