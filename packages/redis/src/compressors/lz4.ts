import { compressSync, uncompressSync } from 'lz4-napi'
import type { Compressor } from './compressor.ts'

/** How long the result will be, little endian, in front of the block. */
const LENGTH_BYTES = 4

/**
 * LZ4 blocks by [lz4-napi](https://github.com/antoniomuso/lz4-napi), which must be installed beside this package: a
 * block behind its length once decompressed, 4 bytes, little endian.
 */
export const lz4: Compressor = Object.freeze({
  id: 5,
  name: 'lz4',
  compress(bytes: Uint8Array): Buffer {
    return compressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  },
  decompress(bytes: Uint8Array, maxBytes: number): Buffer {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    // The library allocates what the block claims.
    if (view.length < LENGTH_BYTES || view.readUInt32LE(0) > maxBytes) throw new RangeError('too large')
    return uncompressSync(view)
  },
})
