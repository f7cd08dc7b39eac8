import { type Spread, spread } from '../lib/numbers.ts'
import { REFERENCE } from './contestants.ts'
import { peers } from './peers.ts'
import type { Series } from './rounds.ts'
import type { Workload } from './subject.ts'

/** What one of ours must reach. */
export interface Goal {
  readonly what: string
  readonly contestant: string
  readonly workload: Workload
  /** Beside whom: the reference, whichever peer is the hardest to beat, or itself without the large values. */
  readonly beside: 'reference' | 'peers' | 'itself'
  /** `time`: ours over theirs. `throughput`: the other way round. */
  readonly as: 'time' | 'throughput'
  readonly limit: number
}

export interface Reached {
  readonly goal: Goal
  readonly bytes: number
  readonly ratio: Spread
  /** Whether the median is within the limit. */
  readonly met: boolean
}

const [STORE, CACHE, TIERED] = ['@cache/redis', '@cache/core+redis', '@cache/core+tiered'] as const

export const GOALS: readonly Goal[] = [
  toReference('getMany of 100', STORE, 'getMany', ['throughput', 0.9]),
  toReference('get', STORE, 'get', ['time', 1.15]),
  toReference('setMany of 100', STORE, 'setMany', ['throughput', 0.9]),
  {
    what: 'p99 of small reads beside 5 MB, to p99 without',
    contestant: STORE,
    workload: 'link',
    beside: 'itself',
    as: 'time',
    limit: 2,
  },
  toReference('miss, one tier', CACHE, 'miss', ['time', 1.25]),
  toReference('miss, two tiers', TIERED, 'miss', ['time', 1.25]),
  toFastestPeer('far hit', 'get'),
  toFastestPeer('getMany of 100', 'getMany'),
  toFastestPeer('setMany of 100', 'setMany'),
  toFastestPeer('miss', 'miss'),
]

/** Those goals for which there are figures, for each size of value. */
export function reached(series: readonly Series[]): Reached[] {
  const sizes = [...new Set(series.map(({ bytes }) => bytes))]
  return GOALS.flatMap(goal => sizes.flatMap(bytes => reachedAt(goal, bytes, series)))
}

function reachedAt(goal: Goal, bytes: number, series: readonly Series[]): Reached[] {
  const here = series.filter(one => one.bytes === bytes && one.workload === goal.workload)
  const own = here.find(({ contestant }) => contestant === goal.contestant)
  if (own === undefined) return []
  const ratios = namesBeside(goal).flatMap(name => {
    const found = ratiosOf(
      goal,
      own,
      here.find(({ contestant }) => contestant === name),
    )
    return found.length === 0 ? [] : [spread(found)]
  })
  // Of several, the one that is the hardest to beat over all rounds: the fastest of each round would be luck's choice.
  const [ratio] = ratios.toSorted((one, other) =>
    goal.as === 'time' ? other.median - one.median : one.median - other.median,
  )
  if (ratio === undefined) return []
  const met = goal.as === 'time' ? ratio.median <= goal.limit : ratio.median >= goal.limit
  return [{ goal, bytes, ratio, met }]
}

function namesBeside({ beside, contestant }: Goal): readonly string[] {
  if (beside === 'itself') return [contestant]
  return beside === 'peers' ? peers.map(({ name }) => name) : [REFERENCE]
}

/** Round by round, as the noise of the machine hits all in a round alike. */
function ratiosOf({ as, beside }: Goal, own: Series, other: Series | undefined): number[] {
  return own.rounds.flatMap((round, index) => {
    const base = other?.rounds[index]
    if ('error' in round || base === undefined || 'error' in base) return []
    const figure = beside === 'itself' ? base.alone : base.figure
    if (figure === undefined) return []
    return [as === 'time' ? round.figure / figure : figure / round.figure]
  })
}

function toReference(
  what: string,
  contestant: string,
  workload: Workload,
  [as, limit]: readonly ['time' | 'throughput', number],
): Goal {
  return { what: `${what}, to ${REFERENCE}`, contestant, workload, beside: 'reference', as, limit }
}

function toFastestPeer(what: string, workload: Workload): Goal {
  return {
    what: `${what}, to the fastest peer`,
    contestant: TIERED,
    workload,
    beside: 'peers',
    as: 'time',
    limit: 1,
  }
}
