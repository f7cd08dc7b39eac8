import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { AggregatorRegistry, register } from 'prom-client'
import { PrometheusMetrics } from '../src/index.ts'

const WORKERS = 2

/**
 * A service of two processes: each reads its own key thrice, and the first is asked for the metrics of both. Prints where
 * they are once all have answered.
 */
if (cluster.isPrimary) {
  const aggregator = new AggregatorRegistry()
  let ready = 0
  for (let i = 0; i < WORKERS; i++) {
    cluster.fork().on('message', message => {
      if (message === 'ready' && ++ready === WORKERS) server.listen(0, '127.0.0.1')
    })
  }
  const server = createServer(async (_request, response) => {
    response.setHeader('content-type', aggregator.contentType).end(await aggregator.clusterMetrics())
  })
  server.on('listening', () => {
    const address = server.address()
    if (address && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}/metrics`)
  })
} else {
  // The aggregator asks the global registry of each worker.
  const { observer } = new PrometheusMetrics({ register })
  const cache = new Cache({ store: new MemoryStore({ maxItems: 10 }), name: 'products', observer })
  for (let i = 0; i < 3; i++) await cache.getOrSet(`k${process.pid}`, () => 1)
  new AggregatorRegistry()
  process.send?.('ready')
}
