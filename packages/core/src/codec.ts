import type { CodecStats } from './store.ts'

/**
 * Turns values into bytes and back: a serializer and, if it is worth it, a compressor. A store that keeps bytes in
 * place of objects takes less room and is safe from whoever changes an object later.
 */
export interface Codec {
  /** @throws CacheError `SERIALIZATION` for what it cannot hold, never quoting the value */
  encode(value: unknown): Uint8Array
  /** Gives a new value at every call. @throws CacheError `CORRUPT` for bytes that are not its own */
  decode(bytes: Uint8Array): unknown
  /** What it did so far, for metrics. */
  stats?(): CodecStats
}
