import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { onThreadPool } from './thread-pool.ts'

export type MethodName = 'deflate' | 'gzip' | 'brotli' | 'zstd'

/** Both directions, both ways: what a `Compressor` does, without its name. */
export interface Pipe {
  compress(bytes: Uint8Array): Buffer
  decompress(bytes: Uint8Array, maxBytes: number): Buffer
  compressAsync(bytes: Uint8Array): Promise<Buffer>
  decompressAsync(bytes: Uint8Array, maxBytes: number): Promise<Buffer>
}

interface Packing {
  readonly level: number
  readonly chunkSize: number
  readonly dictionary?: Buffer
}

interface Unpacking {
  readonly maxOutputLength: number
  readonly chunkSize: number
  readonly dictionary?: Buffer
}

interface Method {
  readonly id: number
  readonly level: { readonly default: number; readonly min: number; readonly max: number }
  compressSync(bytes: Uint8Array, options: Packing): Buffer
  compress(bytes: Uint8Array, options: Packing): Promise<Buffer>
  decompressSync(bytes: Uint8Array, options: Unpacking): Buffer
  decompress(bytes: Uint8Array, options: Unpacking): Promise<Buffer>
}

const { BROTLI_PARAM_QUALITY, ZSTD_c_compressionLevel, ZSTD_d_windowLogMax } = zlib.constants
/** The largest piece of output allocated ahead: a claimed length must not reserve memory by itself. */
const MAX_CHUNK_BYTES = 1 << 20
/** 8 MiB, what every decoder of zstd should support (RFC 8878, 3.1.1.1.2): a frame may ask for gigabytes. */
const MIN_WINDOW_LOG_MAX = 23

export const METHODS: Readonly<Record<MethodName, Method>> = {
  deflate: {
    id: 1,
    level: { default: 6, min: 0, max: 9 },
    compressSync: zlib.deflateSync,
    compress: promisify(zlib.deflate),
    decompressSync: zlib.inflateSync,
    decompress: promisify(zlib.inflate),
  },
  gzip: {
    id: 2,
    level: { default: 6, min: 0, max: 9 },
    compressSync: zlib.gzipSync,
    compress: promisify(zlib.gzip),
    decompressSync: zlib.gunzipSync,
    decompress: promisify(zlib.gunzip),
  },
  brotli: {
    id: 3,
    // As fast as zstd: Node's default of 11 takes a hundred times as long for a tenth less.
    level: { default: 1, min: 0, max: 11 },
    compressSync: (bytes, options) => zlib.brotliCompressSync(bytes, brotliPacking(options)),
    compress: (bytes, options) => promisify(zlib.brotliCompress)(bytes, brotliPacking(options)),
    decompressSync: zlib.brotliDecompressSync,
    decompress: promisify(zlib.brotliDecompress),
  },
  zstd: {
    id: 4,
    level: { default: 1, min: 1, max: 22 },
    compressSync: (bytes, options) => zlib.zstdCompressSync(bytes, zstdPacking(options, bytes.length)),
    compress: (bytes, options) => promisify(zlib.zstdCompress)(bytes, zstdPacking(options, bytes.length)),
    decompressSync: (bytes, options) => zlib.zstdDecompressSync(bytes, zstdUnpacking(options)),
    decompress: (bytes, options) => promisify(zlib.zstdDecompress)(bytes, zstdUnpacking(options)),
  },
}

/** One method at one level, and with one dictionary if one is given. */
export function pipe(name: MethodName, level: number, dictionary?: Buffer): Pipe {
  const method = METHODS[name]
  const more = dictionary === undefined ? {} : { dictionary }
  const packing = (length: number): Packing => ({ ...more, level, chunkSize: chunkFor(length) })
  // One byte more than the output, and zlib need not ask for a second chunk: up to twice as fast.
  const unpacking = (maxBytes: number): Unpacking => ({
    ...more,
    maxOutputLength: maxBytes,
    chunkSize: chunkFor(maxBytes + 1),
  })
  return {
    compress: bytes => method.compressSync(bytes, packing(bytes.length)),
    decompress: (bytes, maxBytes) => method.decompressSync(bytes, unpacking(maxBytes)),
    compressAsync: bytes => onThreadPool(() => method.compress(bytes, packing(bytes.length))),
    decompressAsync: (bytes, maxBytes) => onThreadPool(() => method.decompress(bytes, unpacking(maxBytes))),
  }
}

function brotliPacking({ level, chunkSize }: Packing): zlib.BrotliOptions {
  return { chunkSize, params: { [BROTLI_PARAM_QUALITY]: level } }
}

/**
 * Told the length, zstd asks its reader for no larger window than that. It sees for itself when called synchronously;
 * on the thread pool it would ask for 128 MiB at the highest levels, which no reader here grants.
 */
function zstdPacking({ level, ...options }: Packing, length: number): zlib.ZstdOptions {
  return { ...options, pledgedSrcSize: length, params: { [ZSTD_c_compressionLevel]: level } }
}

function zstdUnpacking(options: Unpacking): zlib.ZstdOptions {
  return { ...options, params: { [ZSTD_d_windowLogMax]: windowLogMax(options.maxOutputLength) } }
}

/** Room for so many bytes at one go: zlib would take 16 KiB for the smallest, which costs more than its work. */
function chunkFor(bytes: number): number {
  return Math.min(Math.max(bytes, 64), MAX_CHUNK_BYTES)
}

/** A frame of one segment has a window as long as its content. */
function windowLogMax(maxBytes: number): number {
  return Math.max(MIN_WINDOW_LOG_MAX, Math.ceil(Math.log2(maxBytes)))
}
