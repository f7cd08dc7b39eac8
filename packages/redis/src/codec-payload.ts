import { CacheError } from '@cache/core'
import { CodecCounts } from './codec-counts.ts'
import type { Compressor } from './compressors/compressor.ts'
import { UnknownDictionary } from './compressors/dictionary.ts'
import { COMPRESSORS } from './compressors/zlib.ts'
import { corrupt } from './envelope.ts'
import { json } from './serializers/json.ts'
import type { Serializer } from './serializers/serializer.ts'

export interface PayloadCodecOptions {
  /** Writes, and reads. */
  readonly serializer: Serializer
  /** Read as well, as JSON always is. */
  readonly reads?: readonly Serializer[]
  /** `undefined`: payloads are stored as they are. */
  readonly compressor: Compressor | undefined
  /** In its place for payloads of at most {@link SMALL_BYTES}; `undefined`: there is none that is better there. */
  readonly smallCompressor?: Compressor | undefined
  /** Read as well, as those of zlib always are. */
  readonly decompressors?: readonly Compressor[]
  /** Payloads of more bytes than this are compressed. */
  readonly threshold: number
  readonly maxValueBytes: number
  /** Whether what is read is counted and timed: not in front of a near hit. @default false */
  readonly timesDecoding?: boolean
}

/** A value in bytes, and what must be known to read them. */
export interface Payload {
  readonly serializer: number
  readonly compressor: number
  readonly rawLength: number
  readonly payload: Uint8Array
}

/** A compressed payload is kept only if it is at most this part of the original. */
const WORTHWHILE = 0.9
/** Serializers up to this id are this package's: they hand over bytes that nobody changes. */
const LAST_OWN_ID = 15

/**
 * Above this the thread pool does the work, if the compressor can. It is the smallest size at which no algorithm of zlib
 * keeps the event loop busy for longer that way, in either direction: zstd 0.23 ms instead of 0.42 to compress, 0.15 as
 * before to decompress; gzip 0.16 instead of 2.2, 0.09 instead of 0.22. At twice the size all of them win, at a half some
 * lose. The value comes a tenth of a millisecond later or two. Measured by benchmarks/compression.
 */
export const ASYNC_BYTES: number = 64 * 1_024

/**
 * Up to this brotli is the fastest that zlib has, and packs as well: of 1.1 KB of JSON to 64 % in 14 µs and back in 9, where
 * zstd takes 27 and 23, most of it to set itself up; of 4 KB to 56 % in 27 and 21 µs, where zstd makes 54 % of it in 38 and
 * 27. From 8 KB on zstd is the faster one. Measured by benchmarks/compression.
 */
export const SMALL_BYTES: number = 4 * 1_024

/** Values to bytes and back: serializer and compressor put together, whatever is written around them. */
export class PayloadCodec {
  readonly counts: CodecCounts
  readonly #options: PayloadCodecOptions
  readonly #serializers: ReadonlyMap<number, Serializer>
  readonly #compressors: ReadonlyMap<number, Compressor>

  constructor(options: PayloadCodecOptions) {
    this.#options = options
    this.counts = new CodecCounts(options.serializer.name)
    const { serializer, reads = [], compressor, smallCompressor, decompressors = [] } = options
    // All of them read, one of each writes: a change of options does not lose what is stored.
    this.#serializers = byId([json, ...reads, serializer])
    const own = [smallCompressor, compressor].filter(each => each !== undefined)
    this.#compressors = byId([...COMPRESSORS.values(), ...decompressors, ...own])
  }

  /**
   * @param aside bytes stored beside the value, which count as well
   * @throws CacheError `SERIALIZATION` for what the serializer cannot hold, `INVALID_VALUE` for what is too large
   */
  serialize(value: unknown, aside = 0): Uint8Array {
    const { serializer, maxValueBytes } = this.#options
    const begun = this.counts.encoding.begin()
    const raw = ofBytes(`the serializer ${serializer.name}`, () => serializer.encode(value))
    this.counts.encoding.end(begun)
    const bytes = raw.length + aside
    if (bytes <= maxValueBytes) return raw
    throw new CacheError(
      'INVALID_VALUE',
      `the value is ${bytes} bytes long; limits.maxValueBytes is ${maxValueBytes}`,
    )
  }

  /** Whether raw bytes so long had better be packed by {@link packAsync}: not while they are small. */
  packsAsync(rawLength: number): boolean {
    const { compressor, threshold } = this.#options
    return rawLength > Math.max(ASYNC_BYTES, threshold) && compressor?.compressAsync !== undefined
  }

  /** @throws CacheError `SERIALIZATION` if the compressor fails */
  pack(raw: Uint8Array): Payload {
    const { compressor, smallCompressor = compressor, threshold } = this.#options
    const chosen = raw.length <= SMALL_BYTES ? smallCompressor : compressor
    if (!chosen) return this.#plain(raw)
    if (raw.length <= threshold) {
      this.counts.small++
      return this.#plain(raw)
    }
    const packed = ofBytes(nameOf(chosen), () => chosen.compress(raw))
    return this.#worthwhile(raw, packed, chosen)
  }

