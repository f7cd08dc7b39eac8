export { CacheStorage, type CacheStorageOptions } from './cache-storage.ts'
export type { KeyvStorage } from './keyv-storage.ts'
export { KeyvStore, type KeyvStoreOptions } from './keyv-store.ts'
