import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage, echoed, encodeKey, encodeMessage, openingOf } from './message.ts'

const decode = (text: string) => decodeMessage(Buffer.from(text))

describe('a message', () => {
  test.each([
    { type: 'keys', keys: ['a', '__proto__', 'ü\n"'] } as const,
    { type: 'clear' } as const,
    { type: 'clear', scope: 'users:' } as const,
  ])('comes back as it was sent', invalidation => {
    expect(decode(encodeMessage('me', invalidation))).toEqual({ ...invalidation, source: 'me' })
    expect(decode(encodeMessage('me', invalidation, 7))).toEqual({ ...invalidation, source: 'me', at: 7 })
  })

  test.each([
    '',
    'null',
    '5',
    '[]',
    '{}',
    '{"v":2,"source":"s","type":"clear"}',
    '{"v":1,"type":"clear"}',
    '{"v":1,"source":1,"type":"clear"}',
    '{"v":1,"source":"s","type":"other"}',
    '{"v":1,"source":"s","type":"keys"}',
    '{"v":1,"source":"s","type":"keys","keys":"a"}',
    '{"v":1,"source":"s","type":"keys","keys":[1]}',
    '{"v":1,"source":"s","type":"clear","scope":1}',
  ])('is not understood if it is %s', text => {
    expect(decode(text)).toBeUndefined()
  })

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), bytes => {
        decodeMessage(Buffer.from(bytes))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a message of our own', () => {
  test.each([[[]], [['a', 'ü\n"', '"keys":[']]])('begins as foretold, and has its keys: %j', keys => {
    const bytes = Buffer.from(encodeMessage('me', { type: 'keys', keys }))
    const opening = openingOf('me')
    expect(bytes.toString().startsWith(opening)).toBe(true)
    expect(echoed('me', bytes)).toEqual(decodeMessage(bytes))
  })

  test.each(['a', 'ü\n"', '\u2028'])('about one key is the same, made from its beginning: %j', key => {
    expect(encodeKey(openingOf('me'), key, 7)).toBe(encodeMessage('me', { type: 'keys', keys: [key] }, 7))
  })

  test('is not what another one, or of another type, begins with', () => {
    const opening = openingOf('me')
    for (const [source, invalidation] of [
      ['you', { type: 'keys', keys: ['a'] }],
      ['me:2', { type: 'keys', keys: ['a'] }],
      ['me', { type: 'tags', tags: ['a'] }],
      ['me', { type: 'clear' }],
    ] as const) {
      expect(encodeMessage(source, invalidation).startsWith(opening)).toBe(false)
    }
  })

  test.each(['', '[', '[1]}', '["a"]}x'])('that only pretends to be one has no keys: %j', end => {
    expect(echoed('me', Buffer.from(openingOf('me') + end))).toMatchObject({ keys: [] })
  })
})
