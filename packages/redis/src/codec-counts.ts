import type { CodecStats, CompressionStats } from '@cache/core'

/** Of so many calls one is timed: to look at the clock twice takes as long as to decode a small value. */
const TIMED = 8

/** How often something is done, and how long all of that takes, by a sample. */
export class SampledTime {
  /** Those that ended well. */
  count = 0
  #begun = 0
  #timed = 0
  #timedMs = 0

  /** Before a call. @returns what to give to {@link end} */
  begin(): number | undefined {
    return this.#begun++ % TIMED === 0 ? performance.now() : undefined
  }

  /** After a call that did not throw. */
  end(begun: number | undefined): void {
    this.count++
    if (begun === undefined) return
    this.#timed++
    this.#timedMs += performance.now() - begun
  }

  /** Of all calls together, estimated. */
  get ms(): number {
    return this.#timed === 0 ? 0 : (this.#timedMs * this.count) / this.#timed
  }
}

/** What serializer and compressors do, counted: plain numbers, read when asked. */
export class CodecCounts {
  readonly #serializer: string
  readonly #compressions = new Map<string, { values: number; bytesIn: number; bytesOut: number }>()
  readonly encoding: SampledTime = new SampledTime()
  readonly decoding: SampledTime = new SampledTime()
  /** Not compressed, for they are too small for it to be worth while. */
  small = 0
  /** Compressed in vain. */
  incompressible = 0

  constructor(serializer: string) {
    this.#serializer = serializer
  }

  compressed(compressor: string, bytesIn: number, bytesOut: number): void {
    const counts = this.#compressions.get(compressor) ?? { values: 0, bytesIn: 0, bytesOut: 0 }
    counts.values++
    counts.bytesIn += bytesIn
    counts.bytesOut += bytesOut
    this.#compressions.set(compressor, counts)
  }

  snapshot(): CodecStats {
    const { encoding, decoding, small, incompressible } = this
    return {
      serializer: {
        name: this.#serializer,
        encoded: encoding.count,
        encodeMs: encoding.ms,
        decoded: decoding.count,
        decodeMs: decoding.ms,
      },
      compression: Array.from(
        this.#compressions,
        ([name, counts]): CompressionStats => ({ name, ...counts }),
      ),
      skipped: { small, incompressible },
    }
  }
}
