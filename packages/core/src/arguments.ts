import type { CallOptions, Items } from './cache-options.ts'
import { MAX_TIMER_MS, toMilliseconds } from './duration.ts'
import type { Metadata } from './entry.ts'
import { CacheError, describe, invalidOption, kindOf } from './errors.ts'
import { MAX_KEY_LENGTH } from './key.ts'
import { NEGATIVE_KEY } from './negative.ts'
import type { Store, StoreCall } from './store.ts'

const STORE_METHODS = ['get', 'set', 'delete', 'clear', 'close'] as const

/** @throws CacheError `INVALID_OPTION` naming the methods that are missing */
export function assertStore(store: unknown): asserts store is Store {
  const missing =
    typeof store === 'object' && store !== null
      ? STORE_METHODS.filter(method => typeof (store as Record<string, unknown>)[method] !== 'function')
      : STORE_METHODS
  if (missing.length === 0) return
  throw new CacheError(
    'INVALID_OPTION',
    `store must have the methods ${STORE_METHODS.join(', ')}; ` +
      `received ${describe(store)} without ${missing.join(', ')}`,
  )
}

/** What the keys of a namespace begin with. @throws CacheError `INVALID_OPTION` */
export function prefixOf(namespace: unknown): string {
  if (
    typeof namespace === 'string' &&
    namespace !== '' &&
    !namespace.includes(':') &&
    namespace.isWellFormed()
  ) {
    return `${namespace}:`
  }
  throw invalidOption('namespace', namespace, 'a string of 1 or more characters without ":"')
}

/** What the keys of a version begin with. @throws CacheError `INVALID_OPTION` */
export function versionPrefixOf(version: unknown): string {
  if (version === undefined) return ''
  const isWord =
    typeof version === 'string' && version !== '' && !version.includes(':') && version.isWellFormed()
  if (isWord || (Number.isSafeInteger(version) && (version as number) >= 0)) return `v${version}:`
  throw invalidOption('version', version, 'an integer >= 0, or a string of 1 or more characters without ":"')
}

/** @throws CacheError `INVALID_OPTION` */
export function assertKeys(keys: unknown): asserts keys is Iterable<unknown> {
  if (typeof keys === 'object' && keys !== null && Symbol.iterator in keys) return
  throw invalidOption('keys', keys, 'an array or other iterable of keys')
}

/** @throws CacheError `INVALID_VALUE` */
export function assertValue(value: unknown): void {
  if (value !== undefined) return
  throw new CacheError(
    'INVALID_VALUE',
    'undefined cannot be stored: it means "not found"; store null, or delete the key',
  )
}

/** @throws CacheError `INVALID_VALUE` */
export function assertMetadata(metadata: unknown): asserts metadata is Metadata | undefined {
  if (metadata === undefined) return
  if (typeof metadata === 'object' && metadata !== null) {
    const prototype = Object.getPrototypeOf(metadata)
    if (prototype === null || prototype === Object.prototype) return assertUnreserved(metadata)
  }
  throw new CacheError('INVALID_VALUE', `metadata must be a plain object; received ${kindOf(metadata)}`)
}

function assertUnreserved(metadata: object): void {
  if (!Object.hasOwn(metadata, NEGATIVE_KEY)) return
  throw new CacheError(
    'INVALID_VALUE',
    `metadata must not have the key "${NEGATIVE_KEY}": it is the cache's own`,
  )
}

/** Tags of one entry, or invalidated at once. */
const MAX_TAGS = 100

/** Tags, each once. @throws CacheError `INVALID_OPTION` */
export function toTags(tags: unknown): readonly string[] {
  if (Array.isArray(tags) && tags.length <= MAX_TAGS && tags.every(isTag)) return [...new Set(tags)]
  throw new CacheError(
    'INVALID_OPTION',
    `tags must be an array of at most ${MAX_TAGS} strings of 1 to ${MAX_KEY_LENGTH} characters without lone surrogates; ` +
      `received ${kindOf(tags)}`,
  )
}

function isTag(tag: unknown): boolean {
  return typeof tag === 'string' && tag !== '' && tag.length <= MAX_KEY_LENGTH && tag.isWellFormed()
}

/** What a store is told of a call; nothing, for most. @throws CacheError `INVALID_OPTION` */
export function toCall(options: CallOptions | undefined): StoreCall | undefined {
  const deadline = options?.deadline
  if (deadline === undefined) return undefined
  return { deadlineMs: Math.min(toMilliseconds(deadline, 'deadline'), MAX_TIMER_MS) }
}

/** The pairs of what `setMany` was given. @throws CacheError `INVALID_OPTION` */
export function* pairs<V>(items: Items<V>): Generator<readonly [key: string, value: V]> {
  if (typeof items !== 'object' || items === null) throw invalidItems(items)
  if (!(Symbol.iterator in items)) return yield* Object.entries(items)
  for (const pair of items as Iterable<readonly [string, V]>) {
    if (!Array.isArray(pair)) throw invalidItems(pair)
    yield pair as unknown as readonly [string, V]
  }
}

function invalidItems(received: unknown): CacheError {
  return new CacheError(
    'INVALID_OPTION',
    `items must be an object, a Map or an iterable of [key, value] pairs; received ${kindOf(received)}`,
  )
}
