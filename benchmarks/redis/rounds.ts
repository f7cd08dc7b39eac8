import { type Failure, inOwnProcess } from '../lib/own-process.ts'
import { CONTESTANTS } from './contestants.ts'
import type { Workload } from './subject.ts'
import type { Measurement } from './workloads.ts'

export interface Assignment {
  readonly contestant: string
  readonly workload: Workload
  /** Bytes of JSON of a value. */
  readonly bytes: number
  readonly budgetMs: number
  /** The server itself, and over the shaped link. */
  readonly urls: readonly [direct: string, shaped: string]
}

/** Of a round in which it failed, why. */
type Round = Measurement | Failure

/** What one contestant did in one workload, round by round. */
export interface Series {
  readonly bytes: number
  readonly workload: Workload
  readonly contestant: string
  readonly rounds: readonly Round[]
}

export interface Plan {
  readonly workloads: readonly Workload[]
  /** Sizes of values to measure; the link is measured with the first. */
  readonly bytes: readonly number[]
  readonly contestants: readonly string[]
  readonly runs: number
  readonly budgetMs: number
  readonly urls: Assignment['urls']
}

/** A contestant that has not ended by then never will: its calls may have no deadline. */
const GIVE_UP_MS = 60_000
/** The slowest hundredth of something needs many of it. */
const LINK_BUDGET = 4

/**
 * Measures every contestant in every workload it takes part in, each time in a process of its own. Contestants take
 * turns within a round, and each round begins with another one, so that noise of the machine hits all alike.
 *
 * @param onRound told before each round
 */
export async function runRounds(plan: Plan, onRound: (text: string) => void): Promise<Series[]> {
  const all: Series[] = []
  for (const { workload, bytes, budgetMs } of settings(plan)) {
    const series = takingPart(plan.contestants, workload).map(contestant => ({
      bytes,
      workload,
      contestant,
      rounds: [] as Round[],
    }))
    for (let run = 0; run < plan.runs; run++) {
      onRound(`${workload}, ${bytes.toLocaleString('en')} bytes: round ${run + 1} of ${plan.runs}`)
      for (let turn = 0; turn < series.length; turn++) {
        const next = series[(turn + run) % series.length] as (typeof series)[number]
        const { contestant } = next
        next.rounds.push(await measured({ contestant, workload, bytes, budgetMs, urls: plan.urls }))
      }
    }
    all.push(...series)
  }
  return all
}

/** What is measured, with everybody: each workload at each size, the link at one. */
type Setting = Pick<Assignment, 'workload' | 'bytes' | 'budgetMs'>

function settings({ workloads, bytes, budgetMs }: Plan): Setting[] {
  return workloads.flatMap((workload): Setting[] =>
    workload === 'link'
      ? bytes.slice(0, 1).map(first => ({ workload, bytes: first, budgetMs: budgetMs * LINK_BUDGET }))
      : bytes.map(size => ({ workload, bytes: size, budgetMs })),
  )
}

function takingPart(names: readonly string[], workload: Workload): string[] {
  return CONTESTANTS.filter(one => names.includes(one.name) && one.workloads.includes(workload)).map(
    ({ name }) => name,
  )
}

function measured(assignment: Assignment): Promise<Round> {
  return inOwnProcess<Measurement>(new URL('./worker.ts', import.meta.url), assignment, {
    timeout: GIVE_UP_MS,
    killSignal: 'SIGKILL',
  })
}
