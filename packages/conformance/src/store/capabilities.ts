import {
  type Batching,
  type Checking,
  type Coherent,
  type Enumerable,
  type Health,
  hasHealth,
  isBatching,
  isChecking,
  isCoherent,
  isEnumerable,
  isLeasing,
  isMarking,
  isMeasurable,
  isNear,
  isObserved,
  isReplacing,
  isTagging,
  isTouching,
  type Leasing,
  type Marking,
  type Measurable,
  type Near,
  type Observed,
  type Replacing,
  type Store,
  type Tagging,
  type Touching,
} from '@cache/core'

/** What a store of each capability has beyond the five methods. */
export interface CapabilityTypes {
  batching: Batching
  checking: Checking
  coherent: Coherent
  enumerable: Enumerable
  health: Health
  leasing: Leasing
  marking: Marking
  measurable: Measurable
  near: Near
  observed: Observed
  replacing: Replacing
  tagging: Tagging
  touching: Touching
}

/** The name of an optional capability, as its interface in `@cache/core` is called. */
export type Capability = keyof CapabilityTypes

const OFFERS: Readonly<Record<Capability, (store: Store) => boolean>> = {
  batching: isBatching,
  checking: isChecking,
  coherent: store => isCoherent(store) && store.bus !== undefined,
  enumerable: isEnumerable,
  health: hasHealth,
  leasing: isLeasing,
  marking: isMarking,
  measurable: isMeasurable,
  near: isNear,
  observed: isObserved,
  replacing: isReplacing,
  tagging: isTagging,
  touching: isTouching,
}

/** Every capability there is. */
export const CAPABILITIES: readonly Capability[] = Object.keys(OFFERS) as Capability[]

export function offers<C extends Capability>(
  store: Store,
  capability: C,
): store is Store & CapabilityTypes[C] {
  return OFFERS[capability](store)
}
