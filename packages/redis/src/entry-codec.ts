import { type Awaitable, type CodecStats, type Entry, isPending } from '@cache/core'
import { type Payload, PayloadCodec, type PayloadCodecOptions } from './codec-payload.ts'
import { corrupt, type Opened, openEnvelope, packEnvelope } from './envelope.ts'
import { json, parseJson } from './serializers/json.ts'

export type EntryCodecOptions = PayloadCodecOptions

const NOTHING = new Uint8Array(0)

/** Entries to bytes and back: a payload, its times, and the header with tags and metadata, in an envelope. */
export class EntryCodec {
  readonly #payloads: PayloadCodec
  readonly #maxBytes: number

  constructor(options: EntryCodecOptions) {
    this.#payloads = new PayloadCodec({ ...options, timesDecoding: true })
    this.#maxBytes = options.maxValueBytes
  }

  stats(): CodecStats {
    return this.#payloads.counts.snapshot()
  }

  /** @throws CacheError `SERIALIZATION` for what the serializer cannot hold, `INVALID_VALUE` for what is too large */
  check(entry: Entry): void {
    this.#payloads.serialize(entry.value, encodeHeader(entry).length)
  }

  /**
   * A large value is compressed beside the event loop: a promise, that may reject with `SERIALIZATION`.
   *
   * @throws CacheError as {@link check}, at once
   */
  encode(entry: Entry, stamp: number): Awaitable<Buffer> {
    const header = encodeHeader(entry)
    const raw = this.#payloads.serialize(entry.value, header.length)
    if (!this.#payloads.packsAsync(raw.length)) return seal(entry, stamp, header, this.#payloads.pack(raw))
    return this.#payloads.packAsync(raw).then(payload => seal(entry, stamp, header, payload))
  }

  /**
   * A large value is decompressed beside the event loop: a promise, that may reject likewise.
   *
   * @throws CacheError `CORRUPT`, whatever the bytes are
   */
  decode(bytes: Buffer): Awaitable<Entry> {
    const opened = openEnvelope(bytes, this.#maxBytes)
    const { createdAt, freshUntil, expiresAt, headerStart, payloadStart } = opened
    const whole = (value: unknown): Entry => {
      const entry = { value, createdAt, freshUntil, expiresAt }
      if (payloadStart === headerStart) return entry
      return { ...entry, ...decodeHeader(bytes.toString('utf8', headerStart, payloadStart)) }
    }
    const value = this.#valueOf(opened, bytes)
    return isPending(value) ? value.then(whole) : whole(value)
  }

  #valueOf({ serializer, compressor, rawLength, payloadStart }: Opened, bytes: Buffer): Awaitable<unknown> {
    // Nearly every small value is plain JSON: a view of it would cost as much as all other checks together.
    if (compressor === 0 && serializer === json.id && rawLength === bytes.length - payloadStart) {
      const begun = this.#payloads.counts.decoding.begin()
      const value = parse(bytes.toString('utf8', payloadStart), 'it cannot be decoded')
      this.#payloads.counts.decoding.end(begun)
      return value
    }
    const packed = { serializer, compressor, rawLength, payload: bytes.subarray(payloadStart) }
    return this.#payloads.unpacksAsync(packed)
      ? this.#payloads.unpackAsync(packed)
      : this.#payloads.unpack(packed)
  }
}

function seal(
  { createdAt, freshUntil, expiresAt }: Entry,
  stamp: number,
  header: Uint8Array,
  { serializer, compressor, rawLength, payload }: Payload,
): Buffer {
  return packEnvelope({
    serializer,
    compressor,
    createdAt,
    freshUntil,
    expiresAt,
    rawLength,
    stamp,
    header,
    payload,
  })
}

function encodeHeader({ tags, metadata }: Entry): Uint8Array {
  return tags || metadata ? json.encode({ tags, metadata }) : NOTHING
}

/** Takes what it knows, property by property: a hostile header must not reach the entry's prototype. */
function decodeHeader(text: string): Pick<Entry, 'tags' | 'metadata'> {
  const { tags, metadata } = asObject(parse(text, 'its header is malformed'))
  return {
    ...(tags !== undefined && { tags: asTags(tags) }),
    ...(metadata !== undefined && { metadata: asObject(metadata) }),
  }
}

function parse(text: string, complaint: string): unknown {
  try {
    return parseJson(text)
  } catch {
    // Without the cause: parsers quote what they stumble over.
    throw corrupt(complaint)
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
