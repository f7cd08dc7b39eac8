import type { Store } from '@cache/core'
import type { RuleName } from '../rules.ts'
import type { Capability, CapabilityTypes } from './capabilities.ts'
import type { Scene } from './scene.ts'

/** What a case of a store is made of. */
export interface Spec<S extends Store = Store> {
  readonly rule: RuleName
  readonly name: string
  run(scene: Scene<S>): Promise<void>
}

/** Cases that belong together, and the capability they are about. */
export interface Group {
  readonly name: string
  readonly capability?: Capability
  readonly specs: readonly Spec[]
}

export function group(name: string, specs: readonly Spec[]): Group {
  return { name, specs }
}

/** A group that bears the name of its capability, whose cases are given stores that have it. */
export function capabilityGroup<C extends Capability>(
  capability: C,
  specs: readonly Spec<Store & CapabilityTypes[C]>[],
): Group {
  return { name: capability, capability, specs: specs as readonly Spec[] }
}
