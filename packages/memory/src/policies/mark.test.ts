import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  accessed,
  frequencyOf,
  isRead,
  movedTo,
  newMark,
  nextEpoch,
  ringOf,
  sparsity,
  sparsityOf,
  unread,
} from './mark.ts'

/** Epochs go round here. */
const LAST_EPOCH = 0x1f_ffff

const step = fc.oneof(
  fc.constantFrom('access' as const, 'unread' as const, 'turn' as const),
  fc.record({ ring: fc.nat(2) }),
)

test('whatever happens to an entry, its mark tells what is so, across the end of all epochs too', () => {
  const run = (hash: number, steps: readonly ('access' | 'unread' | 'turn' | { ring: number })[]): void => {
    let epoch = LAST_EPOCH - 2
    let mark = newMark(hash, 1, epoch)
    let [frequency, ring, read] = [1, 0, false]
    for (const each of steps) {
      if (each === 'access') {
        mark = accessed(mark, epoch)
        frequency = Math.min(frequency + 1, 15)
        read = true
      } else if (each === 'unread') {
        mark = unread(mark)
        read = false
      } else if (each === 'turn') {
        epoch = nextEpoch(epoch)
        frequency >>= 1
      } else {
        mark = movedTo(mark, each.ring)
        ring = each.ring
        read = false
      }
      expect([frequencyOf(mark, epoch), ringOf(mark), isRead(mark)]).toEqual([frequency, ring, read])
      expect(sparsityOf(mark)).toBe(sparsity(hash))
    }
  }
  const hash = fc.integer()
  fc.assert(fc.property(hash, fc.array(step, { maxLength: 60, size: 'max' }), run), { numRuns: 300 })
})

test('a frequency that nobody adds to is 0 after four epochs, and stays so', () => {
  const mark = newMark(0, 15, 0)
  expect([0, 1, 2, 3, 4, 5, 1_000, LAST_EPOCH].map(epoch => frequencyOf(mark, epoch))).toEqual([
    15, 7, 3, 1, 0, 0, 0, 0,
  ])
})
