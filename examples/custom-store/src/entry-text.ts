import { CacheError, type Entry } from '@cache/core'

/** An entry as text. @throws CacheError `SERIALIZATION`, without a word of the value */
export function toText(entry: Entry): string {
  try {
    if (JSON.stringify(entry.value) !== undefined) return JSON.stringify(entry)
  } catch {
    // A BigInt or a cycle; the message of the error would quote names.
  }
  throw new CacheError('SERIALIZATION', 'the value cannot be kept as JSON')
}

/** An entry of what is stored. @throws CacheError `CORRUPT` for what is none */
export function fromText(text: string): Entry {
  try {
    const entry = JSON.parse(text) as Entry
    if ([entry.createdAt, entry.freshUntil, entry.expiresAt].every(Number.isFinite)) return entry
  } catch {
    // It may be anything: another program can write there too.
  }
  throw new CacheError('CORRUPT', 'what is stored is no entry')
}
