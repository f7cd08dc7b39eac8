/**
 * Every way a call can be refused or fail, as a stable string to switch on.
 *
 * - `INVALID_KEY`, `INVALID_TTL`, `INVALID_VALUE`, `INVALID_OPTION`: the caller's input; nothing was written.
 * - `SERIALIZATION`: a value that the serializer cannot hold; nothing was written.
 * - `CLOSED`: the cache or store was closed.
 * - `TIMEOUT`: a deadline passed; a write may still take effect.
 * - `LOAD_TIMEOUT`: a loader took longer than its caller would wait; it goes on, and its value is stored.
 * - `UNAVAILABLE`: the remote could not be reached, refused, or is not ready.
 * - `CONFIGURATION`: the remote answered that we are set up wrongly (credentials, permissions, protocol).
 * - `CORRUPT`: bytes from the remote that are not an entry of ours.
 * - `STORE`: a store failed in a way that none of the above describes; see `cause`.
 */
export type CacheErrorCode =
  | 'INVALID_KEY'
  | 'INVALID_TTL'
  | 'INVALID_VALUE'
  | 'INVALID_OPTION'
  | 'SERIALIZATION'
  | 'CLOSED'
  | 'TIMEOUT'
  | 'LOAD_TIMEOUT'
  | 'UNAVAILABLE'
  | 'CONFIGURATION'
  | 'CORRUPT'
  | 'STORE'

/** The one error class of all `@cache/*` packages. Messages never carry cached values or credentials. */
export class CacheError extends Error {
  override readonly name: 'CacheError' = 'CacheError'
  readonly code: CacheErrorCode

  constructor(code: CacheErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/**
 * The error for an option or argument outside what is accepted.
 *
 * @param option the name as the caller wrote it, for example `maxItems`
 * @param received the offending value; only its kind is told, or the value itself for numbers, booleans and short words
 * @param accepted what would have been accepted, for example `an integer >= 1`
 */
export function invalidOption(option: string, received: unknown, accepted: string): CacheError {
  return new CacheError('INVALID_OPTION', `${option} must be ${accepted}; received ${describe(received)}`)
}

const CALLERS_FAULTS: ReadonlySet<CacheErrorCode> = new Set([
  'INVALID_KEY',
  'INVALID_TTL',
  'INVALID_VALUE',
  'INVALID_OPTION',
  'SERIALIZATION',
  'CLOSED',
])

/** Whether an error is the caller's to mend: such a one is thrown, never turned into a miss or an outcome. */
export function isCallersFault(thrown: unknown): thrown is CacheError {
  return thrown instanceof CacheError && CALLERS_FAULTS.has(thrown.code)
}

/** Wraps whatever was thrown into a `CacheError`; one that already is comes back as it is. */
export function toCacheError(thrown: unknown, code: CacheErrorCode, message: string): CacheError {
  return thrown instanceof CacheError ? thrown : new CacheError(code, message, { cause: thrown })
}

const SHORT_WORD = /^[\w .,+%-]{0,40}$/

/** A received value in words that are safe to log: numbers and short plain words as they are, the rest by kind. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
      return String(value)
    case 'string':
      return SHORT_WORD.test(value) ? `"${value}"` : `a string of ${value.length} characters`
    default:
      return kindOf(value)
  }
}

/** The kind of a value and nothing of what it holds: for what may be, or come from, a cached value. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
