import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ReplayOptions, Report } from './replay.ts'

export interface TrafficOptions extends ReplayOptions {
  /** Milliseconds between reports. */
  readonly everyMs: number
}

export type TrafficReport = Report & { readonly last: boolean }

/** Traffic under way. */
export interface Traffic {
  /** Rejects if its thread breaks. */
  readonly failed: Promise<never>
  /** Ends it. @returns the report over all of it */
  stop(): Promise<Report>
  /** Ends it at once, without a report. */
  abandon(): Promise<void>
}

/**
 * Plays a trace from a thread of its own, so that what is measured is the service, not the measuring.
 *
 * @param onReport called with every report but the last
 */
export function startTraffic(options: TrafficOptions, onReport: (report: Report) => void): Traffic {
  const worker = new Worker(new URL('./traffic-worker.ts', import.meta.url), { workerData: options })
  const last = Promise.withResolvers<Report>()
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  worker.on('message', (report: TrafficReport) => (report.last ? last.resolve(report) : onReport(report)))
  worker.on('error', failure.reject)
  return {
    failed: failure.promise,
    async stop() {
      const exited = once(worker, 'exit')
      worker.postMessage('stop')
      const report = await Promise.race([last.promise, failure.promise])
      await exited
      return report
    },
    async abandon() {
      await worker.terminate()
    },
  }
}
