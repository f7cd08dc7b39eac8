import { CacheError, describe } from './errors.ts'

/** Longest accepted key, in UTF-16 code units. */
export const MAX_KEY_LENGTH = 65_536

/**
 * Refuses what cannot be a key. Keys are strings of 1 to {@link MAX_KEY_LENGTH} characters; lone surrogates are
 * refused because they all become the same bytes (U+FFFD) in UTF-8, so two keys would share one entry.
 *
 * @throws CacheError `INVALID_KEY`
 */
export function assertKey(key: unknown): asserts key is string {
  if (typeof key === 'string' && key.length > 0 && key.length <= MAX_KEY_LENGTH && key.isWellFormed()) return
  throw new CacheError(
    'INVALID_KEY',
    `key must be a string of 1 to ${MAX_KEY_LENGTH} characters without lone surrogates; received ${complaint(key)}`,
  )
}

function complaint(key: unknown): string {
  if (typeof key !== 'string') return describe(key)
  if (key.length === 0) return 'an empty string'
  return key.length > MAX_KEY_LENGTH
    ? `a string of ${key.length} characters`
    : 'a string with a lone surrogate'
}
