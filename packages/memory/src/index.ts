export { BoundedMap, type DumpedEntry } from './bounded-map.ts'
export { type BoundedMapOptions, MAX_ITEMS, type SetOptions } from './bounded-map-options.ts'
export type { CopyMode } from './copy.ts'
export { MemoryStore, type MemoryStoreOptions } from './memory-store.ts'
export {
  POLICY_NAMES,
  type Policy,
  type PolicyName,
  type PolicySlots,
  type PolicyType,
} from './policies/index.ts'
export type { RemovalCause, RemovalListener } from './removals.ts'
export { estimateBytes } from './weigh.ts'
