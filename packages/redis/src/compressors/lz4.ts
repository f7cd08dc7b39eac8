import { compress, compressSync, uncompress, uncompressSync } from 'lz4-napi'
import type { Compressor } from './compressor.ts'
import { onThreadPool } from './thread-pool.ts'

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
    return compressSync(viewOf(bytes))
  },
  decompress(bytes: Uint8Array, maxBytes: number): Buffer {
    assertLength(bytes, maxBytes)
    return uncompressSync(viewOf(bytes))
  },
  compressAsync(bytes: Uint8Array): Promise<Buffer> {
    return onThreadPool(() => compress(viewOf(bytes)))
  },
  async decompressAsync(bytes: Uint8Array, maxBytes: number): Promise<Buffer> {
    assertLength(bytes, maxBytes)
    return onThreadPool(() => uncompress(viewOf(bytes)))
  },
})

/** The library allocates what the block claims. */
function assertLength(bytes: Uint8Array, maxBytes: number): void {
  if (bytes.length < LENGTH_BYTES || viewOf(bytes).readUInt32LE(0) > maxBytes)
    throw new RangeError('too large')
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
