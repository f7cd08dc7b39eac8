import { describe, expect, it } from 'vitest'
import { integer, oneOf } from './options.ts'

describe('integer', () => {
  it('accepts integers from the minimum up', () => {
    expect(integer(1, 'batchSize', 1)).toBe(1)
    expect(integer(Number.MAX_SAFE_INTEGER, 'batchSize', 1)).toBe(Number.MAX_SAFE_INTEGER)
  })

  it.each([0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined, 2 ** 53])(
    'refuses %s',
    value => {
      expect(() => integer(value, 'batchSize', 1)).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          message: expect.stringMatching(/^batchSize must be an integer >= 1; received /),
        }),
      )
    },
  )
})

describe('oneOf', () => {
  it('accepts the words of the list, and names them otherwise', () => {
    expect(oneOf('lru', 'policy', ['lru', 'lfu'])).toBe('lru')
    expect(() => oneOf('LRU', 'policy', ['lru', 'lfu'])).toThrow(
      'policy must be one of lru, lfu; received "LRU"',
    )
    expect(() => oneOf(undefined, 'policy', ['lru'])).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})
