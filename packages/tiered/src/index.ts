export type { BreakerOptions, TieredStoreOptions, TieredTimeouts } from './options.ts'
export { TieredStore } from './tiered-store.ts'
