import type { Engine } from './engine.ts'
import type { Flight } from './flight.ts'
import { isFresh, servable } from './freshness.ts'
import { unwrap } from './negative.ts'
import type { Policy } from './policy.ts'
import { Waiter } from './waiter.ts'

/** Gets on a flight that takes off. @returns what this caller waits for */
export function board(flight: Flight, policy: Policy): Promise<unknown> {
  const waiter = waiterFor(flight.engine, flight, policy)
  flight.first = waiter ?? flight.engine
  return waiter ? waiter.promise : flight.landing()
}

/**
 * Gets on a flight under way, unless there is a value that will do; it counts as what the lookup turns out to be.
 *
 * @param engine of the caller: two caches over one store share flights
 */
export function join(engine: Engine, flight: Flight, policy: Policy): Promise<unknown> {
  const { address } = flight
  const stored = servable(flight)
  if (isFresh(engine, stored)) {
    engine.hit(address)
    return Promise.resolve(unwrap(stored))
  }
  const waiter = waiterFor(engine, flight, policy)
  const caller = waiter ?? engine
  if (flight.loading) {
    caller.share()
    caller.miss(address)
  }
  // Those whom a load is to give a stale value if it fails are counted then.
  if (!flight.loading || flight.stale) flight.join(caller)
  return waiter ? waiter.promise : flight.landing()
}

function waiterFor(engine: Engine, flight: Flight, policy: Policy): Waiter | undefined {
  if (policy.isImpatient) return new Waiter(engine, flight, policy)
  flight.wanted = true
  return undefined
}
