import zlib from 'node:zlib'
import type { Compressor } from './compressor.ts'

export type Algorithm = 'zstd' | 'brotli' | 'gzip' | 'deflate' | 'none'

type Transform = (bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }) => Buffer

const { BROTLI_PARAM_QUALITY, ZSTD_c_compressionLevel } = zlib.constants
/** The largest piece of output allocated ahead: a claimed length must not reserve memory by itself. */
const MAX_CHUNK_BYTES = 1 << 20

/** Every compressor of this Node, by name: Node 23 before 23.8 lacks zstd. */
export const COMPRESSORS: ReadonlyMap<string, Compressor> = new Map(
  [
    compressor(1, 'deflate', zlib.deflateSync, zlib.inflateSync),
    compressor(2, 'gzip', zlib.gzipSync, zlib.gunzipSync),
    // Quality 1, as fast as zstd: the default of 11 takes a hundred times as long for a tenth less.
    compressor(
      3,
      'brotli',
      bytes => zlib.brotliCompressSync(bytes, { params: { [BROTLI_PARAM_QUALITY]: 1 } }),
      zlib.brotliDecompressSync,
    ),
    ...(typeof zlib.zstdCompressSync === 'function'
      ? [
          compressor(
            4,
            'zstd',
            bytes => zlib.zstdCompressSync(bytes, { params: { [ZSTD_c_compressionLevel]: 1 } }),
            zlib.zstdDecompressSync,
          ),
        ]
      : []),
  ].map(each => [each.name, each]),
)

/** The best ratio for its time on JSON of 1 KB to 1 MB. */
export const DEFAULT_ALGORITHM: Algorithm = COMPRESSORS.has('zstd') ? 'zstd' : 'brotli'

function compressor(
  id: number,
  name: Algorithm,
  compress: (bytes: Uint8Array) => Buffer,
  decompress: Transform,
): Compressor {
  return {
    id,
    name,
    compress: bytes => compress(bytes),
    // One byte more than the output, and zlib need not ask for a second chunk: up to twice as fast.
    decompress: (bytes, maxBytes) =>
      decompress(bytes, {
        maxOutputLength: maxBytes,
        chunkSize: Math.min(Math.max(maxBytes + 1, 64), MAX_CHUNK_BYTES),
      }),
  }
}
