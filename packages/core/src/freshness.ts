import type { Awaitable } from './awaitable.ts'
import type { Engine } from './engine.ts'
import { type Entry, isFreshAt } from './entry.ts'
import type { Flight } from './flight.ts'
import type { LeaseRead } from './leasing.ts'
import { isNegative } from './negative.ts'
import type { Policy } from './policy.ts'

/** When a hit has its value loaded anew, though it is fresh. */
export interface EarlyRefresh {
  /** From this part of its life on; 0: not for that. */
  readonly refreshAhead: number
  /** How much earlier than the next load would take, on average; 0: not for that. */
  readonly earlyRefresh: number
}

/**
 * Whether something read is an entry to be served without question. A promise and a vacancy have no time until which they are
 * fresh: they need not be told apart before.
 */
export function isFresh({ coarseClock }: Engine, read: Awaitable<LeaseRead>): read is Entry {
  return read !== undefined && isFreshAt(read as Entry, coarseClock.now())
}

/**
 * Whether a fresh entry is to be replaced already: past the part of its life that `refreshAhead` says, or by lot, the likelier
 * the nearer its end and the longer loads take (XFetch: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache
 * Stampede Prevention", VLDB 2015).
 */
export function isDue(engine: Engine, { early, loadTime }: Policy, entry: Entry): boolean {
  if (early === undefined || isNegative(entry)) return false
  const { refreshAhead, earlyRefresh } = early
  const { createdAt, freshUntil } = entry
  const now = engine.coarseClock.now()
  if (refreshAhead > 0 && now >= createdAt + refreshAhead * (freshUntil - createdAt)) return true
  if (earlyRefresh === 0 || loadTime.average === 0) return false
  return now - loadTime.average * earlyRefresh * Math.log(engine.random()) >= freshUntil
}

/** What a flight is to replace, if it can be served still. */
export function servable({ engine: { clock, flights }, stale, since }: Flight): Entry | undefined {
  if (!stale || stale.expiresAt <= clock.now() || flights.tags.isOutdated(stale.tags, since)) return undefined
  return stale
}

/** How long loads take, as a moving average in which the latest counts an eighth. */
export class LoadTime {
  /** Milliseconds; 0 before the first load. */
  average = 0

  note(ms: number): void {
    this.average = this.average === 0 ? ms : this.average + (ms - this.average) / 8
  }
}
