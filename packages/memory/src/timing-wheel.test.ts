import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deadlines } from './deadlines.ts'
import { Slots } from './slots.ts'
import { TimingWheel } from './timing-wheel.ts'

const start = Date.UTC(2026, 0)
const slots = (): Slots<unknown, unknown> =>
  new Slots({ limit: 1_000, anchors: 1, policyWords: 2, weighed: false })

function wheelWith(delays: readonly number[]) {
  const all = slots()
  const deadlines = new Deadlines(all)
  const wheel = new TimingWheel(all, deadlines)
  for (const delay of delays) {
    const slot = all.allocate(delay, delay)
    deadlines.set(slot, start + delay, start)
    wheel.add(slot, start)
  }
  return { wheel, delayOf: (slot: number) => all.keyAt(slot) as number }
}

const delay = fc.oneof(
  fc.integer({ min: 1, max: 100_000 }),
  fc.maxSafeInteger().map(n => 1 + (Math.abs(n) % (200 * 365 * 86_400_000))),
  fc.integer({ min: 1, max: 7 }).chain(level => fc.constantFrom(-1, 0, 1).map(by => 64 ** level + by)),
)

test('gives every entry at its millisecond when woken for its events, in few events', () => {
  fc.assert(
    fc.property(fc.array(delay, { minLength: 1, maxLength: 40 }), delays => {
      const { wheel, delayOf } = wheelWith(delays)
      const expired: number[] = []
      let events = 0
      while (wheel.size > 0) {
        const now = wheel.nextEvent
        events++
        wheel.advance(now, Number.POSITIVE_INFINITY, slot => {
          expect(start + delayOf(slot)).toBe(now)
          expired.push(delayOf(slot))
        })
      }
      expect(expired).toEqual(delays.toSorted((a, b) => a - b))
      expect(events, 'no more than one a level for each entry').toBeLessThanOrEqual(delays.length * 8)
    }),
  )
})

test('gives exactly those whose time is up when it is turned by any step', () => {
  const steps = fc.array(delay, { minLength: 1, maxLength: 10 })
  fc.assert(
    fc.property(fc.array(delay, { maxLength: 40 }), steps, (delays, turns) => {
      const { wheel, delayOf } = wheelWith(delays)
      const expired: number[] = []
      let now = start
      for (const turn of turns) {
        now += turn
        wheel.advance(now, Number.POSITIVE_INFINITY, slot => expired.push(delayOf(slot)))
        const due = delays.filter(each => start + each <= now)
        expect(expired.toSorted((a, b) => a - b)).toEqual(due.toSorted((a, b) => a - b))
      }
    }),
  )
})

test('stops at the limit and goes on where it stopped', () => {
  const delays = Array.from({ length: 100 }, (_, i) => 5_000 + (i % 3))
  const { wheel } = wheelWith(delays)
  let expired = 0
  let calls = 0
  while (wheel.size > 0) {
    const before = expired
    wheel.advance(start + 10_000, 7, () => expired++)
    expect(expired - before).toBeLessThanOrEqual(7)
    calls++
  }
  expect(expired).toBe(100)
  expect(calls).toBeLessThanOrEqual(Math.ceil((100 * 4) / 7))
})
