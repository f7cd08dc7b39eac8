import { type Spread, spread } from '../lib/numbers.ts'
import type { Measurement } from './measure.ts'
import type { Series } from './rounds.ts'

/** What one of ours must reach. */
interface Goal {
  readonly what: string
  readonly contestant: string
  readonly figureOf: (measurement: Measurement) => number
  readonly limit: number
}

export interface Reached {
  readonly goal: Goal
  readonly figure: Spread
  readonly met: boolean
}

const [MEMORY, TIERED, METRICS] = [
  '@cache/core+memory',
  '@cache/core+tiered',
  '@cache/core+memory+metrics',
] as const

const GOALS: readonly Goal[] = [
  {
    what: 'near hit, memory, to the floor',
    contestant: MEMORY,
    figureOf: ({ zipf }) => zipf.ratio,
    limit: 1.5,
  },
  {
    what: 'near hit, two tiers, to the floor',
    contestant: TIERED,
    figureOf: ({ zipf }) => zipf.ratio,
    limit: 1.5,
  },
  {
    what: 'near hit with metrics, to without',
    contestant: METRICS,
    figureOf: ({ zipf }) => zipf.ratio,
    limit: 1.03,
  },
  { what: 'a miss beyond its loader, µs', contestant: MEMORY, figureOf: ({ missUs }) => missUs, limit: 5 },
  {
    what: 'a key in flight, bytes',
    contestant: MEMORY,
    figureOf: ({ flightBytes }) => flightBytes,
    limit: 400,
  },
]

/** Those goals for which there are figures. */
export function reached(series: readonly Series[]): Reached[] {
  return GOALS.flatMap(goal => {
    const own = series.find(({ contestant }) => contestant === goal.contestant)
    const figures = (own?.rounds ?? []).flatMap(round => ('error' in round ? [] : [goal.figureOf(round)]))
    if (figures.length === 0) return []
    const figure = spread(figures)
    return [{ goal, figure, met: figure.median <= goal.limit }]
  })
}
