import { compress, compressSync, uncompress, uncompressSync } from 'snappy'
import type { Compressor } from './compressor.ts'
import { onThreadPool } from './thread-pool.ts'

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
    assertLength(bytes, maxBytes)
    return asBytes(uncompressSync(bytes, { asBuffer: true }))
  },
  compressAsync(bytes: Uint8Array): Promise<Buffer> {
    return onThreadPool(() => compress(bytes))
  },
  async decompressAsync(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    assertLength(bytes, maxBytes)
    return asBytes(await onThreadPool(() => uncompress(bytes, { asBuffer: true })))
  },
})

/** The library allocates what the block claims. */
function assertLength(bytes: Uint8Array, maxBytes: number): void {
  if (claimedLength(bytes) > maxBytes) throw new RangeError('too large')
}

function asBytes(result: string | Buffer): Buffer {
  if (typeof result === 'string') throw new TypeError('not bytes')
  return result
}

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
