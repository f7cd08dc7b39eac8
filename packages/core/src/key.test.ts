import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertKey, MAX_KEY_LENGTH } from './key.ts'

const character = fc
  .integer({ min: 0, max: 0x10_ffff })
  .map(point => String.fromCodePoint(point))
  .filter(text => text.isWellFormed())

describe('assertKey', () => {
  it('accepts every well-formed string of 1 or more characters', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: character }), key => {
        expect(() => assertKey(key)).not.toThrow()
      }),
    )
    for (const key of ['__proto__', 'constructor', '👩‍👩‍👧', ' ', '\0', 'x'.repeat(MAX_KEY_LENGTH)]) {
      expect(() => assertKey(key)).not.toThrow()
    }
  })

  it.each([
    ['', 'an empty string'],
    ['x'.repeat(MAX_KEY_LENGTH + 1), 'a string of 65537 characters'],
    ['a\ud800', 'a string with a lone surrogate'],
    ['\udc00b', 'a string with a lone surrogate'],
    [7, '7'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ toString: () => 'k' }, 'an object'],
    [['k'], 'an array of 1'],
    [Symbol('k'), 'a symbol'],
  ])('refuses %j and says what it was', (key, received) => {
    expect(() => assertKey(key)).toThrow(
      expect.objectContaining({
        code: 'INVALID_KEY',
        message: `key must be a string of 1 to 65536 characters without lone surrogates; received ${received}`,
      }),
    )
  })
})
