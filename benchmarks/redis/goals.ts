import { type Spread, spread } from '../lib/numbers.ts'
import { REFERENCE } from './contestants.ts'
import { peers } from './peers.ts'
import type { Series } from './rounds.ts'
import type { Workload } from './subject.ts'
import type { Measurement } from './workloads.ts'

/** What one of ours must reach. */
export interface Goal {
  readonly what: string
  readonly contestant: string
  readonly workload: Workload
  /** Beside whom: the reference, the fastest peer of the round, or itself without the large values. */
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
  const ratios = (own?.rounds ?? []).flatMap((round, index) => {
    const base = 'error' in round ? undefined : baseOf(goal, round, here, index)
    if ('error' in round || base === undefined) return []
    return [goal.as === 'time' ? round.figure / base : base / round.figure]
  })
  if (ratios.length === 0) return []
  const ratio = spread(ratios)
  const met = goal.as === 'time' ? ratio.median <= goal.limit : ratio.median >= goal.limit
  return [{ goal, bytes, ratio, met }]
}

/** What the figure is compared with, of the same round. */
function baseOf(
  { beside }: Goal,
  own: Measurement,
  here: readonly Series[],
  index: number,
): number | undefined {
  if (beside === 'itself') return own.alone
  const names = beside === 'peers' ? peers.map(({ name }) => name) : [REFERENCE]
  const figures = here
    .filter(({ contestant }) => names.includes(contestant))
    .flatMap(({ rounds }) => {
      const round = rounds[index]
      return round === undefined || 'error' in round ? [] : [round.figure]
    })
  return figures.length === 0 ? undefined : Math.min(...figures)
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
