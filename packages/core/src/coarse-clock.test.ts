import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from './clock.ts'
import { CoarseClock } from './coarse-clock.ts'
import { ManualClock } from './manual-clock.ts'

/** Time goes by while the event loop is held up: no timer runs. */
const holdTheLoop = (ms: number) => vi.setSystemTime(Date.now() + ms)

describe('the time for decisions at every hit', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is the machine’s, at most one turn old', () => {
    const clock = CoarseClock.of(systemClock)
    const before = clock.now()
    expect(before).toBe(Date.now())
    vi.advanceTimersByTime(60_000)
    expect(clock.now()).toBe(before + 60_000)
    expect(clock.now()).toBe(Date.now())
  })

  it('goes on within a turn, after a few looks', () => {
    const clock = CoarseClock.of(systemClock)
    const before = clock.now()
    holdTheLoop(5_000)
    expect(clock.now()).toBe(before)
    for (let look = 0; look < 32; look++) clock.now()
    expect(clock.now()).toBe(before + 5_000)
  })

  it('leaves one timer at most behind', () => {
    const clock = CoarseClock.of(systemClock)
    for (let look = 0; look < 1_000; look++) clock.now()
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is that of a clock that was given', () => {
    const given = new ManualClock()
    expect(CoarseClock.of(given)).toBe(given)
  })
})
