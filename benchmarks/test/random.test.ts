import { expect, test } from 'vitest'
import { permutation, seededRandom } from '../lib/random.ts'
import { zipf } from '../lib/zipf.ts'

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number): number[] => Array.from({ length: 20 }, seededRandom(seed))
  expect(draw(1)).toEqual(draw(1))
  expect(draw(1)).not.toEqual(draw(2))
})

test('numbers do not come round again within a million draws', () => {
  const random = seededRandom(1)
  const length = 1_000_000
  const draws = Float64Array.from({ length }, random)
  // Of 2^32 possible numbers, about 116 pairs meet by chance; a cycle would repeat nearly all.
  expect(new Set(draws).size).toBeGreaterThan(length - 250)
})

test('numbers fill [0, 1) evenly', () => {
  const random = seededRandom(3)
  const bins = new Array<number>(10).fill(0)
  for (let i = 0; i < 100_000; i++) {
    const bin = Math.floor(random() * 10)
    bins[bin] = (bins[bin] as number) + 1
  }
  // Six standard deviations around 10,000.
  for (const bin of bins) expect(Math.abs(bin - 10_000)).toBeLessThan(570)
})

test('a permutation has every number once, and not in order', () => {
  const order = permutation(1_000, seededRandom(1))
  expect(order.toSorted()).toEqual(Uint32Array.from({ length: 1_000 }, (_, i) => i))
  expect(order.filter((number, index) => number === index).length).toBeLessThan(20)
})

test('Zipf: rank r is drawn in proportion to 1 / (r + 1)^0.99', () => {
  const ranks = 50
  const length = 400_000
  const next = zipf(ranks, seededRandom(1))
  const drawn = new Array<number>(ranks).fill(0)
  for (let i = 0; i < length; i++) {
    const rank = next()
    drawn[rank] = (drawn[rank] as number) + 1
  }
  const weights = drawn.map((_, rank) => (rank + 1) ** -0.99)
  const sum = weights.reduce((a, b) => a + b)
  for (const [rank, times] of drawn.entries()) {
    expect(times / ((length * (weights[rank] as number)) / sum)).toBeCloseTo(1, 1)
  }
})