  /**
   * As {@link pack}, without holding the event loop where {@link packsAsync}. A serializer of the user's may use the
   * bytes again as soon as this has returned.
   *
   * @returns a promise that rejects with CacheError `SERIALIZATION` if the compressor fails
   */
  async packAsync(raw: Uint8Array): Promise<Payload> {
    const { serializer, compressor } = this.#options
    if (!compressor?.compressAsync || !this.packsAsync(raw.length)) return this.pack(raw)
    const own = serializer.id <= LAST_OWN_ID ? raw : new Uint8Array(raw)
    let packed: unknown
    try {
      packed = await compressor.compressAsync(own)
    } catch (thrown) {
      throw failed(nameOf(compressor), thrown)
    }
    return this.#worthwhile(own, assertBytes(nameOf(compressor), packed), compressor)
  }

  /** Whether a payload had better be unpacked by {@link unpackAsync}: not while it is small, packed and unpacked. */
  unpacksAsync({ compressor, rawLength, payload }: Omit<Payload, 'serializer'>): boolean {
    // Many bytes that claim to be few keep a decompressor as busy.
    if (Math.max(rawLength, payload.length) <= ASYNC_BYTES) return false
    return this.#compressors.get(compressor)?.decompressAsync !== undefined
  }

  /**
   * Reads what may be anything.
   *
   * @throws CacheError `CORRUPT`
   */
  unpack(packed: Payload): unknown {
    const serializer = this.#serializerOf(packed)
    const compressor = this.#compressorOf(packed)
    if (!compressor) return this.#deserialize(serializer, packed, packed.payload)
    let raw: unknown
    try {
      raw = compressor.decompress(packed.payload, maxBytesOf(packed))
    } catch (thrown) {
      throw unreadable(thrown)
    }
    return this.#deserialize(serializer, packed, raw)
  }

  /**
   * As {@link unpack}, without holding the event loop for the compressor where {@link unpacksAsync}.
   *
   * @returns a promise that rejects with CacheError `CORRUPT`
   */
  async unpackAsync(packed: Payload): Promise<unknown> {
    const serializer = this.#serializerOf(packed)
    const compressor = this.#compressorOf(packed)
    if (!compressor?.decompressAsync || !this.unpacksAsync(packed)) return this.unpack(packed)
    let raw: unknown
    try {
      raw = await compressor.decompressAsync(packed.payload, maxBytesOf(packed))
    } catch (thrown) {
      throw unreadable(thrown)
    }
    return this.#deserialize(serializer, packed, raw)
  }

  #deserialize(serializer: Serializer, packed: Payload, raw: unknown): unknown {
    if (!this.#options.timesDecoding) return deserialize(serializer, packed, raw)
    const begun = this.counts.decoding.begin()
    const value = deserialize(serializer, packed, raw)
    this.counts.decoding.end(begun)
    return value
  }

  #plain(raw: Uint8Array): Payload {
    return { serializer: this.#options.serializer.id, compressor: 0, rawLength: raw.length, payload: raw }
  }

  #worthwhile(raw: Uint8Array, packed: Uint8Array, { id, name }: Compressor): Payload {
    const plain = this.#plain(raw)
    if (packed.length > raw.length * WORTHWHILE) {
      this.counts.incompressible++
      return plain
    }
    this.counts.compressed(name, raw.length, packed.length)
    return { ...plain, compressor: id, payload: packed }
  }

  #serializerOf({ serializer: id }: Payload): Serializer {
    const serializer = this.#serializers.get(id)
    if (serializer) return serializer
    throw corrupt('its serializer is not known here')
  }

  #compressorOf({ compressor: id, rawLength }: Payload): Compressor | undefined {
    if (rawLength > this.#options.maxValueBytes) throw corrupt('it claims to be too large')
    const compressor = this.#compressors.get(id)
    if (id === 0 || compressor) return compressor
    throw corrupt('its compressor is not known here')
  }
}

/** zlib takes no limit of 0. */
function maxBytesOf({ rawLength }: Payload): number {
  return Math.max(rawLength, 1)
}

/** Without the cause: what a compressor says may quote the value. */
function unreadable(thrown: unknown): CacheError {
  return corrupt(
    thrown instanceof UnknownDictionary ? 'its dictionary is not known here' : 'it cannot be decompressed',
  )
}

function deserialize(serializer: Serializer, { rawLength }: Payload, raw: unknown): unknown {
  if (!(raw instanceof Uint8Array)) throw corrupt('it cannot be decompressed')
  if (raw.length !== rawLength) throw corrupt('its length is not what it claims')
  try {
    return serializer.decode(asBuffer(raw))
  } catch {
    // Without the cause: parsers quote what they stumble over.
    throw corrupt('it cannot be decoded')
  }
}

function nameOf({ name }: Compressor): string {
  return `the compressor ${name}`
}

function ofBytes(whose: string, make: () => Uint8Array): Uint8Array {
  let bytes: unknown
  try {
    bytes = make()
  } catch (thrown) {
    throw failed(whose, thrown)
  }
  return assertBytes(whose, bytes)
}

/** What serializers and compressors of others throw may quote the value. */
function failed(whose: string, thrown: unknown): CacheError {
  return thrown instanceof CacheError ? thrown : new CacheError('SERIALIZATION', `${whose} failed`)
}

function assertBytes(whose: string, bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes
  throw new CacheError('SERIALIZATION', `${whose} must return a Uint8Array`)
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function byId<T extends { readonly id: number }>(all: readonly T[]): ReadonlyMap<number, T> {
  return new Map(all.map(each => [each.id, each]))
}
