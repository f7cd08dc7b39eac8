/** One contestant, one process: takes its task as an argument, sends what it measured. */
import { measure, type Task } from './measure.ts'

const measurement = await measure(JSON.parse(process.argv[2] as string) as Task)
// Connections and timers may be open still: the process ends all the same.
process.send?.(measurement, () => process.exit())
