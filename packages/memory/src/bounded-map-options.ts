import { type Clock, type Duration, integer, invalidOption } from '@cache/core'
import type { PolicyName, PolicyType } from './policies/index.ts'
import type { RemovalListener } from './removals.ts'

/**
 * The most that `maxItems` may be. The index has 24 bits for a slot, and where it needs a `Map`: that ends at 2^24 entries,
 * removed ones included until it is compacted, which needs some room.
 */
export const MAX_ITEMS = 15_000_000

export interface BoundedMapOptions<K, V> {
  /** Most entries it holds: 1 to 15,000,000. Memory is taken as entries come. */
  readonly maxItems: number
  /** Most bytes its entries weigh together, at least 1. Default: no such bound. */
  readonly maxBytes?: number
  /** Who leaves when there is no more room: a name, or a class of your own. Default `'lru'`. */
  readonly policy?: PolicyName | PolicyType
  /** How long an entry lives if `set` does not say; a bare number is seconds. Default: until it is evicted. */
  readonly ttl?: Duration
  /**
   * Bytes an entry counts for, 0 or more. Called once for each `set`; what it throws reaches the caller of `set`.
   * Default, with `maxBytes`: `estimateBytes` of value and key; without `maxBytes`, nothing is weighed.
   */
  readonly weigh?: (value: V, key: K) => number
  /**
   * Told about every entry that left, after the map has finished the call that removed it. It may use the map
   * freely; what it throws becomes a process warning, once.
   */
  readonly onRemove?: RemovalListener<K, V>
  /** Time. Default: the machine's. */
  readonly clock?: Clock
}

/** How long an entry lives; without either, the map's `ttl`. */
export type SetOptions =
  /** From now on; a bare number is seconds. */
  | { readonly ttl?: Duration; readonly expiresAt?: never }
  /** Until this time in epoch milliseconds; `Infinity` for an entry that does not expire, whatever the map's `ttl`. */
  | { readonly expiresAt: number; readonly ttl?: never }

/** @throws CacheError `INVALID_OPTION` */
export function itemBound(maxItems: unknown): number {
  const bound = integer(maxItems, 'maxItems', 1)
  if (bound <= MAX_ITEMS) return bound
  throw invalidOption('maxItems', maxItems, `an integer from 1 to ${MAX_ITEMS}`)
}

/** @throws CacheError `INVALID_OPTION` */
export function byteBound(maxBytes: number | undefined): number {
  return maxBytes === undefined ? Number.POSITIVE_INFINITY : integer(maxBytes, 'maxBytes', 1)
}

/** @throws CacheError `INVALID_OPTION` */
export function callback<F extends (...args: never[]) => unknown>(
  fn: F | undefined,
  name: string,
): F | undefined {
  if (fn === undefined || typeof fn === 'function') return fn
  throw invalidOption(name, fn, 'a function')
}
