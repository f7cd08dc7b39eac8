import { expect, test } from 'vitest'
import { ManualClock } from './manual-clock.ts'
import { Outage } from './outage.ts'

test('counts the time away, an outage that lasts included, and not the time between', () => {
  const clock = new ManualClock()
  const outage = new Outage(clock)
  expect(outage.ms).toBe(0)
  outage.note(true)
  clock.advance(300)
  outage.note(true)
  clock.advance(200)
  expect(outage.ms).toBe(500)
  outage.note(false)
  clock.advance(10_000)
  outage.note(false)
  outage.note(true)
  clock.advance(50)
  outage.note(false)
  expect(outage.ms).toBe(550)
})
