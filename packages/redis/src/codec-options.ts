import { integer, invalidOption, oneOf } from '@cache/core'
import type { PayloadCodecOptions } from './codec-payload.ts'
import type { Compressor } from './compressors/compressor.ts'
import { type Algorithm, DEFAULT_ALGORITHM, zlibCompressor } from './compressors/zlib.ts'
import { json } from './serializers/json.ts'
import type { Serializer } from './serializers/serializer.ts'

/** How values become bytes. */
export interface ValueOptions {
  /** Values to bytes and back. @default json */
  readonly serializer?: Serializer
  /** Further serializers whose stored values are still understood, after a change of `serializer`; JSON always is. */
  readonly reads?: readonly Serializer[]
  /** How large values are made smaller. */
  readonly compression?: Compression
  /** What is too much. */
  readonly limits?: Limits
}

export interface Compression {
  /**
   * One of zlib's by its name, or a compressor: those of `@cache/redis/lz4` and `@cache/redis/snappy`, or your own.
   *
   * @default 'zstd' ('brotli' on Node 23 before 23.8)
   */
  readonly algorithm?: Algorithm | Compressor
  /**
   * How hard to try, for one of zlib's: zstd 1 to 22, brotli 0 to 11, gzip and deflate 0 to 9.
   *
   * @default 1 for zstd and brotli, 6 for gzip and deflate
   */
  readonly level?: number
  /** Serialized values of more bytes than this are compressed, if that saves a tenth at least. @default 1024 */
  readonly threshold?: number
  /** Further compressors whose stored values are still understood, after a change of `algorithm`; zlib's always are. */
  readonly reads?: readonly Compressor[]
}

export interface Limits {
  /**
   * The most bytes a value may have once serialized, before compression: larger ones are refused when written,
   * and a miss when read. At most 512 MiB, the longest value of Redis. @default 67_108_864 (64 MiB)
   */
  readonly maxValueBytes?: number
}

const ALGORITHMS: readonly Algorithm[] = ['zstd', 'brotli', 'gzip', 'deflate', 'none']
const MAX_VALUE_BYTES = 512 * 1_024 * 1_024

/** What is known by an id below 16: a format that exists keeps its id for ever. */
const OWN_SERIALIZERS = ['json', 'v8', 'msgpack', 'devalue']
const OWN_COMPRESSORS = ['deflate', 'gzip', 'brotli', 'zstd', 'lz4', 'snappy']

/** @throws CacheError `INVALID_OPTION` */
export function resolveValueOptions(options: ValueOptions): Required<PayloadCodecOptions> {
  const { serializer = json, reads = [], compression = {}, limits = {} } = options
  const { algorithm = DEFAULT_ALGORITHM, threshold = 1_024, reads: decompressors = [] } = compression
  assertSerializer(serializer, 'serializer')
  assertAll(reads, 'reads', assertSerializer)
  assertDistinct([json, ...reads, serializer], 'reads')
  const compressor = resolveCompressor(algorithm, compression.level)
  assertAll(decompressors, 'compression.reads', assertCompressor)
  assertDistinct([...decompressors, ...(compressor ? [compressor] : [])], 'compression.reads')
  return {
    serializer,
    reads,
    compressor,
    decompressors,
    threshold: integer(threshold, 'compression.threshold', 0),
    maxValueBytes: resolveMaxValueBytes(limits),
  }
}

function resolveMaxValueBytes({ maxValueBytes = 64 * 1_024 * 1_024 }: Limits): number {
  if (integer(maxValueBytes, 'limits.maxValueBytes', 1) <= MAX_VALUE_BYTES) return maxValueBytes
  throw invalidOption('limits.maxValueBytes', maxValueBytes, `an integer of 1 to ${MAX_VALUE_BYTES}`)
}

function resolveCompressor(algorithm: Algorithm | Compressor, level?: number): Compressor | undefined {
  if (typeof algorithm === 'object' && algorithm !== null) {
    assertCompressor(algorithm, 'compression.algorithm')
    if (level === undefined) return algorithm
    throw invalidOption('compression.level', level, 'left out with a compressor that is no name')
  }
  const name = oneOf(algorithm, 'compression.algorithm', ALGORITHMS)
  return name === 'none' ? undefined : zlibCompressor(name, level)
}

type Assert = (each: unknown, option: string) => void

function assertAll(list: unknown, option: string, assert: Assert): void {
  if (!Array.isArray(list)) throw invalidOption(option, list, 'an array')
  for (const [i, each] of list.entries()) assert(each, `${option}[${i}]`)
}

function assertSerializer(value: unknown, option: string): void {
  assertPlugin(value, option, { methods: ['encode', 'decode'], own: OWN_SERIALIZERS, kind: 'a Serializer' })
}

function assertCompressor(value: unknown, option: string): void {
  assertPlugin(value, option, {
    methods: ['compress', 'decompress'],
    own: OWN_COMPRESSORS,
    kind: 'a Compressor',
  })
}

interface Expected {
  readonly methods: readonly string[]
  /** The names of this package's, in the order of their ids. */
  readonly own: readonly string[]
  readonly kind: string
}

function assertPlugin(value: unknown, option: string, { methods, own, kind }: Expected): void {
  const plugin = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (methods.some(method => typeof plugin[method] !== 'function')) {
    throw invalidOption(option, value, `${kind} (id, name, ${methods.join(', ')})`)
  }
  const { id, name } = plugin
  if (name !== undefined && typeof id === 'number' && own[id - 1] === name) return
  if (integer(id, `${option}.id`, 16) > 255)
    throw invalidOption(`${option}.id`, id, 'an integer of 16 to 255')
}

/** Two formats of one id would read each other's bytes. */
function assertDistinct(
  all: readonly { readonly id: number; readonly name: string }[],
  option: string,
): void {
  const names = new Map<number, string>()
  for (const { id, name } of all) {
    if ((names.get(id) ?? name) !== name) {
      throw invalidOption(option, id, 'without two of different names and the same id')
    }
    names.set(id, name)
  }
}
