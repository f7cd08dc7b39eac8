import type { TimerHandle } from './clock.ts'
import type { Engine } from './engine.ts'
import { CacheError } from './errors.ts'
import { servable } from './freshness.ts'
import { releaseLease } from './lease-keeper.ts'
import { unwrap } from './negative.ts'
import type { Policy } from './policy.ts'
import type { Caller, Flight } from './single-flight.ts'

/** What a caller waits for. */
interface Order {
  readonly address: string
  readonly policy: Policy
}

/**
 * A caller that may stop waiting before the flight ends: after its soft timeout if there is a stale value, after its hard timeout,
 * or when its signal says so. Only the last calls the load off, as far as it is this caller's.
 */
export class Waiter implements Caller {
  readonly promise: Promise<unknown>
  readonly #engine: Engine
  readonly #order: Order
  readonly #flight: Flight
  readonly #resolve: (value: unknown) => void
  readonly #reject: (reason: unknown) => void
  #hardTimer: TimerHandle | undefined
  #softTimer: TimerHandle | undefined
  #waits = true

  /** @param flight whose promise is there */
  constructor(engine: Engine, order: Order, flight: Flight) {
    this.#engine = engine
    this.#order = order
    this.#flight = flight
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    const { signal, hardTimeout } = order.policy
    if (signal) {
      flight.leavers++
      signal.addEventListener('abort', this.#onAbort, { once: true })
    } else flight.wanted = true
    if (hardTimeout !== undefined) {
      this.#hardTimer = engine.clock.setTimeout(() => this.#giveUp(), hardTimeout)
      this.#hardTimer.unref?.()
    }
    flight.promise.then(
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
    const { softTimeout } = this.#order.policy
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
    const stale = servable(this.#engine, this.#flight)
    if (!stale) return false
    this.stale(this.#order.address)
    this.#flight.wanted = true
    this.#end(() => this.#resolve(unwrap(stale)))
    return true
  }

  #giveUp(): void {
    if (this.#takeStale()) return
    this.#flight.wanted = true
    const { hardTimeout } = this.#order.policy
    const error = new CacheError(
      'LOAD_TIMEOUT',
      `loading took longer than the hardTimeout of ${hardTimeout} ms; it goes on, and what it gives is stored for the next call`,
    )
    this.#end(() => this.#reject(error))
  }

  readonly #onAbort = (): void => {
    const reason = this.#order.policy.signal?.reason
    this.#end(() => this.#reject(reason))
    this.#flight.reason = reason
    stopIfAbandoned(this.#engine, this.#order.address, this.#flight)
  }

  #end(settle: () => void): void {
    if (!this.#waits) return
    this.#waits = false
    const { clock } = this.#engine
    if (this.#hardTimer) clock.clearTimeout(this.#hardTimer)
    if (this.#softTimer) clock.clearTimeout(this.#softTimer)
    const { signal } = this.#order.policy
    if (signal) {
      signal.removeEventListener('abort', this.#onAbort)
      this.#flight.leavers--
    }
    settle()
  }
}

/** Tells a loader that nobody waits for it. One that never asked for a signal goes on: whoever comes next joins it. */
export function stopIfAbandoned(engine: Engine, address: string, flight: Flight): void {
  if (!flight.stop || !flight.isAbandoned) return
  engine.flights.retire(address, flight)
  if (flight.lease) releaseLease(engine, address, flight.lease)
  flight.lease = undefined
  flight.stop(flight.reason)
}
