import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Duration, toMilliseconds } from './duration.ts'
import { CacheError } from './errors.ts'

describe('toMilliseconds', () => {
  it.each<[Duration, number]>([
    [1, 1_000],
    [0.5, 500],
    [0.0001, 1],
    ['250ms', 250],
    ['1s', 1_000],
    ['1.5h', 5_400_000],
    ['5m', 300_000],
    ['7d', 604_800_000],
    ['0.4ms', 1],
    ['36500d', 3_153_600_000_000],
  ])('reads %s as %d ms: a bare number is seconds', (duration, ms) => {
    expect(toMilliseconds(duration, 'ttl')).toBe(ms)
  })

  const refused = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    0,
    '0s',
    '-1s',
    '5 minutes',
    '5',
    's',
    '',
    '1e3s',
  ]
  it.each([...refused, '36501d', ' 1s', '1s ', null, undefined, {}, [], true, 1n])('refuses %s', duration => {
    const read = (): number => toMilliseconds(duration as Duration, 'timeouts.read', 'INVALID_TTL')
    expect(read).toThrow(CacheError)
    expect(read).toThrow(expect.objectContaining({ code: 'INVALID_TTL' }))
    expect(read).toThrow(/^timeouts\.read must be more than 0 and at most 36500 days, .*; received /)
  })

  it('is INVALID_OPTION unless said otherwise', () => {
    expect(() => toMilliseconds(0, 'grace')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  it('gives whole milliseconds, at least one, for everything it accepts', () => {
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: 3e9, noNaN: true }), seconds => {
        const ms = toMilliseconds(seconds, 'ttl')
        expect(Number.isSafeInteger(ms)).toBe(true)
        expect(ms).toBeGreaterThanOrEqual(1)
        expect(Math.abs(ms - seconds * 1_000)).toBeLessThanOrEqual(1)
      }),
    )
  })
})
