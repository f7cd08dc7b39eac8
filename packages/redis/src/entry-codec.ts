import type { Entry } from '@cache/core'
import { PayloadCodec, type PayloadCodecOptions } from './codec-payload.ts'
import { corrupt, packEnvelope, unpackEnvelope } from './envelope.ts'
import { json } from './serializers/json.ts'

export type EntryCodecOptions = PayloadCodecOptions

const NOTHING = new Uint8Array(0)

/** Entries to bytes and back: a payload, its times, and the header with tags and metadata, in an envelope. */
export class EntryCodec {
  readonly #payloads: PayloadCodec
  readonly #maxBytes: number

  constructor(options: EntryCodecOptions) {
    this.#payloads = new PayloadCodec(options)
    this.#maxBytes = options.maxValueBytes
  }

  /** @throws CacheError `SERIALIZATION` for what the serializer cannot hold, `INVALID_VALUE` for what is too large */
  check(entry: Entry): void {
    this.#payloads.serialize(entry.value, encodeHeader(entry).length)
  }

  /** @throws CacheError as {@link check} */
  encode(entry: Entry): Buffer {
    const { createdAt, freshUntil, expiresAt } = entry
    const header = encodeHeader(entry)
    const packed = this.#payloads.pack(this.#payloads.serialize(entry.value, header.length))
    return packEnvelope({ ...packed, createdAt, freshUntil, expiresAt, header })
  }

  /** @throws CacheError `CORRUPT`, whatever the bytes are */
  decode(bytes: Buffer): Entry {
    const envelope = unpackEnvelope(bytes, this.#maxBytes)
    const { createdAt, freshUntil, expiresAt } = envelope
    const value = this.#payloads.unpack(envelope)
    return { value, createdAt, freshUntil, expiresAt, ...decodeHeader(envelope.header) }
  }
}

function encodeHeader({ tags, metadata }: Entry): Uint8Array {
  return tags || metadata ? json.encode({ tags, metadata }) : NOTHING
}

/** Takes what it knows, property by property: a hostile header must not reach the entry's prototype. */
function decodeHeader(bytes: Uint8Array): Pick<Entry, 'tags' | 'metadata'> {
  if (bytes.length === 0) return {}
  const { tags, metadata } = asObject(parseHeader(bytes))
  return {
    ...(tags !== undefined && { tags: asTags(tags) }),
    ...(metadata !== undefined && { metadata: asObject(metadata) }),
  }
}

function parseHeader(bytes: Uint8Array): unknown {
  try {
    return json.decode(Buffer.from(bytes))
  } catch {
    // Without the cause: parsers quote what they stumble over.
    throw corrupt('its header is malformed')
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
