import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GhostQueue } from './ghost-queue.ts'

/** Few bits: many want the same cell of the table. */
const hash = fc.nat(15).map(n => ((n & 12) << 20) | (n & 3))
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: hash, capacity: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ take: hash }) },
  { weight: 1, arbitrary: fc.record({ bound: fc.nat(12) }) },
)

test('holds the latest in order, whatever is added and taken under whatever bound', () => {
  const run = (first: number, steps: readonly object[]): void => {
    const queue = new GhostQueue()
    let capacity = first
    let naive: number[] = []
    for (const each of steps as { add?: number; take?: number; bound?: number }[]) {
      if (each.add !== undefined) {
        queue.add(each.add, capacity)
        naive = [...naive.filter(other => other !== each.add), each.add]
        naive = capacity === 0 ? [] : naive.slice(-capacity)
      } else if (each.take !== undefined) {
        expect(queue.take(each.take)).toBe(naive.includes(each.take))
        naive = naive.filter(other => other !== each.take)
      } else {
        capacity = each.bound as number
      }
      expect([...queue.hashes()]).toEqual(naive)
    }
  }
  const steps = fc.array(step, { minLength: 10, maxLength: 200, size: 'max' })
  fc.assert(fc.property(fc.nat(12), steps, run), { numRuns: 300 })
})

test('what is taken out leaves its place to others', () => {
  const queue = new GhostQueue()
  queue.add(1, 100)
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 199_999; i++) {
    queue.add(i, 100)
    if (i % 3 > 0) queue.take(i)
  }
  expect([...queue.hashes()]).toHaveLength(100)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000)
})
