import { parentPort, workerData } from 'node:worker_threads'
import { Replay } from './replay.ts'
import type { TrafficOptions, TrafficReport } from './traffic.ts'

const { everyMs, ...options } = workerData as TrafficOptions
const replay = new Replay(options)
const post = (last: boolean): void =>
  parentPort?.postMessage({ ...replay.report(), last } satisfies TrafficReport)

const timer = setInterval(post, everyMs, false)
parentPort?.once('message', () => replay.stop())
await replay.run()
clearInterval(timer)
post(true)
parentPort?.close()
