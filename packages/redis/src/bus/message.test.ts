import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage } from './message.ts'

const decode = (text: string) => decodeMessage(Buffer.from(text))

describe('a message', () => {
  test.each([
    { type: 'keys', keys: ['a', '__proto__', 'ü\n"'] } as const,
    { type: 'clear' } as const,
    { type: 'clear', scope: 'users:' } as const,
  ])('comes back as it was sent', invalidation => {
    expect(decode(encodeMessage('me', invalidation))).toEqual({ ...invalidation, source: 'me' })
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
