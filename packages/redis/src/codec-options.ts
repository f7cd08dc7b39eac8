import { integer, invalidOption, oneOf } from '@cache/core'
import type { PayloadCodecOptions } from './codec-payload.ts'
import type { Compressor } from './compressors/compressor.ts'
import {
  assertUsable,
  DICTIONARY_ALGORITHMS,
  type Dictionary,
  type DictionaryAlgorithm,
  defaultAlgorithm,
  dictionaryCompressor,
  resolveDictionary,
  takesDictionaries,
} from './compressors/dictionary.ts'
import {
  type Algorithm,
  COMPRESSORS,
  DEFAULT_ALGORITHM,
  resolveLevel,
  zlibCompressor,
} from './compressors/zlib.ts'
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
   * @default 'brotli' up to 4 KiB, 'zstd' above (not on Node 23 before 23.8); with a `dictionary` 'deflate', or 'zstd' if it
   *   was trained for it
   */
  readonly algorithm?: Algorithm | Compressor
  /**
   * How hard to try, for one of zlib's: zstd 1 to 22, brotli 0 to 11, gzip and deflate 0 to 9.
   *
   * @default 1 for zstd and brotli, 6 for gzip and deflate
   */
  readonly level?: number
  /**
   * Serialized values of more bytes than this are compressed, if that saves a tenth at least.
   *
   * @default 1024, or 64 with a `dictionary`
   */
  readonly threshold?: number
  /**
   * What small values have in common, so that it need not be in each of them: 8 bytes to 1 MiB of `buildDictionary`, or of
   * `zstd --train`. For zstd (Node 22.19, 24.6 or newer) and deflate (which looks at its last 32 KiB). Every reader needs
   * the same bytes: an entry made with a dictionary that is not known is a miss.
   *
   * @default none
   */
  readonly dictionary?: Uint8Array
  /**
   * Further compressors whose stored values are still understood, after a change of `algorithm`; zlib's always are. And
   * further dictionaries, after a change of `dictionary`. @default []
   */
  readonly reads?: readonly (Compressor | Uint8Array)[]
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

/** Of 64 bytes a dictionary leaves half, of 32 nine tenths (`bench:compression`): less than its key takes beside it. */
const DICTIONARY_THRESHOLD = 64
const THRESHOLD = 1_024

/** @throws CacheError `INVALID_OPTION` */
export function resolveValueOptions(
  options: ValueOptions,
): Required<Omit<PayloadCodecOptions, 'timesDecoding'>> {
  const { serializer = json, reads = [], compression = {}, limits = {} } = options
  const { dictionary, threshold = dictionary === undefined ? THRESHOLD : DICTIONARY_THRESHOLD } = compression
  assertSerializer(serializer, 'serializer')
  assertAll(reads, 'reads', assertSerializer)
  assertDistinct([json, ...reads, serializer], 'reads')
  return {
    serializer,
    reads,
    ...resolveCompressors(compression),
    threshold: integer(threshold, 'compression.threshold', 0),
    maxValueBytes: resolveMaxValueBytes(limits),
  }
}

function resolveMaxValueBytes({ maxValueBytes = 64 * 1_024 * 1_024 }: Limits): number {
  if (integer(maxValueBytes, 'limits.maxValueBytes', 1) <= MAX_VALUE_BYTES) return maxValueBytes
  throw invalidOption('limits.maxValueBytes', maxValueBytes, `an integer of 1 to ${MAX_VALUE_BYTES}`)
}

type Compressors = Pick<Required<PayloadCodecOptions>, 'compressor' | 'smallCompressor' | 'decompressors'>

