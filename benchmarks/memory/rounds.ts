import { type Failure, inOwnProcess } from '../lib/own-process.ts'
import { type Measurement, type Task, WORKLOADS, type Workload } from './workloads.ts'

export interface Assignment extends Task {
  readonly contestant: string
}

/** Of a round in which it failed, why. */
type Round = Measurement | Failure

/** What one contestant did in one workload, round by round. */
export interface Series {
  readonly keys: number
  readonly workload: Workload
  readonly contestant: string
  readonly rounds: readonly Round[]
}

export interface Plan {
  /** The sizes to measure. */
  readonly keys: readonly number[]
  readonly contestants: readonly string[]
  readonly runs: number
  readonly budgetMs: number
}

/**
 * Measures every contestant in every workload at every size, each time in a process of its own. Contestants take
 * turns within a round, and each round begins with another one, so that noise of the machine hits all alike.
 *
 * @param onRound told before each round
 */
export async function runRounds(plan: Plan, onRound: (text: string) => void): Promise<Series[]> {
  const all: Series[] = []
  for (const keys of plan.keys) {
    for (const workload of WORKLOADS) {
      const series = plan.contestants.map(contestant => ({
        keys,
        workload,
        contestant,
        rounds: [] as Round[],
      }))
      for (let run = 0; run < plan.runs; run++) {
        onRound(`${keys.toLocaleString('en')} keys, ${workload}: round ${run + 1} of ${plan.runs}`)
        for (let turn = 0; turn < series.length; turn++) {
          const next = series[(turn + run) % series.length] as (typeof series)[number]
          const { contestant } = next
          next.rounds.push(await measured({ contestant, workload, keys, budgetMs: plan.budgetMs }))
        }
      }
      all.push(...series)
    }
  }
  return all
}

function measured(assignment: Assignment): Promise<Round> {
  return inOwnProcess<Measurement>(new URL('./worker.ts', import.meta.url), assignment, {
    execArgv: ['--expose-gc'],
  })
}
