import { now, sleep } from './clock.ts'
import { checkHistories } from './history.ts'
import type { Tally } from './protocol.ts'
import { enforceFloors } from './settle.ts'
import type { Stage } from './stage.ts'

/** Milliseconds. */
const FLOORS_EVERY = 250
/** A cache that does nothing has 0. */
const LEAST_HIT_RATIO = 0.5
/** Evictions, and loads that were overtaken, need some more. */
const MOST_LOADS_PER_OUTDATED_KEY = 2

export interface Efficiency {
  readonly hitRatio: number
  readonly loadsPerOutdatedKey: number
}

/** Without faults: what is cached is hit, what is loaded had to be, and every history makes sense. */
export async function watchHealthy(stage: Stage, ms: number): Promise<Efficiency> {
  const { truth } = stage
  const before = {
    tallies: await stage.all(worker => worker.tally()),
    loads: truth.loads,
    outdated: truth.outdated,
  }
  await enforceFor(stage, ms)
  const tallies = await stage.all(worker => worker.tally())
  const hits = sum(tallies, 'hits') - sum(before.tallies, 'hits')
  const misses = sum(tallies, 'misses') - sum(before.tallies, 'misses')
  const hitRatio = hits / (hits + misses)
  const loadsPerOutdatedKey = (truth.loads - before.loads) / (truth.outdated - before.outdated)
  if (hitRatio < LEAST_HIT_RATIO) {
    stage.tell({ kind: 'hit ratio', what: `${hitRatio.toFixed(2)} without any fault` })
  }
  if (loadsPerOutdatedKey > MOST_LOADS_PER_OUTDATED_KEY) {
    stage.tell({ kind: 'too many loads', what: `${loadsPerOutdatedKey.toFixed(2)} for each outdated key` })
  }
  for (const violation of checkHistories(await stage.all(worker => worker.history()), truth.versions))
    stage.tell(violation)
  return { hitRatio, loadsPerOutdatedKey }
}

/** Holds all processes to every invalidation, as soon as its message has arrived. */
export async function enforceFor(stage: Stage, ms: number): Promise<void> {
  for (const until = now() + ms; now() < until; ) {
    await sleep(FLOORS_EVERY)
    await enforceFloors(stage)
  }
}

function sum(tallies: readonly Tally[], field: 'hits' | 'misses'): number {
  return tallies.reduce((total, tally) => total + tally[field], 0)
}
