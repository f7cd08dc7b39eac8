import { CacheError } from '@cache/core'

/**
 * How an entry lies in Redis: 44 bytes at fixed offsets (integers and IEEE 754 doubles, big endian), an
 * optional header of JSON, then the payload. docs/wire-format.md tells it to readers in other languages.
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 3 | magic `CA C4 E1`, which no UTF-8 text begins with |
 * | 3 | 1 | version, 1 |
 * | 4 | 1 | flags, 0: a reader refuses those it does not know |
 * | 5 | 1 | serializer id |
 * | 6 | 1 | compressor id, 0 for none |
 * | 7 | 1 | reserved, 0 |
 * | 8 | 8 | createdAt, ms since the epoch, double |
 * | 16 | 8 | freshUntil, likewise |
 * | 24 | 8 | expiresAt, likewise |
 * | 32 | 4 | length of the payload once decompressed |
 * | 36 | 4 | length of the header |
 * | 40 | 4 | length of the payload as it lies here |
 */
export interface Envelope {
  readonly serializer: number
  readonly compressor: number
  readonly createdAt: number
  readonly freshUntil: number
  readonly expiresAt: number
  readonly rawLength: number
  /** UTF-8 JSON, or empty. */
  readonly header: Uint8Array
  readonly payload: Buffer
}

export const MAGIC: Buffer = Buffer.from([0xca, 0xc4, 0xe1])
/** Where `freshUntil` and, right behind it, `expiresAt` lie: a touch overwrites these 16 bytes. */
export const TIMES_OFFSET = 16
export const FIXED_LENGTH = 44
const VERSION = 1

export function packEnvelope(envelope: Omit<Envelope, 'payload'> & { readonly payload: Uint8Array }): Buffer {
  const { header, payload } = envelope
  const bytes = Buffer.allocUnsafe(FIXED_LENGTH + header.length + payload.length)
  bytes.set(MAGIC)
  bytes[3] = VERSION
  bytes[4] = 0
  bytes[5] = envelope.serializer
  bytes[6] = envelope.compressor
  bytes[7] = 0
  bytes.writeDoubleBE(envelope.createdAt, 8)
  bytes.set(packTimes(envelope.freshUntil, envelope.expiresAt), TIMES_OFFSET)
  bytes.writeUInt32BE(envelope.rawLength, 32)
  bytes.writeUInt32BE(header.length, 36)
  bytes.writeUInt32BE(payload.length, 40)
  bytes.set(header, FIXED_LENGTH)
  bytes.set(payload, FIXED_LENGTH + header.length)
  return bytes
}

export function packTimes(freshUntil: number, expiresAt: number): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeDoubleBE(freshUntil, 0)
  bytes.writeDoubleBE(expiresAt, 8)
  return bytes
}

/**
 * Reads what came from Redis, trusting none of it.
 *
 * @param maxBytes the most that header and decompressed payload may claim together
 * @throws CacheError `CORRUPT`
 */
export function unpackEnvelope(bytes: Buffer, maxBytes: number): Envelope {
  if (bytes.length < FIXED_LENGTH || bytes.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) {
    throw corrupt('it is not an envelope of ours')
  }
  if (bytes[3] !== VERSION || bytes[4] !== 0 || bytes[7] !== 0) throw corrupt('its version is not known here')
  const rawLength = bytes.readUInt32BE(32)
  const payloadStart = FIXED_LENGTH + bytes.readUInt32BE(36)
  const payloadLength = bytes.readUInt32BE(40)
  if (payloadStart + payloadLength !== bytes.length) throw corrupt('it is truncated or has bytes to spare')
  if (payloadStart - FIXED_LENGTH + rawLength > maxBytes) throw corrupt('it claims to be too large')
  const envelope = {
    serializer: bytes[5] as number,
    compressor: bytes[6] as number,
    createdAt: bytes.readDoubleBE(8),
    freshUntil: bytes.readDoubleBE(TIMES_OFFSET),
    expiresAt: bytes.readDoubleBE(TIMES_OFFSET + 8),
    rawLength,
    header: bytes.subarray(FIXED_LENGTH, payloadStart),
    payload: bytes.subarray(payloadStart),
  }
  const { createdAt, freshUntil, expiresAt } = envelope
  if (Number.isNaN(createdAt) || Number.isNaN(freshUntil) || Number.isNaN(expiresAt)) {
    throw corrupt('its times are not numbers')
  }
  return envelope
}

/** @param complaint what is wrong, about "it": never quotes the bytes */
export function corrupt(complaint: string): CacheError {
  return new CacheError('CORRUPT', `what is stored is not usable: ${complaint}`)
}
