import { type Failure, inOwnProcess } from '../lib/own-process.ts'
import type { Measurement, Task } from './measure.ts'

/** What one contestant did, round by round. */
export interface Series {
  readonly contestant: string
  readonly rounds: readonly (Measurement | Failure)[]
}

export interface Plan extends Pick<Task, 'keys' | 'budgetMs'> {
  readonly contestants: readonly string[]
  readonly runs: number
}

/** Measures every contestant in processes of its own. They take turns, and each round begins with another one. */
export async function runRounds(
  { contestants, runs, ...plan }: Plan,
  redis: string,
  onRound: (text: string) => void,
): Promise<Series[]> {
  const series = contestants.map(contestant => ({ contestant, rounds: [] as (Measurement | Failure)[] }))
  for (let run = 0; run < runs; run++) {
    onRound(`round ${run + 1} of ${runs}`)
    for (let turn = 0; turn < series.length; turn++) {
      const { contestant, rounds } = series[(turn + run) % series.length] as (typeof series)[number]
      const task: Task = { contestant, redis, ...plan }
      const worker = new URL('./worker.ts', import.meta.url)
      rounds.push(await inOwnProcess<Measurement>(worker, task, { execArgv: ['--expose-gc'] }))
    }
  }
  return series
}
