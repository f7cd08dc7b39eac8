import { describe, expect, test } from 'vitest'
import { KeyHasher } from './key-hasher.ts'

const hasher = new KeyHasher(1)

/** Keys as services make them: they differ little from one to the next. */
const FAMILIES: readonly [string, (i: number) => unknown][] = [
  ['integers', i => i],
  ['negative integers', i => -i],
  ['multiples of a power of two', i => i * 4096],
  ['large integers', i => 2 ** 40 + i],
  ['fractions', i => i / 8],
  ['bigints', i => 2n ** 70n + BigInt(i)],
  ['numbered strings', i => `user:${i}`],
  ['strings that differ in front', i => `${i}:profile`],
  ['strings that differ in the middle of much', i => `${'a'.repeat(100)}${i}${'b'.repeat(100)}`],
  ['strings of one letter', i => 'x'.repeat(i % 2_000) + String.fromCharCode(i / 2_000)],
  ['strings of other alphabets', i => String.fromCharCode(0x4e00 + (i >> 7), 0x4e00 + (i & 127) * 128)],
  ['objects', () => ({})],
  ['symbols', () => Symbol()],
  ['registered symbols', i => Symbol.for(`test ${i}`)],
]

describe.each(FAMILIES)('%s', (_, key) => {
  const hashes = Array.from({ length: 16_384 }, (_, i) => hasher.hash(key(i)))

  test('have hashes of their own', () => {
    // Two of 16,384 share 32 random bits in one of 32 families.
    expect(new Set(hashes).size).toBeGreaterThanOrEqual(hashes.length - 2)
  })

  test.each([
    ['lowest', 0],
    ['middle', 12],
    ['highest', 24],
  ])('spread evenly over the %s bits', (_, shift) => {
    const counts = new Array<number>(256).fill(0)
    for (const hash of hashes) {
      const cell = (hash >>> shift) & 255
      counts[cell] = (counts[cell] as number) + 1
    }
    const deviation = counts.reduce((sum, count) => sum + (count - 64) ** 2 / 64, 0)
    // Chi-square of 255 degrees: below 370 in all but a few of a million; numbers in order may lie more evenly.
    expect(deviation).toBeLessThan(370)
  })
})

test('keys that are one to a Map have one hash', () => {
  const object = { frozen: true }
  Object.freeze(object)
  const fn = (): void => {}
  for (const key of ['text', 7, 0.1, Number.NaN, true, null, undefined, 10n, object, fn, Symbol.iterator]) {
    expect(hasher.hash(key), String(key)).toBe(hasher.hash(key))
  }
  expect(hasher.hash(-0)).toBe(hasher.hash(0))
  expect(hasher.hash(-Number.NaN)).toBe(hasher.hash(Number.NaN))
  expect(hasher.hash(Symbol.for('a'))).toBe(hasher.hash(Symbol.for('a')))
  expect(hasher.hash(2n ** 64n)).toBe(hasher.hash(2n ** 64n))
})

test('keys of different kinds have different hashes', () => {
  const kinds = [
    '',
    ' ',
    '\0',
    '\0\0',
    '__proto__',
    0,
    1,
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    false,
  ]
  const keys = [...kinds, null, undefined, {}, [], () => {}, Symbol(), Symbol('a'), Symbol.iterator, 2n]
  expect(new Set(keys.map(key => hasher.hash(key))).size).toBe(keys.length)
})

test('one seed always gives the same hashes', () => {
  const keys = ['user:1', 42, 0.5, {}, Symbol(), 'user:2']
  const [first, second] = [new KeyHasher(7), new KeyHasher(7)]
  expect(keys.map(key => first.hash(key))).toEqual(keys.map(key => second.hash(key)))
})

test('keys that collide under one seed do not under another', () => {
  for (const family of [(i: number) => `key ${i}`, (i: number) => i, (i: number) => i + 0.5]) {
    const cell = (hash: number): number => hash & 1_023
    const chosen: unknown[] = []
    for (let i = 0; chosen.length < 200; i++) if (cell(hasher.hash(family(i))) === 0) chosen.push(family(i))
    const other = new KeyHasher(2)
    expect(new Set(chosen.map(key => cell(other.hash(key)))).size).toBeGreaterThan(150)
  }
})

test('no two integers collide, whatever the seed', () => {
  for (let seed = 0; seed < 20; seed++) {
    const one = new KeyHasher(seed)
    const integers = Array.from({ length: 1_000 }, (_, i) => [i, i ^ (1 << 31), i << 20]).flat()
    expect(new Set(integers.map(key => one.hash(key))).size).toBe(new Set(integers).size)
  }
})

test('every map draws a seed of its own', () => {
  const hashes = Array.from({ length: 100 }, () => new KeyHasher().hash('user:1'))
  expect(new Set(hashes).size).toBeGreaterThan(98)
})
