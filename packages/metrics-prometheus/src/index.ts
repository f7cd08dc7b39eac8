export type { AnyRegistry } from './instruments.ts'
export type { DefaultLabels } from './options.ts'
export { PrometheusMetrics, type PrometheusMetricsOptions } from './prometheus-metrics.ts'
export { type MetricsEndpoint, type ServeMetricsOptions, serveMetrics } from './serve.ts'
