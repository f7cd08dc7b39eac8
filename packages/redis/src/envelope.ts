import { randomBytes } from 'node:crypto'
import { CacheError } from '@cache/core'

/** What lies at fixed offsets, but for the lengths of the parts that follow. */
interface Fields {
  readonly serializer: number
  readonly compressor: number
  readonly createdAt: number
  readonly freshUntil: number
  readonly expiresAt: number
  readonly rawLength: number
  readonly stamp: number
}

/** An envelope that was checked, its parts still where they lie: to make a view of each costs more than to check all. */
export interface Opened extends Fields {
  readonly headerStart: number
  /** Where the header ends and the payload begins; where the header begins, if there is none. */
  readonly payloadStart: number
}

/**
 * How an entry lies in Redis: 68 bytes at fixed offsets (integers and IEEE 754 doubles, big endian), an
 * optional header of JSON, then the payload. docs/wire-format.md tells it to readers in other languages.
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 3 | magic `CA C4 E1`, which no UTF-8 text begins with |
 * | 3 | 1 | version, 2; version 1 lacks the fields from 44 on |
 * | 4 | 1 | flags, 0: a reader refuses those it does not know |
 * | 5 | 1 | serializer id; 0: there is no value, but somebody who loads it |
 * | 6 | 1 | compressor id, 0 for none |
 * | 7 | 1 | reserved, 0 |
 * | 8 | 8 | createdAt, ms since the epoch, double |
 * | 16 | 8 | freshUntil, likewise |
 * | 24 | 8 | expiresAt, likewise |
 * | 32 | 4 | length of the payload once decompressed |
 * | 36 | 4 | length of the header |
 * | 40 | 4 | length of the payload as it lies here |
 * | 44 | 8 | stamp: the version of the latest invalidation when it was begun, double |
 * | 52 | 8 | token: of the lease, or of this one write |
 * | 60 | 8 | until when somebody who holds the token refreshes it, ms since the epoch, double; 0 for nobody |
 */
export interface Envelope extends Fields {
  /** UTF-8 JSON, or empty. */
  readonly header: Uint8Array
  readonly payload: Buffer
}

export const MAGIC: Buffer = Buffer.from([0xca, 0xc4, 0xe1])
/** The magic as a number: comparing one is many times as fast as comparing bytes. */
const MAGIC_NUMBER = MAGIC.readUIntBE(0, MAGIC.length)
export const CREATED_OFFSET = 8
/** Where `freshUntil` and, right behind it, `expiresAt` lie: a touch overwrites these 16 bytes. */
export const TIMES_OFFSET = 16
export const SERIALIZER_OFFSET = 5
export const STAMP_OFFSET = 44
export const STAMP_LENGTH = 8
export const TOKEN_OFFSET = 52
export const TOKEN_LENGTH = 8
export const REFRESHED_UNTIL_OFFSET = 60
export const FIXED_LENGTH = 68
export const VERSION = 2
/** By version. */
const FIXED_LENGTHS: Readonly<Record<number, number>> = { 1: 44, [VERSION]: FIXED_LENGTH }
/** The serializer of a placeholder: an entry without a value. */
const NOBODY = 0
const SHORTEST = 44
const NOTHING = Buffer.alloc(0)
/** Half of a token is of this process, half counts: two are never the same. Drawn late: of one snapshot there may be many processes. */
let tokenBase: number | undefined
let tokens = 0

export function packEnvelope(envelope: Omit<Envelope, 'payload'> & { readonly payload: Uint8Array }): Buffer {
  const { header, payload } = envelope
  const bytes = Buffer.allocUnsafe(FIXED_LENGTH + header.length + payload.length)
  bytes.writeUIntBE(MAGIC_NUMBER, 0, MAGIC.length)
  bytes[3] = VERSION
  bytes[4] = 0
  bytes[5] = envelope.serializer
  bytes[6] = envelope.compressor
  bytes[7] = 0
  bytes.writeDoubleBE(envelope.createdAt, CREATED_OFFSET)
  writeTimes(bytes, TIMES_OFFSET, envelope)
  bytes.writeUInt32BE(envelope.rawLength, 32)
  bytes.writeUInt32BE(header.length, 36)
  bytes.writeUInt32BE(payload.length, 40)
  bytes.writeDoubleBE(envelope.stamp, STAMP_OFFSET)
  tokenBase ??= randomBytes(4).readUInt32BE()
  bytes.writeUInt32BE(tokenBase, TOKEN_OFFSET)
  bytes.writeUInt32BE(tokens++ >>> 0, TOKEN_OFFSET + 4)
  bytes.writeDoubleBE(0, REFRESHED_UNTIL_OFFSET)
  if (header.length > 0) bytes.set(header, FIXED_LENGTH)
  bytes.set(payload, FIXED_LENGTH + header.length)
  return bytes
}

