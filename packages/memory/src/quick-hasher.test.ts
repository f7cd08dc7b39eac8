import { describe, expect, test } from 'vitest'
import { mix } from './hashing.ts'
import { QuickHasher } from './quick-hasher.ts'

const UNHASHED = 0
const hasher = new QuickHasher(1)
const hash = (key: unknown): number => hasher.hash(key)

/** Keys as services make them: they differ little from one to the next. */
const FAMILIES: readonly [string, (i: number) => unknown][] = [
  ['integers', i => i],
  ['negative integers', i => -i],
  ['multiples of a power of two', i => i * 4096],
  ['numbered strings', i => `user:${i}`],
  ['padded numbers', i => String(i).padStart(20, '0')],
  ['strings that differ in front', i => `${i}:profile`],
  ['strings that differ in the middle', i => `${'a'.repeat(20)}${i}${'b'.repeat(20)}`],
  [
    'strings that differ in two characters',
    i => `a${String.fromCharCode(97 + (i >> 7))}bc${String.fromCharCode(i & 127)}`,
  ],
  ['strings of bits', i => i.toString(2).padStart(16, '0')],
  ['strings of other alphabets', i => String.fromCharCode(0x4e00 + (i >> 7), 0x4e00 + (i & 127) * 128)],
]

describe.each(FAMILIES)('%s', (_, key) => {
  const hashes = Array.from({ length: 16_384 }, (_, i) => hash(key(i)))

  test('have hashes of their own', () => {
    // Two of 16,384 share 30 random bits in one of eight families, more of them hardly ever.
    expect(new Set(hashes).size).toBeGreaterThanOrEqual(hashes.length - 3)
  })

  test.each([
    ['lowest', 0],
    ['next', 8],
    ['middle', 16],
    ['tag', 22],
  ])('spread evenly over the %s bits', (_, shift) => {
    const counts = new Array<number>(256).fill(0)
    for (const each of hashes) {
      const cell = (each >>> shift) & 255
      counts[cell] = (counts[cell] as number) + 1
    }
    const deviation = counts.reduce((sum, count) => sum + (count - 64) ** 2 / 64, 0)
    // Chi-square of 255 degrees: below 370 in all but a few of a million; numbers in order may lie more evenly.
    expect(deviation).toBeLessThan(370)
  })
})

test('keys that are one to a Map have one hash', () => {
  const cons = ['user:', 'a name that is put together', 17].reduce<string>((text, part) => text + part, '')
  for (const key of ['', 'text', cons, 7, -7, 2 ** 31 - 1, -(2 ** 31)]) expect(hash(key)).toBe(hash(key))
  expect(hash(cons)).toBe(hash(`${cons} `.slice(0, -1)))
  expect(hash(-0)).toBe(hash(0))
})

test('a string is never taken for an integer, and no hash for none', () => {
  for (let i = 0; i < 10_000; i++) {
    expect(hash(`${i}`)).toBeLessThan(0)
    expect(hash(mix(i))).toBeGreaterThan(0)
  }
})

test('what takes long, or has no value to go by, is not hashed', () => {
  expect(hash('x'.repeat(48))).not.toBe(UNHASHED)
  const others = [
    'x'.repeat(49),
    0.5,
    2 ** 31,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    true,
    null,
    undefined,
  ]
  for (const key of [...others, {}, () => {}, Symbol('a')]) expect(hash(key)).toBe(UNHASHED)
})
