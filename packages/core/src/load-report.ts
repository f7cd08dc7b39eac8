import type { Engine } from './engine.ts'

/** One run of a loader: for which keys, and when it began. */
export interface LoadReport {
  readonly addresses: readonly string[]
  /** Those of them that had a value still. */
  readonly refreshed: readonly string[]
  /** By `performance.now()`. */
  readonly startedAt: number
}

const NONE: readonly string[] = []

/** The report of a load of one key. */
export function reportOf(address: string, hadValue: boolean, startedAt: number): LoadReport {
  const addresses = [address]
  return { addresses, refreshed: hadValue ? addresses : NONE, startedAt }
}

/** Counts and tells a run that gave values. */
export function loadSucceeded(engine: Engine, { addresses, refreshed, startedAt }: LoadReport): void {
  const durationMs = performance.now() - startedAt
  engine.counts.loads++
  engine.report({ type: 'load', outcome: 'ok', durationMs })
  if (engine.events.has('load')) for (const key of addresses) engine.events.emit('load', { key, durationMs })
  if (refreshed.length === 0) return
  engine.counts.refreshes += refreshed.length
  tellRefreshes(engine, refreshed, 'ok', durationMs)
}

/** Counts and tells a run that failed. */
export function loadFailed(
  engine: Engine,
  { addresses, refreshed, startedAt }: LoadReport,
  error: unknown,
): void {
  const durationMs = performance.now() - startedAt
  engine.counts.loadErrors++
  engine.report({ type: 'load', outcome: 'error', durationMs })
  for (const key of addresses) engine.events.emit('loadError', { key, error })
  if (refreshed.length === 0) return
  engine.counts.refreshErrors += refreshed.length
  tellRefreshes(engine, refreshed, 'error', durationMs)
}

function tellRefreshes(
  engine: Engine,
  refreshed: readonly string[],
  outcome: 'ok' | 'error',
  durationMs: number,
): void {
  engine.report({ type: 'refresh', outcome, keys: refreshed.length })
  if (!engine.events.has('refresh')) return
  for (const key of refreshed) engine.events.emit('refresh', { key, outcome, durationMs })
}
