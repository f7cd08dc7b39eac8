import { PerformanceObserver } from 'node:perf_hooks'
import { BoundedMap } from '@cache/memory'

/** One turn of the event loop in which entries were removed. */
export interface Turn {
  /** What it took, less the collections of garbage within. */
  readonly ms: number
  readonly gcMs: number
  /** Whether a `Map` of V8 became so empty in it that V8 moved what was left to a smaller table. */
  readonly rehashes: boolean
}

/** Time to fill the map before the first entry ends: at least a second, and some microseconds an entry. */
const MIN_LEAD_MS = 1_000
const LEAD_MS_PER_ENTRY = 0.005
/** As many entries as `BoundedMap` reclaims in a turn. */
const BATCH = 1_000

/** Fills a `BoundedMap` with entries that all end in one second, and times each turn in which it reclaims some. */
export async function expireTogether(entries: number): Promise<Turn[]> {
  const stopwatch = new Stopwatch()
  const clock = {
    now: () => Date.now(),
    setTimeout: (callback: () => void, ms: number) =>
      setTimeout(() => stopwatch.time(() => map.size, callback), ms),
    clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  }
  const map = new BoundedMap<string, { id: number }>({ maxItems: entries, clock })
  const leadMs = Math.max(MIN_LEAD_MS, entries * LEAD_MS_PER_ENTRY)
  const first = Date.now() + leadMs
  for (let id = 0; id < entries; id++) map.setUntil(`key:${id}`, { id }, first + ((id * 7_919) % 1_000))
  if (Date.now() >= first) throw new Error(`filling ${entries} entries took longer than ${leadMs} ms`)
  while (map.size > 0) await new Promise(resolve => setTimeout(resolve, 50))
  return stopwatch.stop()
}

/** The same for a bare `Map`: what V8 takes for the removals alone. */
export async function deleteFromMap(entries: number): Promise<Turn[]> {
  const map = new Map<string, { id: number }>()
  for (let id = 0; id < entries; id++) map.set(`key:${id}`, { id })
  const keys = [...map.keys()]
  const stopwatch = new Stopwatch()
  for (let from = 0; from < entries; from += BATCH) {
    await new Promise(resolve => setImmediate(resolve))
    stopwatch.time(
      () => map.size,
      () => {
        for (let i = from; i < Math.min(from + BATCH, entries); i++) map.delete(keys[i] as string)
      },
    )
  }
  return stopwatch.stop()
}

interface Lap {
  readonly start: number
  readonly end: number
  readonly rehashes: boolean
}

class Stopwatch {
  readonly #laps: Lap[] = []
  readonly #collections: { readonly start: number; readonly end: number }[] = []
  readonly #observer = new PerformanceObserver(list => {
    for (const { startTime, duration } of list.getEntries()) {
      this.#collections.push({ start: startTime, end: startTime + duration })
    }
  })

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  /** Times `work`, if it removes anything; `size` tells how many entries there are. */
  time(size: () => number, work: () => void): void {
    const before = size()
    const start = performance.now()
    work()
    const end = performance.now()
    const after = size()
    if (after === before) return
    this.#laps.push({ start, end, rehashes: shrinks(before, after) })
  }

  async stop(): Promise<Turn[]> {
    // The observer is told in a later turn.
    await new Promise(resolve => setTimeout(resolve, 100))
    this.#observer.disconnect()
    return this.#laps.map(({ start, end, rehashes }) => {
      const gcMs = this.#collections.reduce(
        (sum, gc) => sum + Math.max(0, Math.min(gc.end, end) - Math.max(gc.start, start)),
        0,
      )
      return { ms: end - start - gcMs, gcMs, rehashes }
    })
  }
}

/** V8 shrinks a table, whose capacity is a power of two, when less than a quarter of it is in use. */
function shrinks(before: number, after: number): boolean {
  const power = 2 ** Math.ceil(Math.log2(after + 1))
  return after < power && power <= before
}
