import type { TelemetryEvent } from '@cache/core'
import { Counter, Histogram } from 'prom-client'
import type { EventMetric, Labels, Reading } from './catalogue/metric.ts'
import type { AnyRegistry } from './instruments.ts'
import type { DefaultLabels } from './options.ts'

/** How a metric is made in prom-client. */
export interface InstrumentConfig {
  readonly name: string
  readonly help: string
  readonly labelNames: string[]
  readonly registers: AnyRegistry[]
}

/** The prom-client side of a metric that events feed. */
export class EventInstrument {
  readonly #metric: EventMetric
  readonly #add: (labels: Labels, value: number) => void
  readonly #started = new Set<string>()
  /** Makes a series be there, at zero. */
  readonly #zero: (labels: Labels) => void

  constructor(metric: EventMetric, config: InstrumentConfig) {
    this.#metric = metric
    if (metric.type === 'counter') {
      const counter = new Counter(config)
      this.#add = (labels, value) => counter.inc(labels, value)
      this.#zero = labels => counter.inc(labels, 0)
    } else {
      const histogram = new Histogram({ ...config, buckets: [...(metric.buckets ?? [])] })
      this.#add = (labels, value) => histogram.observe(labels, value)
      this.#zero = labels => histogram.zero(labels)
    }
  }

  /** A cache is new; of one that has had its name, the series are there and go on. */
  start(reading: Reading, own: DefaultLabels): void {
    for (const initial of this.#metric.initial?.(reading) ?? []) {
      const labels = { cache: reading.cache, ...initial, ...own }
      const series = JSON.stringify(labels)
      if (this.#started.has(series)) continue
      this.#started.add(series)
      this.#zero(labels)
    }
  }

  record(event: TelemetryEvent, cache: string, labels: DefaultLabels): void {
    const sample = this.#metric.sample(event)
    if (sample) this.#add({ cache, ...sample[0], ...labels }, sample[1] ?? 0)
  }
}
