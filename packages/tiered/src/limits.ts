import {
  hasHealth,
  isBatching,
  isGuaranteeing,
  isLeasing,
  isMarking,
  isTagging,
  isTouching,
} from '@cache/core'
import type { Settings } from './options.ts'

/** Something that the tiers of a store cannot do, and what is lost by it. */
export interface Limit {
  /** `bus` is a matter of both tiers. */
  readonly tier: 'l1' | 'l2' | 'bus'
  /** The capability that is missing, as its interface in `@cache/core` is called. */
  readonly without:
    | 'Batching'
    | 'Coherent'
    | 'Guaranteeing'
    | 'Health'
    | 'Leasing'
    | 'Marking'
    | 'Tagging'
    | 'Touching'
  readonly means: string
}

/** What is lost by what the two stores, or the lack of a bus, leave out. */
export function limitsOf({ l1, l2, bus }: Pick<Settings, 'l1' | 'l2' | 'bus'>): readonly Limit[] {
  const { ordered, durable } = isGuaranteeing(l2) ? l2.guarantees : {}
  const limits: readonly (Limit | false)[] = [
    !bus && {
      tier: 'bus',
      without: 'Coherent',
      means: 'the near tier may serve what other processes have changed, until it expires',
    },
    !isLeasing(l2) && {
      tier: 'l2',
      without: 'Leasing',
      means:
        'several processes may load a missing key at once, and one that began before another invalidated the key may store its value after that',
    },
    !isTagging(l2) && {
      tier: 'l2',
      without: 'Tagging',
      means: 'nothing can be invalidated by tag',
    },
    !isMarking(l2) &&
      !durable && {
        tier: 'l2',
        without: 'Marking',
        means: 'if the remote comes back with older data, what was invalidated since is there again',
      },
    !ordered && {
      tier: 'l2',
      without: 'Guaranteeing',
      means:
        'a write that overlaps another one of its key is queued, and the key invalidated when both have settled',
    },
    !hasHealth(l2) && {
      tier: 'l2',
      without: 'Health',
      means: 'that the remote is away is learnt from calls that fail',
    },
    !isTouching(l2) && {
      tier: 'l2',
      without: 'Touching',
      means:
        'a sliding ttl reads an entry and writes it again, which may undo what another process wrote between',
    },
    !isBatching(l2) && {
      tier: 'l2',
      without: 'Batching',
      means: 'many keys take as many calls',
    },
    !isTagging(l1) && {
      tier: 'l1',
      without: 'Tagging',
      means: 'invalidating a tag drops all that is near',
    },
  ]
  return limits.filter(limit => limit !== false)
}
