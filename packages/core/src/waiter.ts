import type { TimerHandle } from './clock.ts'
import type { Engine } from './engine.ts'
import { CacheError } from './errors.ts'
import type { Caller, Flight } from './flight.ts'
import { servable } from './freshness.ts'
import { releaseLease } from './lease-keeper.ts'
import { unwrap } from './negative.ts'
import type { Policy } from './policy.ts'

/**
 * A caller that may stop waiting before the flight ends: after its soft timeout if there is a stale value, after its hard timeout,
 * or when its signal says so. Only the last calls the load off, as far as it is this caller's.
 */
export class Waiter implements Caller {
  readonly promise: Promise<unknown>
  readonly #engine: Engine
  readonly #policy: Policy
  readonly #flight: Flight
  readonly #resolve: (value: unknown) => void
  readonly #reject: (reason: unknown) => void
  #hardTimer: TimerHandle | undefined
  #softTimer: TimerHandle | undefined
  #waits = true

  /** @param engine of this caller, as is `policy` */
  constructor(engine: Engine, flight: Flight, policy: Policy) {
    this.#engine = engine
    this.#policy = policy
    this.#flight = flight
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    const { signal, hardTimeout } = policy
    if (signal) {
      flight.leavers = (flight.leavers ?? 0) + 1
      signal.addEventListener('abort', this.#onAbort, { once: true })
    } else flight.wanted = true
    if (hardTimeout !== undefined) {
      this.#hardTimer = engine.clock.setTimeout(() => this.#giveUp(), hardTimeout)
      this.#hardTimer.unref?.()
    }
    flight.landing().then(
      value => this.#end(() => resolve(value)),
      error => this.#end(() => reject(error)),
    )
  }

  hit(key: string): void {
    this.#engine.hit(key)
  }

  /** From here on the load takes its time. */
  miss(key: string): void {
    this.#engine.miss(key)
    const { softTimeout } = this.#policy
    if (!this.#waits || !this.#flight.stale || softTimeout === undefined) return
    if (softTimeout === 0) this.#takeStale()
    else {
      this.#softTimer = this.#engine.clock.setTimeout(() => this.#takeStale(), softTimeout)
      this.#softTimer.unref?.()
    }
  }

  share(): void {
    this.#engine.share()
  }

  stale(key: string): void {
    if (this.#waits) this.#engine.stale(key)
  }

  /** @returns whether there was something to take */
  #takeStale(): boolean {
    const stale = servable(this.#flight)
    if (!stale) return false
    this.stale(this.#flight.address)
    this.#flight.wanted = true
    this.#end(() => this.#resolve(unwrap(stale)))
    return true
  }

  #giveUp(): void {
    if (this.#takeStale()) return
    this.#flight.wanted = true
    const { hardTimeout } = this.#policy
    const error = new CacheError(
      'LOAD_TIMEOUT',
      `loading took longer than the hardTimeout of ${hardTimeout} ms; it goes on, and what it gives is stored for the next call`,
    )
    this.#end(() => this.#reject(error))
  }

  readonly #onAbort = (): void => {
    const reason = this.#policy.signal?.reason
    this.#end(() => this.#reject(reason))
    this.#flight.reason = reason
    stopIfAbandoned(this.#flight)
  }

  #end(settle: () => void): void {
    if (!this.#waits) return
    this.#waits = false
    const { clock } = this.#engine
    if (this.#hardTimer) clock.clearTimeout(this.#hardTimer)
    if (this.#softTimer) clock.clearTimeout(this.#softTimer)
    const { signal } = this.#policy
    if (signal) {
      signal.removeEventListener('abort', this.#onAbort)
      this.#flight.leavers = (this.#flight.leavers ?? 1) - 1
    }
    settle()
  }
}

/** Tells a loader that nobody waits for it. One that never asked for a signal goes on: whoever comes next joins it. */
export function stopIfAbandoned(flight: Flight): void {
  if (!flight.stop || !flight.isAbandoned) return
  const { engine, address } = flight
  engine.flights.retire(flight)
  if (flight.lease) releaseLease(engine, address, flight.lease)
  flight.lease = undefined
  flight.stop(flight.reason)
}
