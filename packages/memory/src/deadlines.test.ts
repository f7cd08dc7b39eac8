import { expect, test } from 'vitest'
import { Deadlines } from './deadlines.ts'
import { EXPIRY, Slots } from './slots.ts'

const DAY = 86_400_000
const TABLE = -0x8000_0000

test('what ends within three weeks needs no table, whenever it is set', () => {
  const slots = new Slots<string, number>({ limit: 4, anchors: 1, policyWords: 2, weighed: false })
  const deadlines = new Deadlines(slots)
  const [near, later, far] = [slots.allocate('near', 0), slots.allocate('later', 0), slots.allocate('far', 0)]
  const start = Date.UTC(2026, 0)
  const farEnd = start + 5 * 365 * DAY
  deadlines.set(far, farEnd, start)

  for (let now = start; now < farEnd; now += 7 * DAY) {
    deadlines.set(near, now + 1, now)
    deadlines.set(later, now + 21 * DAY, now)
    expect([near, later, far].map(slot => deadlines.at(slot))).toEqual([now + 1, now + 21 * DAY, farEnd])
    for (const slot of [near, later]) expect(slots.words[slot * slots.stride + EXPIRY]).not.toBe(TABLE)
  }
  expect(slots.words[far * slots.stride + EXPIRY], 'what was far comes near').not.toBe(TABLE)
})
