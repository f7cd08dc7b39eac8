import { createHash } from 'node:crypto'
import zlib from 'node:zlib'
import { CacheError, invalidOption } from '@cache/core'
import type { Compressor } from './compressor.ts'
import { METHODS, type Pipe, pipe } from './zlib-methods.ts'

/** Those of zlib that take a dictionary. */
export type DictionaryAlgorithm = (typeof DICTIONARY_ALGORITHMS)[number]

export const DICTIONARY_ALGORITHMS = ['zstd', 'deflate'] as const

/** Bytes that writer and reader have both. */
export interface Dictionary {
  /** The first 4 bytes of its SHA-256: in front of every payload that needs it. */
  readonly name: Buffer
  readonly bytes: Buffer
}

/** The payload names a dictionary that is not among those given. */
export class UnknownDictionary extends Error {}

const IDS: Readonly<Record<DictionaryAlgorithm, number>> = { zstd: 7, deflate: 8 }
const NAME_BYTES = 4
/** zstd takes no notice of shorter ones. */
const MIN_BYTES = 8
/** Every call loads the dictionary anew: this one would cost more time than any record is worth. */
const MAX_BYTES = 1 << 20
/** What a dictionary of zstd's own training begins with (RFC 8878, 5). */
const TRAINED = Buffer.from('37a430ec', 'hex')
const PROBE = Buffer.from('{"id":1,"name":"probe","tags":[]}'.repeat(4))

/** @throws CacheError `INVALID_OPTION` */
export function resolveDictionary(bytes: unknown, option: string): Dictionary {
  if (!(bytes instanceof Uint8Array) || bytes.length < MIN_BYTES || bytes.length > MAX_BYTES) {
    throw invalidOption(option, bytes, `a Uint8Array of ${MIN_BYTES} to ${MAX_BYTES} bytes`)
  }
  // A copy: what changes afterwards would no longer be what its name says.
  const own = Buffer.from(bytes)
  return { name: createHash('sha256').update(own).digest().subarray(0, NAME_BYTES), bytes: own }
}

/**
 * What makes records smallest: zstd with a dictionary that was trained for it, as that holds statistics beside the
 * content; of content alone deflate makes more, whose codes need not be sent along.
 */
export function defaultAlgorithm({ bytes }: Dictionary): DictionaryAlgorithm {
  return isTrained(bytes) && takesDictionaries('zstd') ? 'zstd' : 'deflate'
}

/**
 * Writes with the first of the dictionaries, reads with each of them, and tells them apart by the name in front of the
 * payload: given a wrong one, zstd would make another text of the same length, without a complaint.
 */
export function dictionaryCompressor(
  algorithm: DictionaryAlgorithm,
  dictionaries: readonly [Dictionary, ...Dictionary[]],
  level: number = METHODS[algorithm].level.default,
): Compressor {
  const pipes = new Map(dictionaries.map(each => [keyOf(each.name), pipe(algorithm, level, each.bytes)]))
  const { name, bytes } = dictionaries[0]
  const writing = pipe(algorithm, level, bytes)
  const reading = (packed: Uint8Array): Pipe => {
    const known = pipes.get(keyOf(packed))
    if (known) return known
    throw new UnknownDictionary()
  }
  return {
    id: IDS[algorithm],
    name: `${algorithm}-dictionary`,
    compress: raw => Buffer.concat([name, writing.compress(raw)]),
    decompress: (packed, maxBytes) => reading(packed).decompress(packed.subarray(NAME_BYTES), maxBytes),
    compressAsync: async raw => Buffer.concat([name, await writing.compressAsync(raw)]),
    decompressAsync: async (packed, maxBytes) =>
      reading(packed).decompressAsync(packed.subarray(NAME_BYTES), maxBytes),
  }
}

/** Node before 22.19 or 24.6 has zstd without dictionaries, and takes no notice of one. */
export function takesDictionaries(algorithm: DictionaryAlgorithm): boolean {
  if (algorithm !== 'zstd') return true
  if (typeof zlib.zstdCompressSync !== 'function') return false
  return zlib.zstdCompressSync(PROBE, { dictionary: PROBE }).length < zlib.zstdCompressSync(PROBE).length
}

/** @throws CacheError `INVALID_OPTION` if nothing can be written with it here */
export function assertUsable({ bytes }: Dictionary, algorithm: DictionaryAlgorithm, option: string): void {
  if (!takesDictionaries(algorithm)) {
    throw new CacheError(
      'INVALID_OPTION',
      `${option}: this Node's zstd takes none (22.19, 24.6 and newer do); choose the algorithm deflate`,
    )
  }
  try {
    pipe(algorithm, METHODS[algorithm].level.default, bytes).compress(PROBE)
  } catch {
    throw new CacheError('INVALID_OPTION', `${option}: ${algorithm} finds it damaged`)
  }
}

function isTrained(bytes: Buffer): boolean {
  return bytes.subarray(0, TRAINED.length).equals(TRAINED)
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, NAME_BYTES)).toString('hex')
}
