import { CacheError, type Entry } from '@cache/core'

/**
 * How an entry lies in a Keyv storage: as text of JSON, for that is what every adapter keeps. `e` is missing for an entry
 * that never expires.
 */
interface Stored {
  readonly v: unknown
  readonly c: number
  readonly f?: number
  readonly e?: number
  readonly t?: readonly string[]
  readonly m?: Readonly<Record<string, unknown>>
}

/** @throws CacheError `SERIALIZATION` for what JSON cannot hold; without a word of the value */
export function encode({ value, createdAt, freshUntil, expiresAt, tags, metadata }: Entry): string {
  const stored: Stored = {
    v: value,
    c: createdAt,
    ...(Number.isFinite(freshUntil) && { f: freshUntil }),
    ...(Number.isFinite(expiresAt) && { e: expiresAt }),
    ...(tags && { t: tags }),
    ...(metadata && { m: metadata }),
  }
  let text: string
  try {
    if (JSON.stringify(value) === undefined) throw new TypeError()
    text = JSON.stringify(stored)
  } catch {
    // Without the cause: its message names properties.
    throw new CacheError(
      'SERIALIZATION',
      'the value cannot be kept as JSON (a function, a BigInt, a cycle, …)',
    )
  }
  if (text.includes('"__proto__"'))
    throw new CacheError('SERIALIZATION', 'a value with a property named __proto__ is not kept')
  return text
}

/** @throws CacheError `CORRUPT` for anything else than what {@link encode} made */
export function decode(raw: unknown): Entry {
  const { v: value, c: createdAt, f, e, t: tags, m: metadata } = parse(raw)
  if (value === undefined || ![createdAt, f ?? 0, e ?? 0].every(Number.isFinite)) throw corrupt()
  if (tags !== undefined && !(Array.isArray(tags) && tags.every(tag => typeof tag === 'string')))
    throw corrupt()
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null)) throw corrupt()
  return {
    value,
    createdAt,
    freshUntil: f ?? Number.POSITIVE_INFINITY,
    expiresAt: e ?? Number.POSITIVE_INFINITY,
    ...(tags && { tags }),
    ...(metadata && { metadata }),
  }
}

function parse(raw: unknown): Stored {
  if (typeof raw !== 'string' || raw.includes('"__proto__"')) throw corrupt()
  try {
    const stored: unknown = JSON.parse(raw)
    if (typeof stored === 'object' && stored !== null) return stored as Stored
  } catch {
    // Its message may quote the text.
  }
  throw corrupt()
}

function corrupt(): CacheError {
  return new CacheError('CORRUPT', 'what is stored is no entry of this store')
}
