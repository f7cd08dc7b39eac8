import type { LoadOptions, SetOptions } from './cache-options.ts'
import { CacheError, invalidOption, kindOf } from './errors.ts'
import type { Loader } from './load-context.ts'
import type { ManyLoader } from './many-loader.ts'
import { integer } from './options.ts'

/** A value to have in the cache before anyone asks. */
export interface WarmUpItem<V = unknown> extends SetOptions {
  readonly key: string
  readonly value: V
  /**
   * When it ceases to be fresh, epoch ms, in place of `ttl` and `jitter`: for what was stored before, as in a snapshot. One whose
   * time is up is skipped.
   */
  readonly freshUntil?: number
}

/** Items or pairs to warm a cache with. */
export type WarmUpSource<V> = AnyIterable<WarmUpItem<V> | readonly [key: string, value: V]>

/** Keys to be loaded before anyone asks. */
export type WarmUpKeys = AnyIterable<string>

type AnyIterable<T> = Iterable<T> | AsyncIterable<T>

/** How a warm-up goes about it. */
export interface WarmUpOptions {
  /** Batches under way at once or, with `load`, loaders. An integer >= 1. @default 4 */
  readonly concurrency?: number
  /** Items of a batch. An integer >= 1. @default the batch size of the cache */
  readonly batchSize?: number
  /** Called after every batch; what it throws is dropped. */
  readonly onProgress?: (progress: WarmUpProgress) => void
  /** Ends it: nothing more is taken from the source, and it rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** How many items there are, for `progress.total`. @default that of an array, a `Map` or a `Set`; otherwise unknown */
  readonly total?: number
  /** Failures that are remembered; all are counted. An integer >= 0. @default 100 */
  readonly maxFailures?: number
}

/** Of a source that has the values. */
export interface WarmUpWriteOptions extends WarmUpOptions {
  /** Whether values that are fresh in the cache are replaced, too. @default false */
  readonly overwrite?: boolean
}

/** Of a source of keys: how they are loaded, with all that `getOrSet` takes. */
export type WarmUpLoadOptions<V> = WarmUpOptions & Omit<LoadOptions, 'signal'> & WarmUpLoader<V>

/** Either one at a time, or a batch at once. */
export type WarmUpLoader<V> =
  | { readonly load: Loader<V | undefined, V>; readonly loadMissing?: never }
  | { readonly loadMissing: ManyLoader<V>; readonly load?: never }

/** How a warm-up went so far: whatever was taken from the source is done, skipped, failed, or under way. */
export interface WarmUpProgress {
  /** Items whose value is in the cache now, by this. */
  readonly done: number
  /** Items that were fresh already, were written or invalidated meanwhile, came again later, or whose loader found nothing. */
  readonly skipped: number
  /** Items that were not valid, or could be neither loaded nor stored. */
  readonly failed: number
  /** The first of those that failed. */
  readonly failures: readonly WarmUpFailure[]
  /** So many items from the beginning of the source are dealt with: another warm-up may begin behind them. */
  readonly position: number
  /** Items in all, if that is known. */
  readonly total?: number
  /** Items dealt with per second. */
  readonly rate: number
}

export interface WarmUpFailure {
  /** As the source gave it; `undefined` if that was no key. */
  readonly key: string | undefined
  readonly error: unknown
}

/** {@link WarmUpOptions} with nothing left open. */
export interface WarmUpTerms {
  readonly concurrency: number
  readonly batchSize: number
  readonly maxFailures: number
  readonly onProgress: WarmUpOptions['onProgress'] | undefined
  readonly signal: AbortSignal | undefined
  readonly total: number | undefined
}

const DEFAULT_CONCURRENCY = 4
const DEFAULT_MAX_FAILURES = 100

/** @throws CacheError `INVALID_OPTION` */
export function toTerms(source: unknown, options: WarmUpOptions, batchSize: number): WarmUpTerms {
  const { onProgress, signal, total = sizeOf(source) } = options
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidOption('onProgress', onProgress, 'a function')
  }
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidOption('signal', signal, 'an AbortSignal')
  return {
    onProgress,
    signal,
    total: total === undefined ? undefined : integer(total, 'total', 0),
    concurrency: integer(options.concurrency ?? DEFAULT_CONCURRENCY, 'concurrency', 1),
    batchSize: integer(options.batchSize ?? batchSize, 'batchSize', 1),
    maxFailures: integer(options.maxFailures ?? DEFAULT_MAX_FAILURES, 'maxFailures', 0),
  }
}

/** @throws CacheError `INVALID_OPTION` */
export function assertSource(source: unknown): asserts source is AnyIterable<unknown> {
  if (typeof source === 'object' && source !== null) {
    if (Symbol.iterator in source || Symbol.asyncIterator in source) return
  }
  throw new CacheError(
    'INVALID_OPTION',
    `source must be an iterable or async iterable of items, [key, value] pairs or keys; received ${kindOf(source)}`,
  )
}

/** How keys are to be loaded; `undefined` if the source has the values. @throws CacheError `INVALID_OPTION` */
export function loaderOf<V>(options: WarmUpOptions & Partial<WarmUpLoader<V>>): WarmUpLoader<V> | undefined {
  const { load, loadMissing } = options
  if (load === undefined && loadMissing === undefined) return undefined
  if (load !== undefined && loadMissing !== undefined) {
    throw new CacheError(
      'INVALID_OPTION',
      'warm takes either load, for one key, or loadMissing, for many: not both',
    )
  }
  for (const [name, loader] of Object.entries({ load, loadMissing })) {
    if (loader !== undefined && typeof loader !== 'function') throw invalidOption(name, loader, 'a function')
  }
  return options as WarmUpLoader<V>
}

/** An item of a warm-up as an object. */
export function toItem<V>(item: WarmUpItem<V> | readonly [key: string, value: V]): WarmUpItem<V> {
  return Array.isArray(item) ? { key: item[0], value: item[1] } : (item as WarmUpItem<V>)
}

function sizeOf(source: unknown): number | undefined {
  if (Array.isArray(source)) return source.length
  return source instanceof Map || source instanceof Set ? source.size : undefined
}