/** What lies where a value will, while it is being loaded: an entry without value, for its token. */
export function packPlaceholder(stamp: number): Buffer {
  return packEnvelope({
    serializer: NOBODY,
    compressor: 0,
    createdAt: 0,
    freshUntil: 0,
    expiresAt: 0,
    rawLength: 0,
    stamp,
    header: NOTHING,
    payload: NOTHING,
  })
}

/** Whether there is no value, but somebody who loads it. */
export function isPlaceholder(bytes: Buffer): boolean {
  return (
    bytes.length === FIXED_LENGTH &&
    bytes.readUIntBE(0, MAGIC.length) === MAGIC_NUMBER &&
    bytes[3] === VERSION &&
    bytes[5] === NOBODY
  )
}

/** Whatever stands where an entry has its token. */
export function tokenOf(bytes: Buffer): Buffer {
  return bytes.subarray(TOKEN_OFFSET, TOKEN_OFFSET + TOKEN_LENGTH)
}

/** Until when somebody refreshes an entry, by the server's clock; `undefined` for one of a version that cannot be leased. */
export function refreshedUntilOf(bytes: Buffer): number | undefined {
  return bytes[3] === VERSION ? bytes.readDoubleBE(REFRESHED_UNTIL_OFFSET) : undefined
}

/** The stamp of an entry that was read: one without is older than everything. */
export function stampOf(bytes: Buffer): number {
  return bytes[3] === 1 ? 0 : bytes.readDoubleBE(STAMP_OFFSET)
}

/** For an entry whose stamp was not known yet when it was packed. */
export function writeStamp(bytes: Buffer, stamp: number): void {
  bytes.writeDoubleBE(stamp, STAMP_OFFSET)
}

export function packTimes(freshUntil: number, expiresAt: number): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  writeTimes(bytes, 0, { freshUntil, expiresAt })
  return bytes
}

function writeTimes(
  bytes: Buffer,
  offset: number,
  { freshUntil, expiresAt }: Pick<Envelope, 'freshUntil' | 'expiresAt'>,
): void {
  bytes.writeDoubleBE(freshUntil, offset)
  bytes.writeDoubleBE(expiresAt, offset + 8)
}

/**
 * Reads what came from Redis, trusting none of it.
 *
 * @param maxBytes the most that header and decompressed payload may claim together
 * @throws CacheError `CORRUPT`
 */
export function openEnvelope(bytes: Buffer, maxBytes: number): Opened {
  if (bytes.length < SHORTEST || bytes.readUIntBE(0, MAGIC.length) !== MAGIC_NUMBER) {
    throw corrupt('it is not an envelope of ours')
  }
  const headerStart = FIXED_LENGTHS[bytes[3] as number]
  if (headerStart === undefined || bytes[4] !== 0 || bytes[7] !== 0) {
    throw corrupt('its version is not known here')
  }
  const rawLength = bytes.readUInt32BE(32)
  const payloadStart = headerStart + bytes.readUInt32BE(36)
  const payloadLength = bytes.readUInt32BE(40)
  if (payloadStart + payloadLength !== bytes.length) throw corrupt('it is truncated or has bytes to spare')
  if (payloadStart - headerStart + rawLength > maxBytes) throw corrupt('it claims to be too large')
  const createdAt = bytes.readDoubleBE(8)
  const freshUntil = bytes.readDoubleBE(TIMES_OFFSET)
  const expiresAt = bytes.readDoubleBE(TIMES_OFFSET + 8)
  const stamp = stampOf(bytes)
  if (Number.isNaN(createdAt) || Number.isNaN(freshUntil) || Number.isNaN(expiresAt) || Number.isNaN(stamp)) {
    throw corrupt('its times are not numbers')
  }
  return {
    serializer: bytes[5] as number,
    compressor: bytes[6] as number,
    createdAt,
    freshUntil,
    expiresAt,
    rawLength,
    stamp,
    headerStart,
    payloadStart,
  }
}

/** As {@link openEnvelope}, with views of the parts. */
export function unpackEnvelope(bytes: Buffer, maxBytes: number): Envelope {
  const { headerStart, payloadStart, ...fields } = openEnvelope(bytes, maxBytes)
  return {
    ...fields,
    header: bytes.subarray(headerStart, payloadStart),
    payload: bytes.subarray(payloadStart),
  }
}

/** @param complaint what is wrong, about "it": never quotes the bytes */
export function corrupt(complaint: string): CacheError {
  return new CacheError('CORRUPT', `what is stored is not usable: ${complaint}`)
}
