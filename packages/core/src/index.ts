export { type Awaitable, chain, isPending } from './awaitable.ts'
export { type BatchLoaderOptions, batchLoader } from './batch-loader.ts'
export { batched, mergeOutcomes } from './batched.ts'
export { Cache } from './cache.ts'
export type {
  CacheOptions,
  CallOptions,
  GetOptions,
  Items,
  LifeOptions,
  LoadOptions,
  NamespaceOptions,
  ReadThroughOptions,
  SchemaOption,
  SetOptions,
  WriteOptions,
} from './cache-options.ts'
export type { TraceMessage } from './channels.ts'
export { type Clock, systemClock, type TimerHandle } from './clock.ts'
export { CoarseClock } from './coarse-clock.ts'
export type { Codec } from './codec.ts'
export { type Duration, toMilliseconds } from './duration.ts'
export { type Entry, isExpired, isFreshAt, type Metadata } from './entry.ts'
export {
  CacheError,
  type CacheErrorCode,
  describe,
  invalidOption,
  isCallersFault,
  toCacheError,
} from './errors.ts'
export type { CacheEvents } from './events.ts'
export { inspectable, sizesOf } from './inspect.ts'
export type { Gap, Invalidation, InvalidationBus, InvalidationMessage } from './invalidation-bus.ts'
export { assertKey, MAX_KEY_LENGTH } from './key.ts'
export {
  type FillOutcome,
  isLeasing,
  isVacant,
  type Lease,
  type LeaseRead,
  type Leasing,
  SUPERSEDED,
  type Vacancy,
} from './leasing.ts'
export type { Kept, LoadContext, Loader } from './load-context.ts'
export { ManualClock } from './manual-clock.ts'
export type { Loaded, ManyLoader } from './many-loader.ts'
export { isNegative } from './negative.ts'
export {
  type CacheSource,
  guarded,
  type Observer,
  ObserverSet,
  type StoreOperation,
  type TelemetryEvent,
} from './observer.ts'
export { integer, oneOf } from './options.ts'
export { Outage } from './outage.ts'
export { APPLIED, batchOutcome, failed, type WriteOutcome, type WriteStatus } from './outcome.ts'
export type { Schema, SchemaIssue, SchemaResult } from './schema.ts'
export { isMarking, type Marking, type Setback } from './setback.ts'
export type {
  CacheCounts,
  CacheReport,
  CacheStats,
  CacheTallies,
  LeaseStats,
  StatsPeriod,
  TierPeriod,
  WarmUpStats,
} from './stats.ts'
export {
  type Batching,
  type BatchRead,
  type Checking,
  type CodecStats,
  type Coherent,
  type CompressionStats,
  type Enumerable,
  type Guaranteeing,
  type Health,
  hasHealth,
  isBatching,
  isChecking,
  isCoherent,
  isEnumerable,
  isGuaranteeing,
  isMeasurable,
  isNear,
  isObserved,
  isRemoving,
  isReplacing,
  isTagging,
  isTouching,
  type Measurable,
  type Near,
  type Observed,
  type PoolHealth,
  type Removal,
  type Removing,
  type Replacing,
  type Store,
  type StoreCall,
  type StoreHealth,
  type Tagging,
  type TierState,
  type TierStats,
  type Touching,
} from './store.ts'
export { TagLog } from './tag-log.ts'
export type {
  WarmUpFailure,
  WarmUpItem,
  WarmUpKeys,
  WarmUpLoader,
  WarmUpLoadOptions,
  WarmUpOptions,
  WarmUpProgress,
  WarmUpSource,
  WarmUpWriteOptions,
} from './warm-options.ts'
export { WarmUpQueue, type WarmUpQueueOptions } from './warm-up.ts'
export type { Primitive, WrapKey, WrapOptions, Wrapped } from './wrap.ts'
