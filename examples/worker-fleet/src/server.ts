import cluster from 'node:cluster'
import { availableParallelism } from 'node:os'
import { runFleet } from './fleet.ts'
import { createSettings } from './settings.ts'
import { createWorker } from './worker.ts'

const { HOST = '127.0.0.1', PORT = '3000', WORKERS, REDIS_URL = 'redis://127.0.0.1:6379' } = process.env

if (cluster.isPrimary) runFleet(Number(WORKERS) || availableParallelism())
else serve(cluster.worker?.id ?? 0)

function serve(id: number): void {
  const settings = createSettings(REDIS_URL)
  const server = createWorker(settings, id)
  server.listen(Number(PORT), HOST, () => console.log(`worker ${id}: http://${HOST}:${PORT}/settings/theme`))

  const stop = () =>
    server.close(async () => {
      await settings.close()
      process.disconnect()
    })
  process.once('SIGTERM', stop)
  // Ctrl-C reaches every process of the terminal; the primary tells the workers.
  process.on('SIGINT', () => {})
}
