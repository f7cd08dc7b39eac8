import zlib from 'node:zlib'
import { CacheError, integer, invalidOption } from '@cache/core'
import type { Compressor } from './compressor.ts'

/** What Node's zlib brings along, and none. */
export type Algorithm = 'zstd' | 'brotli' | 'gzip' | 'deflate' | 'none'

type Name = Exclude<Algorithm, 'none'>

interface Method {
  readonly id: number
  readonly level: { readonly default: number; readonly min: number; readonly max: number }
  compress(bytes: Uint8Array, level: number, chunkSize: number): Buffer
  decompress(bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }): Buffer
}

const { BROTLI_PARAM_QUALITY, ZSTD_c_compressionLevel, ZSTD_d_windowLogMax } = zlib.constants
/** The largest piece of output allocated ahead: a claimed length must not reserve memory by itself. */
const MAX_CHUNK_BYTES = 1 << 20
/** 8 MiB, what every decoder of zstd should support (RFC 8878, 3.1.1.1.2): a frame may ask for gigabytes. */
const MIN_WINDOW_LOG_MAX = 23

const METHODS: Readonly<Record<Name, Method>> = {
  deflate: {
    id: 1,
    level: { default: 6, min: 0, max: 9 },
    compress: (bytes, level, chunkSize) => zlib.deflateSync(bytes, { level, chunkSize }),
    decompress: zlib.inflateSync,
  },
  gzip: {
    id: 2,
    level: { default: 6, min: 0, max: 9 },
    compress: (bytes, level, chunkSize) => zlib.gzipSync(bytes, { level, chunkSize }),
    decompress: zlib.gunzipSync,
  },
  brotli: {
    id: 3,
    // As fast as zstd: Node's default of 11 takes a hundred times as long for a tenth less.
    level: { default: 1, min: 0, max: 11 },
    compress: (bytes, level, chunkSize) =>
      zlib.brotliCompressSync(bytes, { chunkSize, params: { [BROTLI_PARAM_QUALITY]: level } }),
    decompress: zlib.brotliDecompressSync,
  },
  zstd: {
    id: 4,
    level: { default: 1, min: 1, max: 22 },
    compress: (bytes, level, chunkSize) =>
      zlib.zstdCompressSync(bytes, { chunkSize, params: { [ZSTD_c_compressionLevel]: level } }),
    decompress: (bytes, options) =>
      zlib.zstdDecompressSync(bytes, {
        ...options,
        params: { [ZSTD_d_windowLogMax]: windowLogMax(options.maxOutputLength) },
      }),
  },
}

/** Node 23 before 23.8 lacks zstd. */
const isHere = (name: Name): boolean => name !== 'zstd' || typeof zlib.zstdCompressSync === 'function'

const NAMES = (Object.keys(METHODS) as Name[]).filter(isHere)

/** Every compressor of this Node at its default level, by name. */
export const COMPRESSORS: ReadonlyMap<string, Compressor> = new Map(
  NAMES.map(name => [name, compressor(name, METHODS[name].level.default)]),
)

/** The best ratio for its time on JSON of 1 KB to 1 MB. */
export const DEFAULT_ALGORITHM: Algorithm = COMPRESSORS.has('zstd') ? 'zstd' : 'brotli'

/** @throws CacheError `INVALID_OPTION` for a level out of range, or an algorithm that this Node lacks */
export function zlibCompressor(name: Name, level?: number): Compressor {
  if (!isHere(name)) throw new CacheError('INVALID_OPTION', `this Node's zlib lacks ${name}`)
  const { default: preset, min, max } = METHODS[name].level
  if (level === undefined) return compressor(name, preset)
  if (Number.isSafeInteger(level) && level > max) {
    throw invalidOption('compression.level', level, `an integer of ${min} to ${max} for ${name}`)
  }
  return compressor(name, integer(level, 'compression.level', min))
}

function compressor(name: Name, level: number): Compressor {
  const { id, compress, decompress } = METHODS[name]
  return {
    id,
    name,
    compress: bytes => compress(bytes, level, chunkFor(bytes.length)),
    // One byte more than the output, and zlib need not ask for a second chunk: up to twice as fast.
    decompress: (bytes, maxBytes) =>
      decompress(bytes, {
        maxOutputLength: maxBytes,
        chunkSize: chunkFor(maxBytes + 1),
      }),
  }
}

/** Room for so many bytes at one go: zlib would take 16 KiB for the smallest, which costs more than its work. */
function chunkFor(bytes: number): number {
  return Math.min(Math.max(bytes, 64), MAX_CHUNK_BYTES)
}

/** A frame of one segment has a window as long as its content. */
function windowLogMax(maxBytes: number): number {
  return Math.max(MIN_WINDOW_LOG_MAX, Math.ceil(Math.log2(maxBytes)))
}
