import { CHANNELS, messageOf, traced } from './channels.ts'
import type { Flight } from './flight.ts'
import { type LoadContext, type Loaded, type Loader, LoadRun } from './load-context.ts'
import { loadFailed, loadSucceeded, reportOf } from './load-report.ts'

/** The loader is to run for a flight; its lease lasts as long. @throws the error of an earlier load, as long as it is remembered */
export function beginLoad(flight: Flight, key: string): LoadRun {
  const { engine, address, lease } = flight
  const failure = engine.failures?.get(address)
  if (failure) throw failure.error
  if (lease) flight.hold = engine.leases.keep(address, lease)
  return new LoadRun(flight, key)
}

/** Calls the loader, seen by whoever traces loads. What it throws at once, it rejects with. */
export function callLoader(run: LoadRun, loader: Loader<unknown, never>): Promise<unknown> {
  const context = run as LoadContext<never>
  const { engine, address } = run.flight
  try {
    if (!CHANNELS.load.hasSubscribers) return promiseOf(loader(context))
    const prefix = address.slice(0, address.length - run.key.length)
    return traced(CHANNELS.load, messageOf({ engine, prefix }, 'load', 1), () => loader(context))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** As `await` takes it: a promise that somebody gave a `then` of its own answers all the same. */
function promiseOf(given: unknown): Promise<unknown> {
  const promise = Promise.resolve(given)
  const { then } = Promise.prototype
  return promise.then === then ? promise : then.call(promise)
}

/** @returns what is to become of what the loader gave */
export function loadSettled(run: LoadRun, result: unknown): Loaded {
  const { engine, address } = run.flight
  const loaded = run.outcomeOf(result)
  loadSucceeded(engine, reportOf(address, run.stale !== undefined, run.startedAt))
  return loaded
}

export function loadThrew(run: LoadRun, error: unknown): void {
  const { engine, address, policy, superseded } = run.flight
  if (policy.errorTtl > 0 && !superseded) engine.remember(address, error, policy.errorTtl)
  loadFailed(engine, reportOf(address, run.stale !== undefined, run.startedAt), error)
}

/** However it ended. @returns what it was for */
export function endLoad(run: LoadRun): Flight {
  const { flight } = run
  run.end()
  if (flight.hold) flight.engine.leases.end(flight.hold)
  return flight
}

/**
 * Stores what was loaded, unless its key or one of its tags was invalidated since the load began. A value that cannot be stored is
 * still the caller's: the load succeeded.
 */
export function fill(flight: Flight, { entry, isGone }: Loaded): Promise<void> | undefined {
  if (flight.superseded) return undefined
  const { engine, address, policy } = flight
  if (entry && !engine.flights.tags.isOutdated(entry.tags, flight.since)) {
    const { lease } = flight
    if (lease) flight.lease = undefined
    return engine.fill(address, entry, lease, policy.call)
  }
  return isGone && flight.stale ? remove(flight) : undefined
}

/** What is stored is no more where it comes from. */
function remove(flight: Flight): Promise<void> {
  const { engine, address, policy } = flight
  if (flight.lease) flight.lease = undefined
  engine.invalidate(address)
  return engine.aside('delete', () => engine.write('delete', () => engine.store.delete(address, policy.call)))
}
