import { CHANNELS, messageOf, traced } from './channels.ts'
import type { Engine } from './engine.ts'
import type { Hold } from './lease-keeper.ts'
import { type LoadContext, type Loaded, LoadRun } from './load-context.ts'
import { loadFailed, loadSucceeded, reportOf } from './load-report.ts'
import type { ReadThrough } from './read-through.ts'
import type { Flight } from './single-flight.ts'

/** A loader that runs. */
export interface Load {
  readonly run: LoadRun
  /** The lease lasts as long as the loader runs. */
  readonly hold: Hold | undefined
  readonly hadValue: boolean
  /** By `performance.now()`. */
  readonly startedAt: number
  /** By the cache's clock, if it matters how long loads take. */
  readonly before: number | undefined
}

/** @throws the error of an earlier load, as long as it is remembered */
export function beginLoad(engine: Engine, call: ReadThrough, flight: Flight): Load {
  const { address, policy } = call
  const failure = engine.failures?.get(address)
  if (failure) throw failure.error
  return {
    run: new LoadRun(engine, call, flight),
    hold: flight.lease && engine.leases.keep(address, flight.lease),
    hadValue: flight.stale !== undefined,
    startedAt: performance.now(),
    before: policy.early && engine.clock.now(),
  }
}

/** Calls the loader, seen by whoever traces loads. */
export function callLoader(engine: Engine, { address, key, loader }: ReadThrough, run: LoadRun): unknown {
  const context = run as LoadContext<never>
  if (!CHANNELS.load.hasSubscribers) return loader(context)
  const prefix = address.slice(0, address.length - key.length)
  return traced(CHANNELS.load, messageOf({ engine, prefix }, 'load', 1), () => loader(context))
}

/** @returns what is to become of what the loader gave */
export function loadSettled(
  engine: Engine,
  { address, policy }: ReadThrough,
  load: Load,
  result: unknown,
): Loaded {
  const { run, hadValue, startedAt, before } = load
  const loaded = run.outcomeOf(result)
  if (before !== undefined) policy.loadTime.note(engine.clock.now() - before)
  loadSucceeded(engine, reportOf(address, hadValue, startedAt))
  return loaded
}

export function loadThrew(
  engine: Engine,
  { address, policy }: ReadThrough,
  flight: Flight,
  { hadValue, startedAt }: Load,
  error: unknown,
): void {
  if (policy.errorTtl > 0 && !flight.superseded) engine.remember(address, error, policy.errorTtl)
  loadFailed(engine, reportOf(address, hadValue, startedAt), error)
}

/** However it ended. */
export function endLoad(engine: Engine, { run, hold }: Load): void {
  run.end()
  if (hold) engine.leases.end(hold)
}
