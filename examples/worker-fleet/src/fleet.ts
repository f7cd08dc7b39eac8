import cluster from 'node:cluster'

/** How many workers may end one after another, each within its first seconds, before the fleet gives up. */
const MAX_EARLY_ENDS = 5
const EARLY_MS = 5_000

/** Keeps `size` workers running until it is stopped; ends the process when the last of them has ended. */
export function runFleet(size: number): void {
  let isStopping = false
  let earlyEnds = 0

  const fork = (): void => {
    const startedAt = performance.now()
    const worker = cluster.fork()
    worker.once('exit', (code, signal) => {
      if (isStopping) return
      console.error(`worker ${worker.id} ended with ${signal ?? code}`)
      earlyEnds = performance.now() - startedAt < EARLY_MS ? earlyEnds + 1 : 0
      if (earlyEnds < MAX_EARLY_ENDS) return fork()
      process.exitCode = 1
      stop()
    })
  }

  const stop = (): void => {
    isStopping = true
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM')
  }

  for (let started = 0; started < size; started++) fork()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
}
