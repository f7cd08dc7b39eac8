import zlib from 'node:zlib'
import { CacheError, integer, invalidOption } from '@cache/core'
import type { Compressor } from './compressor.ts'
import { METHODS, type MethodName, pipe } from './zlib-methods.ts'

/** What Node's zlib brings along, and none. */
export type Algorithm = 'zstd' | 'brotli' | 'gzip' | 'deflate' | 'none'

/** Node 23 before 23.8 lacks zstd. */
const isHere = (name: MethodName): boolean => name !== 'zstd' || typeof zlib.zstdCompressSync === 'function'

const NAMES = (Object.keys(METHODS) as MethodName[]).filter(isHere)

/** Every compressor of this Node at its default level, by name. */
export const COMPRESSORS: ReadonlyMap<string, Compressor> = new Map(
  NAMES.map(name => [name, compressor(name, METHODS[name].level.default)]),
)

/** The best ratio for its time on JSON from some KB to 1 MB. */
export const DEFAULT_ALGORITHM: Algorithm = COMPRESSORS.has('zstd') ? 'zstd' : 'brotli'

/** @throws CacheError `INVALID_OPTION` for a level out of range, or an algorithm that this Node lacks */
export function zlibCompressor(name: MethodName, level?: number): Compressor {
  if (!isHere(name)) throw new CacheError('INVALID_OPTION', `this Node's zlib lacks ${name}`)
  return compressor(name, resolveLevel(name, level))
}

/** @throws CacheError `INVALID_OPTION` */
export function resolveLevel(name: MethodName, level: number | undefined): number {
  const { default: preset, min, max } = METHODS[name].level
  if (level === undefined) return preset
  if (Number.isSafeInteger(level) && level > max) {
    throw invalidOption('compression.level', level, `an integer of ${min} to ${max} for ${name}`)
  }
  return integer(level, 'compression.level', min)
}

function compressor(name: MethodName, level: number): Compressor {
  return { id: METHODS[name].id, name, ...pipe(name, level) }
}
