/** Misuse that must not compile; `tsc` is the test. */
import type { Batching, Enumerable, Measurable, Store, Touching, WriteOutcome } from '@cache/core'
import { BoundedMap, MemoryStore } from './index.ts'

const map = new BoundedMap<string, number>({ maxItems: 1 })

const value: number | undefined = map.get('a')
// @ts-expect-error a value may be missing
const sure: number = map.get('a')
// @ts-expect-error keys are strings here
map.get(1)
// @ts-expect-error values are numbers here
map.set('a', 'b')
// @ts-expect-error either a length of life or an end, not both
map.set('a', 1, { ttl: 5, expiresAt: 5 })
// @ts-expect-error a duration has a unit
map.set('a', 1, { ttl: '5 minutes' })
// @ts-expect-error there is no such policy
new BoundedMap({ maxItems: 1, policy: 'mru' })
// @ts-expect-error a bound is required
new BoundedMap({})
// @ts-expect-error options cannot be changed through the map
map.maxItems = 5

// A store that answers at once says so: no promise to handle.
const outcome: WriteOutcome = new MemoryStore().set('a', {
  value: 1,
  createdAt: 0,
  freshUntil: 1,
  expiresAt: 1,
})
const store: Store & Batching & Touching & Enumerable & Measurable = new MemoryStore()
// @ts-expect-error there is no such mode
new MemoryStore({ copy: 'deep' })

export const used: readonly unknown[] = [value, sure, outcome, store]
