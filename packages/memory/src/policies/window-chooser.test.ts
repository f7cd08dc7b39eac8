import { describe, expect, test } from 'vitest'
import { mix } from '../hashing.ts'
import { sparsity } from './mark.ts'
import { FIRST_SHARE, WindowChooser } from './window-chooser.ts'

/** The share after the keys `keyAt(0)`, `keyAt(1)`, … */
function chosen(entries: number, accesses: number, keyAt: (i: number) => number): number {
  const chooser = new WindowChooser(entries, FIRST_SHARE)
  for (let i = 0; i < accesses; i++) {
    const hash = mix(keyAt(i) + 1)
    if (sparsity(hash) >= chooser.sparsity) chooser.observe(hash)
  }
  return chooser.share
}

describe.each([
  ['all keys', 100],
  ['a sample', 20_000],
])('for a cache small or large enough to try %s', (_, entries) => {
  test('a loop that does not fit gets a small window', () => {
    expect(chosen(entries, entries * 40, i => i % (entries * 2))).toBeLessThanOrEqual(0.1)
  })

  test('keys that come again soon, and then never, get all of it', () => {
    // Every key twice, and in between four fifths of a cache of others.
    const distance = Math.floor(entries * 0.4)
    const keyAt = (i: number): number => (i % 2 === 0 ? i / 2 + distance : (i - 1) / 2)
    expect(chosen(entries, entries * 40, keyAt)).toBeGreaterThanOrEqual(0.5)
  })
})

test('a lead that may be chance changes nothing', () => {
  // Equal chances for every key: no window is better than another.
  const random = (i: number): number => (mix(i + 12_345) >>> 0) % 1_000
  expect(chosen(100, 2_000, random)).toBe(FIRST_SHARE)
})

test('what was chosen is kept when the cache changes its size', () => {
  expect(new WindowChooser(500, 0.5).share).toBe(0.5)
})

test('what was best is given up when it is best no more', () => {
  const chooser = new WindowChooser(100, FIRST_SHARE)
  const observe = (key: number): void => chooser.observe(mix(key + 1))
  for (let i = 0; i < 8_000; i++) observe(i % 200)
  expect(chooser.share).toBeLessThanOrEqual(0.1)
  for (let i = 0; i < 8_000; i++) observe(1_000 + (i % 2 === 0 ? i / 2 + 40 : (i - 1) / 2))
  expect(chooser.share).toBeGreaterThanOrEqual(0.5)
})

test.each([1, 2, 512, 513, 10_000, 15_000_000])('%d entries are sampled down to 512 at most', entries => {
  const { sparsity: sampled } = new WindowChooser(entries, FIRST_SHARE)
  expect(entries / 2 ** sampled).toBeLessThanOrEqual(512)
  expect(sampled === 0 || entries / 2 ** sampled > 256).toBe(true)
  expect(sampled).toBeLessThanOrEqual(15)
})

test('a sample has one key in 2^n', () => {
  const keys = Array.from({ length: 100_000 }, (_, i) => mix(i))
  for (const n of [0, 1, 4, 8]) {
    const share = keys.filter(hash => sparsity(hash) >= n).length / keys.length
    expect(share * 2 ** n).toBeGreaterThan(0.8)
    expect(share * 2 ** n).toBeLessThan(1.2)
  }
})
