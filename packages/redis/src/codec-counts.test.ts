import { afterEach, expect, test, vi } from 'vitest'
import { SampledTime } from './codec-counts.ts'

afterEach(() => vi.restoreAllMocks())

test('the time of all calls is estimated from one in eight, and the clock is not looked at for the others', () => {
  let now = 0
  const looks = vi.spyOn(performance, 'now').mockImplementation(() => now)
  const time = new SampledTime()
  for (let i = 0; i < 20; i++) {
    const begun = time.begin()
    now += 2
    time.end(begun)
  }
  expect(looks).toHaveBeenCalledTimes(6)
  expect([time.count, time.ms]).toEqual([20, 40])
})

test('calls that throw are not counted, and nothing is known before the first', () => {
  const time = new SampledTime()
  expect([time.count, time.ms]).toEqual([0, 0])
  time.begin()
  time.end(time.begin())
  expect([time.count, time.ms]).toEqual([1, 0])
})
