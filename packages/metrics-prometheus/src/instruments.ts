import { CacheError, type CacheSource, type TelemetryEvent } from '@cache/core'
import {
  Counter,
  Gauge,
  type Metric,
  type OpenMetricsContentType,
  type PrometheusContentType,
  type Registry,
} from 'prom-client'
import { EVENT_METRICS, METRICS, READ_METRICS } from './catalogue/index.ts'
import type { EventMetric, ReadMetric, Sample } from './catalogue/metric.ts'
import { EventInstrument, type InstrumentConfig } from './event-instrument.ts'
import type { DefaultLabels } from './options.ts'
import { Watched } from './watched.ts'

/** A prom-client registry, whichever of its two formats it speaks. */
export type AnyRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>

/**
 * Where the first metric of a set carries that set. A global symbol, because a hot reload, or a second copy of
 * this package, evaluates this module again while the registry stays.
 */
const SET: unique symbol = Symbol.for('@cache/metrics-prometheus')
const AGGREGATE = { sum: (a: number, b: number) => a + b, min: Math.min, max: Math.max } as const

/** The prom-client side of the catalogue: one set for a registry and prefix, shared by all who report there. */
export class Instruments {
  readonly #labelNames: readonly string[]
  readonly #watched = new Set<Watched>()
  readonly #counters = new Map<ReadMetric, Counter>()
  readonly #events: readonly EventInstrument[]

  private constructor(register: AnyRegistry, prefix: string, labelNames: readonly string[]) {
    this.#labelNames = labelNames
    const config = (metric: ReadMetric | EventMetric) => ({
      name: prefix + metric.name,
      help: metric.help,
      labelNames: [...metric.labels, ...labelNames],
      registers: [register],
    })
    for (const metric of READ_METRICS) {
      if (metric.type === 'gauge') this.#addGauge(metric, config(metric))
      else this.#addCounter(metric, config(metric))
    }
    this.#events = EVENT_METRICS.map(metric => new EventInstrument(metric, config(metric)))
  }

  /**
   * The set of a registry and prefix, made at first use.
   *
   * @throws CacheError `INVALID_OPTION` when others hold our names there, or the set has other label names
   */
  static of(register: AnyRegistry, prefix: string, labelNames: readonly string[]): Instruments {
    const landmark = `${prefix}${READ_METRICS[0]?.name}`
    const metric: (Metric & { [SET]?: Instruments }) | undefined = register.getSingleMetric(landmark)
    if (metric?.[SET]) return metric[SET].accepting(labelNames)

    assertFree(register, prefix)
    const instruments = new Instruments(register, prefix, labelNames)
    Object.assign(register.getSingleMetric(landmark) ?? {}, { [SET]: instruments })
    return instruments
  }

  /** Itself, if its metrics have these label names: prom-client fixes them when a metric is made. */
  accepting(names: readonly string[]): this {
    const own = this.#labelNames
    if (names.length === own.length && names.every(name => own.includes(name))) return this
    throw new CacheError(
      'INVALID_OPTION',
      `labels must have the same names in all that share a register and a prefix: [${own}] here; received [${names}]`,
    )
  }

  /** @returns a function that ends it: what the cache counted stays, what it holds is no longer shown */
  watch(source: CacheSource, labels: DefaultLabels): () => void {
    const watched = new Watched(source, labels)
    this.#watched.add(watched)
    const reading = watched.ask()
    if (reading) for (const event of this.#events) event.start(reading, labels)
    return () => {
      if (!this.#watched.delete(watched)) return
      for (const [metric, counter] of this.#counters) count(counter, metric, watched)
    }
  }

  record(event: TelemetryEvent, cache: string, labels: DefaultLabels): void {
    for (const each of this.#events) each.record(event, cache, labels)
  }

  #addCounter(metric: ReadMetric, config: InstrumentConfig): void {
    const collect = (): void => {
      for (const watched of this.#watched) count(counter, metric, watched)
    }
    const counter = new Counter({ ...config, collect })
    this.#counters.set(metric, counter)
  }

  #addGauge(metric: ReadMetric, config: InstrumentConfig): void {
    const aggregator = metric.aggregator ?? 'sum'
    const collect = (): void => {
      gauge.reset()
      const samples = [...this.#watched].flatMap(watched => watched.samples(metric))
      for (const [labels, value] of aggregated(samples, AGGREGATE[aggregator])) gauge.set(labels, value)
    }
    const gauge = new Gauge({ ...config, aggregator, collect })
  }
}

/**
 * Brings a counter up to what a cache counted, by what is new: prom-client counters cannot be set, and growth
 * sums caches of one name and stays when one of them closes.
 */
function count(counter: Counter, metric: ReadMetric, watched: Watched): void {
  for (const sample of watched.samples(metric)) counter.inc(sample[0], watched.growth(metric, sample))
}

function aggregated(
  samples: readonly Sample[],
  combine: (a: number, b: number) => number,
): Iterable<readonly [Sample[0], number]> {
  const series = new Map<string, readonly [Sample[0], number]>()
  for (const [labels, value = 0] of samples) {
    const key = JSON.stringify(labels)
    const other = series.get(key)
    series.set(key, [labels, other ? combine(other[1], value) : value])
  }
  return series.values()
}

function assertFree(register: AnyRegistry, prefix: string): void {
  const taken = METRICS.find(metric => register.getSingleMetric(prefix + metric.name))
  if (!taken) return
  throw new CacheError(
    'INVALID_OPTION',
    `register already holds a metric named ${prefix}${taken.name} that is not ours; choose another prefix`,
  )
}
