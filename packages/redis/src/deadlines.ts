import type { Clock } from '@cache/core'

/** Who waits, and for how long at most. */
export interface Waiting {
  /** When it began to wait, in milliseconds since the epoch; kept by {@link Deadlines}. */
  since: number
  /** Called once if it still waits when its time is over. */
  late(): void
}

/**
 * The deadlines of all who wait equally long, on one timer: who comes later is due later, and hardly anyone is ever late,
 * so that a timer for each would be made only to be cleared.
 *
 * The timer is armed for the first who waits and stays, whatever becomes of him; when it fires it is armed for the next
 * one, for as much longer as he came later. It keeps no process alive: a connection that owes an answer does.
 */
export class Deadlines {
  readonly #clock: Clock
  /** How long each may wait. */
  readonly ms: number
  readonly #onIdle: () => void
  /** In order of arrival. */
  readonly #waiting = new Set<Waiting>()
  /** Whose time is over, but whose answer may be here, unread. */
  readonly #due = new Set<Waiting>()
  #armed = false

  /** @param onIdle called when the timer has fired and nobody waits any more */
  constructor(clock: Clock, ms: number, onIdle: () => void) {
    this.#clock = clock
    this.ms = ms
    this.#onIdle = onIdle
  }

  add(waiting: Waiting): void {
    waiting.since = this.#clock.now()
    this.#waiting.add(waiting)
    if (!this.#armed) this.#arm(waiting, this.ms)
  }

  /** @returns whether it still waited */
  delete(waiting: Waiting): boolean {
    return this.#waiting.delete(waiting) || this.#due.delete(waiting)
  }

  #arm({ since }: Waiting, ms: number): void {
    this.#armed = true
    this.#clock.setTimeout(() => this.#fired(since), ms).unref?.()
  }

  /** @param since when those came who are due now */
  #fired(since: number): void {
    this.#armed = false
    for (const waiting of this.#waiting) {
      if (waiting.since !== since) {
        this.#arm(waiting, this.#between(since, waiting.since))
        break
      }
      this.#waiting.delete(waiting)
      this.#due.add(waiting)
    }
    // After a stall of the event loop the answer may be here already, unread: sockets are read before
    // immediates run, so that a stall is not blamed on Redis.
    if (this.#due.size > 0) setImmediate(() => this.#tell())
    else if (!this.#armed) this.#onIdle()
  }

  #tell(): void {
    for (const waiting of this.#due) {
      this.#due.delete(waiting)
      waiting.late()
    }
    if (!this.#armed) this.#onIdle()
  }

  /** If the machine's clock was set meanwhile, the whole time again: nobody is due early, and nobody waits for ever. */
  #between(earlier: number, later: number): number {
    const ms = later - earlier
    return ms > 0 && ms < this.ms ? ms : this.ms
  }
}
