import { invalidOption, type Observer } from '@cache/core'
import { Registry } from 'prom-client'
import { type AnyRegistry, Instruments } from './instruments.ts'
import { checkedLabels, checkedPrefix, type DefaultLabels } from './options.ts'

export interface PrometheusMetricsOptions<R extends AnyRegistry = Registry> {
  /** The prom-client registry to report to. @default a new one */
  readonly register?: R
  /** What every metric name begins with. @default 'cache_' */
  readonly prefix?: string
  /** Labels on every series, for example `{ service: 'catalogue' }`. @default none */
  readonly labels?: DefaultLabels
}

/**
 * Reports caches to Prometheus: give {@link observer} to any number of `Cache`s.
 *
 * Hits, misses and sizes are plain numbers of the cache, read when Prometheus scrapes; a near hit costs nothing.
 * Labels are names of caches and stores and words of fixed lists, never keys.
 *
 * - Caches of one name are one set of series: their counters and sizes add up.
 * - A closed cache leaves its counters where they were, and takes its gauges with it.
 * - Several instances may share a registry and prefix, as after a hot reload: they share the metrics too, and
 *   must then use the same label names.
 */
export class PrometheusMetrics<R extends AnyRegistry = Registry> {
  /** Where the metrics are; serve it with {@link serveMetrics} or an endpoint of your own. */
  readonly register: R
  /** Goes to the `observer` option of a cache. */
  readonly observer: Observer

  /**
   * @throws CacheError `INVALID_OPTION`: a prefix or label that Prometheus would refuse, a label name of ours, or
   *   a registry in which others hold our names
   */
  constructor(options: PrometheusMetricsOptions<R> = {}) {
    const register = options.register ?? (new Registry() as R)
    if (typeof register?.registerMetric !== 'function') {
      throw invalidOption('register', register, 'a prom-client Registry')
    }
    const prefix = checkedPrefix(options.prefix ?? 'cache_')
    const labels = checkedLabels(options.labels ?? {})
    const instruments = Instruments.of(register, prefix, Object.keys(labels))

    this.register = register
    this.observer = {
      attach: source => instruments.watch(source, labels),
      event: (event, source) => instruments.record(event, source?.name ?? '', labels),
    }
  }
}
