import { expect, test } from 'vitest'
import { seededRandom } from '../src/random.ts'

function take(n: number, seed: number): number[] {
  const random = seededRandom(seed)
  return Array.from({ length: n }, random)
}

test('the same seed gives the same numbers, another seed others', () => {
  expect(take(5, 1)).toEqual(take(5, 1))
  expect(take(5, 1)).not.toEqual(take(5, 2))
})

test('numbers lie in [0, 1) and fill it evenly', () => {
  const buckets = Map.groupBy(take(100_000, 3), number => Math.floor(number * 10))
  expect([...buckets.keys()].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  for (const { length } of buckets.values()) expect(length / 10_000).toBeCloseTo(1, 1)
})

test('a seed of zero is a seed like any other', () => {
  expect(new Set(take(100, 0)).size).toBe(100)
})
