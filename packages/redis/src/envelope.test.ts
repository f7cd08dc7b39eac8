import { CacheError } from '@cache/core'
import { describe, expect, test } from 'vitest'
import { FIXED_LENGTH, packEnvelope, packTimes, TIMES_OFFSET, unpackEnvelope } from './envelope.ts'

const ENVELOPE = {
  serializer: 1,
  compressor: 4,
  createdAt: 1_700_000_000_000,
  freshUntil: 1_700_000_060_000.5,
  expiresAt: Number.POSITIVE_INFINITY,
  rawLength: 9,
  header: Buffer.from('{}'),
  payload: Buffer.from('payload'),
}
const MAX = 1_000

function packed(change?: (bytes: Buffer) => void): Buffer {
  const bytes = packEnvelope(ENVELOPE)
  change?.(bytes)
  return bytes
}

function refusal(bytes: Buffer, maxBytes = MAX): string {
  try {
    unpackEnvelope(bytes, maxBytes)
  } catch (thrown) {
    if (thrown instanceof CacheError && thrown.code === 'CORRUPT') return thrown.message.replace(/^.*: /, '')
    throw thrown
  }
  throw new Error('it was accepted')
}

describe('an envelope', () => {
  test('comes back as it was', () => {
    expect(unpackEnvelope(packed(), MAX)).toEqual(ENVELOPE)
  })

  test('keeps its layout: what is stored today is read tomorrow', () => {
    expect(packed().toString('hex')).toBe(
      'cac4e1010001040042' +
        '78bcfe56800000' +
        '4278bcfe65260800' +
        '7ff0000000000000' +
        '000000090000000200000007' +
        '7b7d' +
        '7061796c6f6164',
    )
  })

  test('has the times of a touch where a touch writes them', () => {
    const bytes = packed(own => own.set(packTimes(5, 6), TIMES_OFFSET))
    expect(unpackEnvelope(bytes, MAX)).toEqual({ ...ENVELOPE, freshUntil: 5, expiresAt: 6 })
  })

  test.each([0, 1, 2])('is refused with a wrong byte %i of its magic', at => {
    expect(refusal(packed(bytes => bytes.writeUInt8(0x41, at)))).toBe('it is not an envelope of ours')
  })

  test.each([
    ['version', 3],
    ['flag', 4],
    ['reserved byte', 7],
  ])('is refused with a %s of the future', (_what, at) => {
    expect(refusal(packed(bytes => bytes.writeUInt8(2, at)))).toBe('its version is not known here')
  })

  test('is refused at every length but its own', () => {
    for (let length = 0; length < packed().length; length++) {
      expect(refusal(packed().subarray(0, length))).toMatch(/not an envelope|truncated/)
    }
    expect(refusal(Buffer.concat([packed(), Buffer.from('x')]))).toMatch(/bytes to spare/)
  })

  test('is refused when it claims more than the limit, header included', () => {
    const claimed = ENVELOPE.rawLength + ENVELOPE.header.length
    expect(refusal(packed(), claimed - 1)).toBe('it claims to be too large')
    expect(unpackEnvelope(packed(), claimed)).toEqual(ENVELOPE)
  })

  test.each([8, 16, 24])('is refused with NaN for the time at %i', at => {
    expect(refusal(packed(bytes => bytes.writeDoubleBE(Number.NaN, at)))).toBe('its times are not numbers')
  })

  test('costs 44 bytes', () => {
    const nothing = Buffer.alloc(0)
    expect(packEnvelope({ ...ENVELOPE, header: nothing, payload: nothing })).toHaveLength(FIXED_LENGTH)
    expect(FIXED_LENGTH).toBe(44)
  })
})
