import type { CodecStats, CompressionStats } from '@cache/core'

/** What serializer and compressors do, counted: plain numbers, read when asked. */
export class CodecCounts {
  readonly #serializer: string
  readonly #compressions = new Map<string, { values: number; bytesIn: number; bytesOut: number }>()
  encoded = 0
  encodeMs = 0
  decoded = 0
  decodeMs = 0
  /** Not compressed, for they are too small for it to be worth while. */
  small = 0
  /** Compressed in vain. */
  incompressible = 0

  constructor(serializer: string) {
    this.#serializer = serializer
  }

  /** @param startedAt by `performance.now()` */
  encodedSince(startedAt: number): void {
    this.encoded++
    this.encodeMs += performance.now() - startedAt
  }

  /** @param startedAt by `performance.now()` */
  decodedSince(startedAt: number): void {
    this.decoded++
    this.decodeMs += performance.now() - startedAt
  }

  compressed(compressor: string, bytesIn: number, bytesOut: number): void {
    const counts = this.#compressions.get(compressor) ?? { values: 0, bytesIn: 0, bytesOut: 0 }
    counts.values++
    counts.bytesIn += bytesIn
    counts.bytesOut += bytesOut
    this.#compressions.set(compressor, counts)
  }

  snapshot(): CodecStats {
    const { encoded, encodeMs, decoded, decodeMs, small, incompressible } = this
    return {
      serializer: { name: this.#serializer, encoded, encodeMs, decoded, decodeMs },
      compression: Array.from(
        this.#compressions,
        ([name, counts]): CompressionStats => ({ name, ...counts }),
      ),
      skipped: { small, incompressible },
    }
  }
}
