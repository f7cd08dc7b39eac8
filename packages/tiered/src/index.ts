export type { TieredStoreOptions, TieredTimeouts } from './options.ts'
export { TieredStore } from './tiered-store.ts'
