import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeCommands, type Words } from './protocol.ts'

/** Reads commands the way Redis does: by the lengths alone. */
function decoded(encoded: Buffer | string): Buffer[][] {
  const bytes = Buffer.from(encoded)
  const commands: Buffer[][] = []
  let at = 0
  const number = (sign: string): number => {
    const end = bytes.indexOf('\r\n', at)
    const line = bytes.toString('latin1', at, end)
    expect(line).toMatch(/^.(0|[1-9]\d*)$/)
    expect(line[0]).toBe(sign)
    at = end + 2
    return Number(line.slice(1))
  }
  while (at < bytes.length) {
    const words = Array.from({ length: number('*') }, () => {
      const length = number('$')
      const word = bytes.subarray(at, at + length)
      expect(bytes.toString('latin1', at + length, at + length + 2)).toBe('\r\n')
      at += length + 2
      return word
    })
    commands.push(words)
  }
  return commands
}

const word = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\r\n', '$1\r\n', 'ümlaut 🚀'),
  fc.uint8Array(),
  fc.uint8Array().map(bytes => Buffer.from(bytes)),
  fc.nat(Number.MAX_SAFE_INTEGER),
)
const command: fc.Arbitrary<Words> = fc.array(word).map(words => ['name', ...words] as const)

test('commands arrive word by word as they were told, whatever the words are', () => {
  fc.assert(
    fc.property(fc.array(command), commands => {
      const expected = commands.map(words =>
        words.map(each => (typeof each === 'object' ? Buffer.from(each) : Buffer.from(String(each)))),
      )
      expect(decoded(encodeCommands(commands))).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('what is all text stays text', () => {
  expect(encodeCommands([['get', 'ü']])).toBe('*2\r\n$3\r\nget\r\n$2\r\nü\r\n')
})
