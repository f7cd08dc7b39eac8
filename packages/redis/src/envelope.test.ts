import { CacheError } from '@cache/core'
import { describe, expect, test } from 'vitest'
import {
  FIXED_LENGTH,
  isPlaceholder,
  packEnvelope,
  packPlaceholder,
  packTimes,
  stampOf,
  TIMES_OFFSET,
  tokenOf,
  unpackEnvelope,
  writeStamp,
} from './envelope.ts'

const ENVELOPE = {
  serializer: 1,
  compressor: 4,
  createdAt: 1_700_000_000_000,
  freshUntil: 1_700_000_060_000.5,
  expiresAt: Number.POSITIVE_INFINITY,
  rawLength: 9,
  stamp: 1_767_225_600_000_001,
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
    const bytes = packed(own => own.fill(0xee, 52, 60)) // Its token, like no other.
    expect(bytes.toString('hex')).toBe(
      'cac4e1020001040042' +
        '78bcfe56800000' +
        '4278bcfe65260800' +
        '7ff0000000000000' +
        '000000090000000200000007' +
        '43191d2118810004' +
        'eeeeeeeeeeeeeeee' +
        '0000000000000000' +
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
    expect(refusal(packed(bytes => bytes.writeUInt8(3, at)))).toBe('its version is not known here')
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

  test.each([8, 16, 24, 44])('is refused with NaN for the time at %i', at => {
    expect(refusal(packed(bytes => bytes.writeDoubleBE(Number.NaN, at)))).toBe('its times are not numbers')
  })

  test('costs 68 bytes', () => {
    const nothing = Buffer.alloc(0)
    expect(packEnvelope({ ...ENVELOPE, header: nothing, payload: nothing })).toHaveLength(FIXED_LENGTH)
    expect(FIXED_LENGTH).toBe(68)
  })
})

describe('an envelope of version 1', () => {
  const old = Buffer.concat([packed().subarray(0, 44), Buffer.from('{}payload')])
  old[3] = 1

  test('is read, as older than everything', () => {
    expect(unpackEnvelope(old, MAX)).toEqual({ ...ENVELOPE, stamp: 0 })
  })

  test('has no room to be cut short', () => {
    expect(refusal(old.subarray(0, 43))).toBe('it is not an envelope of ours')
    expect(refusal(old.subarray(0, 44))).toBe('it is truncated or has bytes to spare')
  })
})

describe('a placeholder', () => {
  test('is told from every entry, and has a token like no other', () => {
    const [a, b] = [packPlaceholder(5), packPlaceholder(5)]
    expect([isPlaceholder(a), isPlaceholder(packed())]).toEqual([true, false])
    expect(isPlaceholder(a.subarray(1))).toBe(false)
    expect(tokenOf(a)).toHaveLength(8)
    expect(tokenOf(a).equals(tokenOf(b))).toBe(false)
    expect(stampOf(a)).toBe(5)
  })

  test('two envelopes of the same entry have different tokens', () => {
    expect(tokenOf(packed()).equals(tokenOf(packed()))).toBe(false)
  })

  test('a stamp can be written later', () => {
    const bytes = packed()
    writeStamp(bytes, 9)
    expect(unpackEnvelope(bytes, MAX)).toEqual({ ...ENVELOPE, stamp: 9 })
  })
})
