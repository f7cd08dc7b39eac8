/** One contestant, one workload, one process: takes its assignment as an argument, sends what it measured. */
import { CONTESTANTS } from './contestants.ts'
import type { Assignment } from './rounds.ts'
import { measure } from './workloads.ts'

const { contestant, ...task } = JSON.parse(process.argv[2] as string) as Assignment
const open = await CONTESTANTS.find(({ name }) => name === contestant)?.load()
if (open === undefined) throw new Error(`unknown contestant ${contestant}`)
const measurement = await measure(open, task)
// Timers of a cache that is done may be pending: the process ends all the same.
process.send?.(measurement, () => process.exit())
