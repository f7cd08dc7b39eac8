import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CacheError,
  describe as describeValue,
  invalidOption,
  isCallersFault,
  kindOf,
  toCacheError,
} from './errors.ts'

const SECRET = 'hunter2/hunter2'
const holdsSecret = fc.oneof(
  fc.string().map(text => `${text}${SECRET}`),
  fc.constant([SECRET]),
  fc.dictionary(fc.string(), fc.constant(SECRET)),
  fc.constant(() => SECRET),
  fc.constant(Symbol(SECRET)),
  fc.constant(new Error(SECRET)),
  fc.constant({ toString: () => SECRET, toJSON: () => SECRET }),
)

describe('CacheError', () => {
  it('has a name, a code and a cause', () => {
    const cause = new Error('refused')
    const error = new CacheError('UNAVAILABLE', 'redis is away', { cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'CacheError', code: 'UNAVAILABLE', message: 'redis is away', cause })
  })

  it('wraps what was thrown, and only what is not a CacheError already', () => {
    const own = new CacheError('TIMEOUT', 'late')
    expect(toCacheError(own, 'STORE', 'x failed')).toBe(own)
    expect(toCacheError('boom', 'STORE', 'x failed')).toMatchObject({
      code: 'STORE',
      message: 'x failed',
      cause: 'boom',
    })
  })

  it('tells the faults of callers from those of stores', () => {
    for (const code of ['INVALID_KEY', 'INVALID_TTL', 'INVALID_VALUE', 'INVALID_OPTION'] as const) {
      expect(isCallersFault(new CacheError(code, ''))).toBe(true)
    }
    for (const code of ['SERIALIZATION', 'CLOSED'] as const) {
      expect(isCallersFault(new CacheError(code, ''))).toBe(true)
    }
    for (const code of ['TIMEOUT', 'UNAVAILABLE', 'CONFIGURATION', 'CORRUPT', 'STORE'] as const) {
      expect(isCallersFault(new CacheError(code, ''))).toBe(false)
    }
    expect(isCallersFault({ code: 'CLOSED' })).toBe(false)
  })
})

describe('messages', () => {
  it('never carry what a received value holds', () => {
    fc.assert(
      fc.property(holdsSecret, value => {
        expect(invalidOption('maxItems', value, 'an integer >= 1').message).not.toContain('hunter2')
        expect(kindOf(value)).not.toContain('hunter2')
      }),
    )
  })

  it('of the kind of a value carry nothing of a short word either', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), value => {
        expect(kindOf(value)).toBe('a string')
      }),
    )
  })

  it.each([
    [1, '1'],
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [10n, '10n'],
    [true, 'true'],
    [undefined, 'undefined'],
    [null, 'null'],
    ['5 minutes', '"5 minutes"'],
    ['redis://user:secret@host', 'a string of 24 characters'],
    ['x'.repeat(41), 'a string of 41 characters'],
    [[1, 2], 'an array of 2'],
    [{}, 'an object'],
    [() => 1, 'a function'],
    [Symbol('s'), 'a symbol'],
  ])('describe %s as %s', (value, words) => {
    expect(describeValue(value)).toBe(words)
  })
})
