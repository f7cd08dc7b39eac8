import type { CacheSource } from '@cache/core'
import type { Reading, ReadMetric, Sample } from './catalogue/metric.ts'
import type { DefaultLabels } from './options.ts'

/** A cache being watched: what it says now, and how much of each of its counters was already told. */
export class Watched {
  readonly #source: CacheSource
  readonly #labels: DefaultLabels
  readonly #told = new Map<string, number>()
  #reading: Reading | undefined
  #fresh = false

  constructor(source: CacheSource, labels: DefaultLabels) {
    this.#source = source
    this.#labels = labels
  }

  /** What a metric says of this cache now; series that nobody knows the value of are left out. */
  samples(metric: ReadMetric): Sample[] {
    const reading = this.#read()
    if (!reading) return []
    return metric
      .read(reading)
      .filter(([, value]) => Number.isFinite(value))
      .map(([labels, value]) => [{ ...labels, ...this.#labels }, value])
  }

  /** By how much a counter grew since this was last asked; one that went back has to make up for that first. */
  growth(metric: ReadMetric, [labels, value = 0]: Sample): number {
    const series = [metric.name, ...Object.values(labels)].join('\n')
    const told = this.#told.get(series) ?? 0
    if (value <= told) return 0
    this.#told.set(series, value)
    return value - told
  }

  /** Asks the cache. One that throws keeps its last reading: it must not fail the scrape of a whole service. */
  ask(): Reading | undefined {
    try {
      const { name: cache } = this.#source
      this.#reading = { cache, stats: this.#source.stats(), health: this.#source.health() }
    } catch {
      // The cache's trouble shows in its own numbers; the last good ones stand.
    }
    return this.#reading
  }

  /**
   * One reading per scrape, so that its numbers fit together: a registry collects all metrics in one turn of
   * the event loop.
   */
  #read(): Reading | undefined {
    if (this.#fresh) return this.#reading
    this.#fresh = true
    queueMicrotask(() => {
      this.#fresh = false
    })
    return this.ask()
  }
}