function resolveCompressors({ algorithm, level, dictionary, reads = [] }: Compression): Compressors {
  assertAll(reads, 'compression.reads', assertReads)
  const older = reads.flatMap((each, i) =>
    each instanceof Uint8Array ? [resolveDictionary(each, `compression.reads[${i}]`)] : [],
  )
  const current =
    dictionary === undefined ? undefined : resolveDictionary(dictionary, 'compression.dictionary')
  const compressor = current ? writing(current, older, algorithm, level) : resolveCompressor(algorithm, level)
  const others = reads.flatMap(each => (each instanceof Uint8Array ? [] : [each]))
  const decompressors = [...others, ...reading(current ? [current, ...older] : older)]
  assertDistinct([...decompressors, ...(compressor ? [compressor] : [])], 'compression.reads')
  // Who names none gets the best for each size.
  const bySize = algorithm === undefined && level === undefined && !current
  return { compressor, smallCompressor: bySize ? COMPRESSORS.get('brotli') : undefined, decompressors }
}

function resolveCompressor(
  algorithm: Algorithm | Compressor = DEFAULT_ALGORITHM,
  level?: number,
): Compressor | undefined {
  if (typeof algorithm === 'object' && algorithm !== null) {
    assertCompressor(algorithm, 'compression.algorithm')
    if (level === undefined) return algorithm
    throw invalidOption('compression.level', level, 'left out with a compressor that is no name')
  }
  const name = oneOf(algorithm, 'compression.algorithm', ALGORITHMS)
  return name === 'none' ? undefined : zlibCompressor(name, level)
}

function writing(
  dictionary: Dictionary,
  older: readonly Dictionary[],
  algorithm: unknown = defaultAlgorithm(dictionary),
  level?: number,
): Compressor {
  if (!DICTIONARY_ALGORITHMS.some(name => name === algorithm)) {
    throw invalidOption(
      'compression.algorithm',
      algorithm,
      `one of ${DICTIONARY_ALGORITHMS.join(', ')} with a dictionary`,
    )
  }
  const name = algorithm as DictionaryAlgorithm
  assertUsable(dictionary, name, 'compression.dictionary')
  return dictionaryCompressor(name, [dictionary, ...older], resolveLevel(name, level))
}

/** By either algorithm, so that it may be changed as well, as far as this Node has them. */
function reading([first, ...more]: readonly Dictionary[]): readonly Compressor[] {
  if (!first) return []
  assertNamesDiffer([first, ...more])
  return DICTIONARY_ALGORITHMS.filter(takesDictionaries).map(name =>
    dictionaryCompressor(name, [first, ...more]),
  )
}

function assertNamesDiffer(dictionaries: readonly Dictionary[]): void {
  for (const { name, bytes } of dictionaries) {
    if (dictionaries.every(other => !other.name.equals(name) || other.bytes.equals(bytes))) continue
    throw invalidOption('compression.reads', bytes, 'without two dictionaries whose SHA-256 begin alike')
  }
}

type Assert = (each: unknown, option: string) => void

function assertAll(list: unknown, option: string, assert: Assert): void {
  if (!Array.isArray(list)) throw invalidOption(option, list, 'an array')
  for (const [i, each] of list.entries()) assert(each, `${option}[${i}]`)
}

function assertSerializer(value: unknown, option: string): void {
  assertPlugin(value, option, { methods: ['encode', 'decode'], own: OWN_SERIALIZERS, kind: 'a Serializer' })
}

function assertReads(value: unknown, option: string): void {
  if (!(value instanceof Uint8Array)) assertCompressor(value, option)
}

function assertCompressor(value: unknown, option: string): void {
  assertPlugin(value, option, {
    methods: ['compress', 'decompress'],
    optional: ['compressAsync', 'decompressAsync'],
    own: OWN_COMPRESSORS,
    kind: 'a Compressor',
  })
}

interface Expected {
  readonly methods: readonly string[]
  readonly optional?: readonly string[]
  /** The names of this package's, in the order of their ids. */
  readonly own: readonly string[]
  readonly kind: string
}

function assertPlugin(value: unknown, option: string, { methods, optional = [], own, kind }: Expected): void {
  const plugin = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (methods.some(method => typeof plugin[method] !== 'function')) {
    throw invalidOption(option, value, `${kind} (id, name, ${methods.join(', ')})`)
  }
  for (const method of optional) {
    if (plugin[method] === undefined || typeof plugin[method] === 'function') continue
    throw invalidOption(`${option}.${method}`, plugin[method], 'a function, or left out')
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
