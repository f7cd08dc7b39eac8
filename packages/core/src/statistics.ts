import type { Clock } from './clock.ts'
import { type CacheReport, Counters, type Mark, periodOf, Tallies } from './stats.ts'
import { isMeasurable, type Store } from './store.ts'

/** What a cache counts, and what it tells of that: since it was made, and since it was last told to begin anew. */
export class Statistics {
  readonly counts: Counters = new Counters()
  readonly tallies: Tallies = new Tallies()
  /** What waits to be warmed up. */
  readonly queues: Set<{ readonly size: number }> = new Set()
  readonly #store: Store
  readonly #clock: Clock
  readonly #start: Mark
  #reset: Mark | undefined

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
    this.#start = { at: clock.now(), counts: new Counters(), tiers: [] }
  }

  /** @param inFlight loads under way now */
  report(inFlight: number): CacheReport {
    const now = this.#mark()
    const sinceReset = periodOf(this.#reset ?? this.#start, now)
    let queued = 0
    for (const { size } of this.queues) queued += size
    return { ...periodOf(this.#start, now), ...this.tallies.snapshot(queued), inFlight, sinceReset }
  }

  reset(): void {
    this.#reset = this.#mark()
  }

  #mark(): Mark {
    const tiers = isMeasurable(this.#store) ? this.#store.measure() : []
    return { at: this.#clock.now(), counts: { ...this.counts }, tiers }
  }
}
