import { FAULTS, type FaultKind, type FaultType } from './faults.ts'
import type { Random } from './random.ts'

/** One fault of an episode. Times in milliseconds from its beginning. */
interface Fault {
  readonly kind: FaultKind
  /** The process it befalls; nothing to one of the server. */
  readonly slot: number
  readonly startsAt: number
  readonly endsAt: number
}

/** Faults that overlap; everything is healed, and judged, before the next. */
export type Episode = readonly Fault[]

export interface ScheduleOptions {
  readonly faults: number
  readonly processes: number
  readonly kinds: readonly FaultKind[]
}

/** Faults of an episode begin within this time. */
const SPREAD = 700

/**
 * A plan that the random numbers determine. The kinds are dealt like cards, so that each comes about as often as the others, and
 * at most one fault at a time befalls the server, and at most one process is replaced.
 */
export function schedule(random: Random, { faults, processes, kinds }: ScheduleOptions): Episode[] {
  const episodes: Episode[] = []
  let deck: FaultKind[] = []
  for (let left = faults; left > 0; ) {
    const episode: Fault[] = []
    const size = Math.min(left, Number(random.weighted({ 1: 50, 2: 35, 3: 15 })))
    for (; episode.length < size; left--) {
      if (deck.length === 0) deck = random.shuffled(kinds)
      const kind = takeFitting(deck, episode)
      if (kind === undefined) break
      const startsAt = episode.length === 0 ? 0 : random.below(SPREAD)
      const [shortest, longest] = typeOf(kind).lasts
      const endsAt = startsAt + random.between(shortest, longest)
      episode.push({ kind, slot: random.below(processes), startsAt, endsAt })
    }
    episodes.push(episode)
  }
  return episodes
}

export function typeOf(kind: FaultKind): FaultType {
  return FAULTS[kind] as FaultType
}

function takeFitting(deck: FaultKind[], episode: Episode): FaultKind | undefined {
  const index = deck.findIndex(kind => fits(kind, episode))
  return index < 0 ? undefined : deck.splice(index, 1)[0]
}

function fits(kind: FaultKind, episode: Episode): boolean {
  const { at, alone, replaces } = typeOf(kind)
  const others = episode.map(other => typeOf(other.kind))
  if (others.some(other => alone || other.alone || (replaces && other.replaces))) return false
  return at === 'process' || others.every(other => other.at === 'process')
}
