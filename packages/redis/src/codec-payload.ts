import { CacheError } from '@cache/core'
import type { Compressor } from './compressors/compressor.ts'
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
  /** Read as well, as those of zlib always are. */
  readonly decompressors?: readonly Compressor[]
  /** Payloads of more bytes than this are compressed. */
  readonly threshold: number
  readonly maxValueBytes: number
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

/** Values to bytes and back: serializer and compressor put together, whatever is written around them. */
export class PayloadCodec {
  readonly #options: PayloadCodecOptions
  readonly #serializers: ReadonlyMap<number, Serializer>
  readonly #compressors: ReadonlyMap<number, Compressor>

  constructor(options: PayloadCodecOptions) {
    this.#options = options
    const { serializer, reads = [], compressor, decompressors = [] } = options
    // All of them read, one of each writes: a change of options does not lose what is stored.
    this.#serializers = byId([json, ...reads, serializer])
    this.#compressors = byId([...COMPRESSORS.values(), ...decompressors, ...(compressor ? [compressor] : [])])
  }

  /**
   * @param aside bytes stored beside the value, which count as well
   * @throws CacheError `SERIALIZATION` for what the serializer cannot hold, `INVALID_VALUE` for what is too large
   */
  serialize(value: unknown, aside = 0): Uint8Array {
    const { serializer, maxValueBytes } = this.#options
    const raw = ofBytes(`the serializer ${serializer.name}`, () => serializer.encode(value))
    const bytes = raw.length + aside
    if (bytes <= maxValueBytes) return raw
    throw new CacheError(
      'INVALID_VALUE',
      `the value is ${bytes} bytes long; limits.maxValueBytes is ${maxValueBytes}`,
    )
  }

  /** @throws CacheError `SERIALIZATION` if the compressor fails */
  pack(raw: Uint8Array): Payload {
    const { serializer, compressor, threshold } = this.#options
    const plain = { serializer: serializer.id, compressor: 0, rawLength: raw.length, payload: raw }
    if (!compressor || raw.length <= threshold) return plain
    const payload = ofBytes(`the compressor ${compressor.name}`, () => compressor.compress(raw))
    return payload.length <= raw.length * WORTHWHILE
      ? { ...plain, compressor: compressor.id, payload }
      : plain
  }

  /**
   * Reads what may be anything.
   *
   * @throws CacheError `CORRUPT`
   */
  unpack(packed: Payload): unknown {
    const serializer = this.#serializers.get(packed.serializer)
    if (!serializer) throw corrupt('its serializer is not known here')
    const raw = this.#decompress(packed)
    try {
      return serializer.decode(asBuffer(raw))
    } catch {
      // Without the cause: parsers quote what they stumble over.
      throw corrupt('it cannot be decoded')
    }
  }

  #decompress({ compressor: id, rawLength, payload }: Payload): Uint8Array {
    if (rawLength > this.#options.maxValueBytes) throw corrupt('it claims to be too large')
    const compressor = this.#compressors.get(id)
    if (id !== 0 && !compressor) throw corrupt('its compressor is not known here')
    const raw = compressor ? decompress(compressor, payload, rawLength) : payload
    if (raw.length !== rawLength) throw corrupt('its length is not what it claims')
    return raw
  }
}

function decompress(compressor: Compressor, payload: Uint8Array, rawLength: number): Uint8Array {
  try {
    // zlib takes no limit of 0.
    return compressor.decompress(payload, Math.max(rawLength, 1))
  } catch {
    throw corrupt('it cannot be decompressed')
  }
}

/** What serializers and compressors of others throw may quote the value. */
function ofBytes(whose: string, make: () => Uint8Array): Uint8Array {
  let bytes: unknown
  try {
    bytes = make()
  } catch (thrown) {
    if (thrown instanceof CacheError) throw thrown
    throw new CacheError('SERIALIZATION', `${whose} failed`)
  }
  if (bytes instanceof Uint8Array) return bytes
  throw new CacheError('SERIALIZATION', `${whose} must return a Uint8Array`)
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function byId<T extends { readonly id: number }>(all: readonly T[]): ReadonlyMap<number, T> {
  return new Map(all.map(each => [each.id, each]))
}
