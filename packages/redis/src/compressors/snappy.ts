import { compressSync, uncompressSync } from 'snappy'
import type { Compressor } from './compressor.ts'

/**
 * Raw Snappy (not its frames) by [snappy](https://github.com/Brooooooklyn/snappy), which must be installed beside this
 * package: it begins with its length once decompressed, as a varint of little endian groups of 7 bits.
 */
export const snappy: Compressor = Object.freeze({
  id: 6,
  name: 'snappy',
  compress(bytes: Uint8Array): Buffer {
    return compressSync(bytes)
  },
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array {
    // The library allocates what the block claims.
    if (claimedLength(bytes) > maxBytes) throw new RangeError('too large')
    const result = uncompressSync(bytes, { asBuffer: true })
    if (typeof result === 'string') throw new TypeError('not bytes')
    return result
  },
})

/** 5 bytes at most: lengths have 32 bits. */
function claimedLength(bytes: Uint8Array): number {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i]
    if (byte === undefined) break
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return length
  }
  throw new RangeError('no length')
}
