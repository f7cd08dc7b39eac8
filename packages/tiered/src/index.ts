export type { Limit } from './limits.ts'
export type { BreakerOptions, JournalOptions, TieredStoreOptions, TieredTimeouts } from './options.ts'
export { TieredStore } from './tiered-store.ts'
