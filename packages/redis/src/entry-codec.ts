import { CacheError, type Entry } from '@cache/core'
import type { Compressor } from './compressors/compressor.ts'
import { COMPRESSORS } from './compressors/zlib.ts'
import { corrupt, packEnvelope, unpackEnvelope } from './envelope.ts'
import { json } from './serializers/json.ts'
import type { Serializer } from './serializers/serializer.ts'

export interface EntryCodecOptions {
  readonly serializer: Serializer
  /** `undefined`: payloads are stored as they are. */
  readonly compressor: Compressor | undefined
  /** Payloads of more bytes than this are compressed. */
  readonly threshold: number
  readonly maxValueBytes: number
}

/** A compressed payload is kept only if it is at most this part of the original. */
const WORTHWHILE = 0.9
const NOTHING = new Uint8Array(0)

/** Entries to bytes and back: serializer, compressor and envelope put together. */
export class EntryCodec {
  readonly #options: EntryCodecOptions
  readonly #serializers: ReadonlyMap<number, Serializer>
  readonly #compressors: ReadonlyMap<number, Compressor>

  constructor(options: EntryCodecOptions) {
    this.#options = options
    // All of them read, one of each writes: a change of options does not lose what is stored.
    this.#serializers = new Map([json, options.serializer].map(each => [each.id, each]))
    this.#compressors = new Map([...COMPRESSORS.values()].map(each => [each.id, each]))
  }

  /** @throws CacheError `SERIALIZATION` for what the serializer cannot hold, `INVALID_VALUE` for what is too large */
  check(entry: Entry): void {
    this.#serialize(entry)
  }

  /** @throws CacheError as {@link check} */
  encode(entry: Entry): Buffer {
    const { serializer, compressor, threshold } = this.#options
    const { raw, header } = this.#serialize(entry)
    const packed = compressor && raw.length > threshold ? compressor.compress(raw) : raw
    const worthwhile = packed.length <= raw.length * WORTHWHILE
    return packEnvelope({
      serializer: serializer.id,
      compressor: compressor && worthwhile ? compressor.id : 0,
      createdAt: entry.createdAt,
      freshUntil: entry.freshUntil,
      expiresAt: entry.expiresAt,
      rawLength: raw.length,
      header,
      payload: worthwhile ? packed : raw,
    })
  }

  #serialize(entry: Entry): { raw: Uint8Array; header: Uint8Array } {
    const { serializer, maxValueBytes } = this.#options
    const raw = serializer.encode(entry.value)
    const header = encodeHeader(entry)
    const bytes = raw.length + header.length
    if (bytes <= maxValueBytes) return { raw, header }
    throw new CacheError(
      'INVALID_VALUE',
      `the value is ${bytes} bytes long; limits.maxValueBytes is ${maxValueBytes}`,
    )
  }

  /** @throws CacheError `CORRUPT`, whatever the bytes are */
  decode(bytes: Buffer): Entry {
    const envelope = unpackEnvelope(bytes, this.#options.maxValueBytes)
    const serializer = this.#serializers.get(envelope.serializer)
    if (!serializer) throw corrupt('its serializer is not known here')
    const { createdAt, freshUntil, expiresAt } = envelope
    try {
      const value = serializer.decode(this.#decompress(envelope))
      return { value, createdAt, freshUntil, expiresAt, ...decodeHeader(envelope.header) }
    } catch (thrown) {
      // Without the cause: parsers quote what they stumble over.
      throw thrown instanceof CacheError ? thrown : corrupt('it cannot be decoded')
    }
  }

  #decompress(envelope: { compressor: number; rawLength: number; payload: Buffer }): Buffer {
    const { compressor: id, rawLength, payload } = envelope
    const compressor = this.#compressors.get(id)
    if (id !== 0 && !compressor) throw corrupt('its compressor is not known here')
    // zlib takes no limit of 0.
    const raw = compressor ? compressor.decompress(payload, Math.max(rawLength, 1)) : payload
    if (raw.length !== rawLength) throw corrupt('its length is not what it claims')
    return raw
  }
}

function encodeHeader({ tags, metadata }: Entry): Uint8Array {
  return tags || metadata ? json.encode({ tags, metadata }) : NOTHING
}

/** Takes what it knows, property by property: a hostile header must not reach the entry's prototype. */
function decodeHeader(bytes: Uint8Array): Pick<Entry, 'tags' | 'metadata'> {
  if (bytes.length === 0) return {}
  const { tags, metadata } = asObject(json.decode(Buffer.from(bytes)))
  return {
    ...(tags !== undefined && { tags: asTags(tags) }),
    ...(metadata !== undefined && { metadata: asObject(metadata) }),
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw corrupt('its header is malformed')
}

function asTags(value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every(tag => typeof tag === 'string')) return value
  throw corrupt('its header is malformed')
}
