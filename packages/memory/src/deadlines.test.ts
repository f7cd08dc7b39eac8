import { describe, expect, test } from 'vitest'
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

describe('putting off to the usual end', () => {
  const start = Date.UTC(2026, 0)
  const usual = start + 20 * DAY
  const setup = () => {
    const slots = new Slots<string, number>({ limit: 4, anchors: 1, policyWords: 0, weighed: false })
    const deadlines = new Deadlines(slots)
    deadlines.usual(usual, start)
    return { deadlines, a: slots.allocate('a', 0), b: slots.allocate('b', 0) }
  }

  test('moves an earlier end to it, and leaves a later one, none and one far off to others', () => {
    const { deadlines, a } = setup()
    deadlines.set(a, start + DAY, start)
    expect(deadlines.putOff(a)).toBe(true)
    expect(deadlines.at(a)).toBe(usual)
    for (const end of [usual + 1, start + 5 * 365 * DAY, Number.POSITIVE_INFINITY]) {
      deadlines.set(a, end, start)
      expect(deadlines.putOff(a)).toBe(false)
      expect(deadlines.at(a)).toBe(end)
    }
  })

  test('is left to others when the base has moved, until the usual end is said again', () => {
    const { deadlines, a, b } = setup()
    const end = start + 40 * DAY
    deadlines.usual(end, start)
    deadlines.set(a, end - DAY, start)
    const later = start + 30 * DAY
    deadlines.set(b, later + 20 * DAY, later)
    expect(deadlines.putOff(a)).toBe(false)
    expect(deadlines.at(a)).toBe(end - DAY)
    deadlines.usual(end, later)
    expect(deadlines.putOff(a)).toBe(true)
    expect(deadlines.at(a)).toBe(end)
  })

  test('takes no end away unless that is usual, and puts none that does not fit', () => {
    const { deadlines, a } = setup()
    deadlines.set(a, start + DAY, start)
    deadlines.usual(start + 5 * 365 * DAY, start)
    expect(deadlines.putOff(a)).toBe(false)
    deadlines.usual(Number.POSITIVE_INFINITY, start)
    expect(deadlines.putOff(a)).toBe(true)
    expect(deadlines.at(a)).toBe(Number.POSITIVE_INFINITY)
    expect(deadlines.putOff(a)).toBe(true)
  })
})
