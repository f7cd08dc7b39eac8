import { PrometheusMetrics, serveMetrics } from '@cache/metrics-prometheus'
import { readConfig } from './config.ts'
import { startService } from './service.ts'

const config = readConfig(process.env)
const { observer, register } = new PrometheusMetrics()
const metrics = await serveMetrics({ port: config.metricsPort, host: config.host, register })
const service = await startService({ ...config, observer })
console.log(`Products on ${service.url}/products/1, metrics on ${metrics.url}`)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await service.close()
    await metrics.close()
  })
}
