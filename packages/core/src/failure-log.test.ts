import { expect, it } from 'vitest'
import { FailureLog } from './failure-log.ts'
import { ManualClock } from './manual-clock.ts'

it('an error is remembered for its time, also undefined, and until its key is taken out', () => {
  const clock = new ManualClock()
  const log = new FailureLog(clock)
  log.remember('a', undefined, 1_000)
  log.remember('b', 'no', 2_000)
  clock.advance(999)
  expect(log.get('a')).toMatchObject({ error: undefined })
  clock.advance(1)
  expect(log.get('a')).toBeUndefined()
  expect([...log.keys()]).toEqual(['b'])
  expect(log.delete('b')).toBe(true)
  expect(log.get('b')).toBeUndefined()
})

it('the oldest of too many is forgotten', () => {
  const log = new FailureLog(new ManualClock())
  for (let n = 0; n < 10_000; n++) log.remember(`k${n}`, n, 1_000)
  log.remember('k0', 'again', 1_000)
  log.remember('one more', 'no', 1_000)
  expect([...log.keys()]).toHaveLength(10_000)
  expect(log.get('k1')).toBeUndefined()
  expect(log.get('k0')).toMatchObject({ error: 'again' })
})
