import { expect, test } from 'vitest'
import { isVersion, toVersion } from './version.ts'

const now = Date.now() * 1_000

test('a version is microseconds of a clock, a day ahead at most', () => {
  expect([0, 5, now, now + 3_600_000_000].map(isVersion)).toEqual([true, true, true, true])
  const none = [-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER, now + 90_000_000_000, '5', undefined]
  expect(none.filter(isVersion)).toEqual([])
})

test('a text is one if it is nothing but its digits', () => {
  expect(toVersion(String(now))).toBe(now)
  expect(['', ' 5', '5e3', '-1', 'x', '99999999999999999', 'Infinity'].map(toVersion)).toEqual(
    Array(7).fill(undefined),
  )
})
