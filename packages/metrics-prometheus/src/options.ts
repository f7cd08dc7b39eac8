import { invalidOption } from '@cache/core'
import { METRICS } from './catalogue/index.ts'

/** Labels of one `PrometheusMetrics`, the same on all its series. */
export type DefaultLabels = Readonly<Record<string, string>>

// https://prometheus.io/docs/concepts/data_model: names beginning with two underscores are Prometheus' own.
const LABEL_NAME = /^(?!__)[a-zA-Z_]\w*$/
const PREFIX = /^([a-zA-Z_:][\w:]*)?$/
const TAKEN = new Set(['le', ...METRICS.flatMap(metric => metric.labels)])

/** @throws CacheError `INVALID_OPTION` unless it can begin a metric name */
export function checkedPrefix(prefix: unknown): string {
  if (typeof prefix === 'string' && PREFIX.test(prefix)) return prefix
  throw invalidOption('prefix', prefix, 'empty, or letters, digits, _ and : that begin with no digit')
}

/** @throws CacheError `INVALID_OPTION` unless every name is a free label name and every value a string */
export function checkedLabels(labels: unknown): DefaultLabels {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    throw invalidOption('labels', labels, 'an object of label names and their values')
  }
  for (const [name, value] of Object.entries(labels)) {
    if (!LABEL_NAME.test(name)) {
      throw invalidOption(
        'labels',
        name,
        'named with letters, digits and _, not beginning with a digit or __',
      )
    }
    if (TAKEN.has(name)) throw invalidOption('labels', name, `other than ${[...TAKEN].join(', ')}`)
    if (typeof value !== 'string') {
      throw invalidOption(`labels.${name}`, value, `a string`)
    }
  }
  return Object.freeze({ ...labels })
}
