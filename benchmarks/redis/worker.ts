/** One contestant, one workload, one process: takes its assignment as an argument, sends what it measured. */
import { CONTESTANTS } from './contestants.ts'
import { measureOnLink } from './link.ts'
import type { Assignment } from './rounds.ts'
import { measure } from './workloads.ts'

const { contestant, workload, urls, ...task } = JSON.parse(process.argv[2] as string) as Assignment
const found = CONTESTANTS.find(({ name }) => name === contestant)
if (found === undefined) throw new Error(`unknown contestant ${contestant}`)
const measurement =
  workload === 'link'
    ? await measureOnLink(found.open, urls, task)
    : await measure(found.open, urls[0], { ...task, workload })
// Connections are open still: the process ends all the same.
process.send?.(measurement, () => process.exit())
