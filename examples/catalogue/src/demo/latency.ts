import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** Latencies in milliseconds. */
export interface LatencySummary {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly worstMs: number
}

/** Records latencies at a resolution of a microsecond and three significant figures (HdrHistogram). */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ figures: 3 })

  record(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1_000)))
  }

  summary(): LatencySummary {
    const ms = (microseconds: number): number => Math.round(microseconds / 10) / 100
    return {
      p50Ms: ms(this.#histogram.percentile(50)),
      p99Ms: ms(this.#histogram.percentile(99)),
      worstMs: ms(this.#histogram.max),
    }
  }

  reset(): void {
    this.#histogram.reset()
  }
}
