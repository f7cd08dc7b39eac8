import { promisify } from 'node:util'
import zlib from 'node:zlib'

export interface Options {
  readonly chunkSize: number
  readonly maxOutputLength?: number
  readonly dictionary?: Buffer
}

/** One direction of an algorithm, both ways. */
export interface Direction {
  sync(bytes: Buffer, options: Options): Buffer
  async(bytes: Buffer, options: Options): Promise<Buffer>
}

export interface Method {
  readonly name: string
  readonly compress: Direction
  readonly decompress: Direction
}

const { BROTLI_PARAM_QUALITY, ZSTD_c_compressionLevel } = zlib.constants

/** At the levels that `@cache/redis` has by default. */
export const METHODS: readonly Method[] = [
  {
    name: 'zstd',
    compress: {
      sync: (bytes, options) => zlib.zstdCompressSync(bytes, zstd(bytes, options)),
      async: (bytes, options) => promisify(zlib.zstdCompress)(bytes, zstd(bytes, options)),
    },
    decompress: { sync: zlib.zstdDecompressSync, async: promisify(zlib.zstdDecompress) },
  },
  {
    name: 'brotli',
    compress: {
      sync: (bytes, options) => zlib.brotliCompressSync(bytes, brotli(options)),
      async: (bytes, options) => promisify(zlib.brotliCompress)(bytes, brotli(options)),
    },
    decompress: { sync: zlib.brotliDecompressSync, async: promisify(zlib.brotliDecompress) },
  },
  {
    name: 'gzip',
    compress: { sync: zlib.gzipSync, async: promisify(zlib.gzip) },
    decompress: { sync: zlib.gunzipSync, async: promisify(zlib.gunzip) },
  },
  {
    name: 'deflate',
    compress: { sync: zlib.deflateSync, async: promisify(zlib.deflate) },
    decompress: { sync: zlib.inflateSync, async: promisify(zlib.inflate) },
  },
]

function zstd(bytes: Buffer, options: Options): zlib.ZstdOptions {
  return { ...options, pledgedSrcSize: bytes.length, params: { [ZSTD_c_compressionLevel]: 1 } }
}

function brotli(options: Options): zlib.BrotliOptions {
  return { ...options, params: { [BROTLI_PARAM_QUALITY]: 1 } }
}
