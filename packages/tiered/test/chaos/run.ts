import type { Topology } from './backend.ts'
import { now } from './clock.ts'
import { play, type Run } from './episode.ts'
import { type FaultKind, kindsAt } from './faults.ts'
import { type Efficiency, watchHealthy } from './healthy.ts'
import type { Tally, Violation } from './protocol.ts'
import { Random } from './random.ts'
import { schedule } from './schedule.ts'
import { assertCurrent, quiesce, settle } from './settle.ts'
import { Stage } from './stage.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly faults: number
  /** @default 'server' */
  readonly topology?: Topology
  /** Those that may be there more than once come as often. @default all that the packages withstand */
  readonly kinds?: readonly FaultKind[]
  /** @default 3 */
  readonly processes?: number
  /** How long it is looked at processes that nothing befalls, in milliseconds. @default 2,000 */
  readonly healthyMs?: number
  /** Whether to end at the first violation. @default false */
  readonly stopAtFirst?: boolean
  /** Hears what happens. */
  readonly log?: (line: string) => void
}

export interface ChaosReport {
  readonly seed: number
  readonly faults: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
  readonly tallies: readonly Tally[]
  readonly loads: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly efficiency: Efficiency
  /** Milliseconds from each heal until all were coherent with empty journals. */
  readonly recoveries: readonly number[]
  readonly lostWithProcess: number
  readonly staleWithProcess: number
  readonly readsPastNear: number
  readonly seconds: number
}

/** Runs a schedule that the seed determines, and tells how the promises fared. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, faults, topology = 'server', processes = 3, healthyMs = 2_000, stopAtFirst, log } = options
  const { kinds = kindsAt(topology) } = options
  const startedAt = now()
  const random = new Random(seed)
  const stage = await Stage.start({ seed, topology, processes, tracking: random.chance(0.5) })
  const run: Run = {
    stage,
    log: log ?? (() => {}),
    recoveries: [],
    happened: {},
    readsPastNear: 0,
  }
  let efficiency: Efficiency = { hitRatio: 0, loadsPerOutdatedKey: 0 }
  try {
    await stage.all(worker => worker.call('resume', null))
    await settle(stage)
    efficiency = await watchHealthy(stage, healthyMs)
    for (const episode of schedule(random, { faults, processes, kinds })) {
      if (stopAtFirst && stage.violations.length > 0) break
      await play(run, episode)
    }
    await welcomeNewcomer(stage)
    const tallies = await stage.all(worker => worker.tally())
    await stage.stop()
    return report(run, { seed, efficiency, tallies, seconds: (now() - startedAt) / 1_000 })
  } catch (thrown) {
    await stage.end()
    if (stage.violations.length === 0) throw thrown
    run.log(`the run could not go on: ${thrown}`)
    return report(run, { seed, efficiency, tallies: [], seconds: (now() - startedAt) / 1_000 })
  }
}

/** A process that starts now has nothing near: what it reads is what Redis has. */
async function welcomeNewcomer(stage: Stage): Promise<void> {
  await quiesce(stage)
  const newcomer = stage.newcomer()
  const { seen } = await newcomer.call('audit', null)
  assertCurrent(stage, 'a new process', seen)
  const what = await newcomer.stop()
  if (what) stage.tell({ kind: 'did not end', what: `a new process: ${what}` })
}

function report(
  run: Run,
  rest: Pick<ChaosReport, 'seed' | 'efficiency' | 'tallies' | 'seconds'>,
): ChaosReport {
  const { stage, recoveries, happened, readsPastNear } = run
  const { violations, truth } = stage
  const { loads, outcomes, lostWithProcess, staleWithProcess } = truth
  return {
    ...rest,
    faults: happened,
    violations,
    loads,
    outcomes,
    recoveries,
    lostWithProcess,
    staleWithProcess,
    readsPastNear,
  }
}
