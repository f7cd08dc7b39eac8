import { describe, expect, it } from 'vitest'
import { ManualClock } from './manual-clock.ts'

describe('ManualClock', () => {
  it('stands still until it is turned', () => {
    const clock = new ManualClock(5)
    expect(clock.now()).toBe(5)
    clock.advance(10)
    expect(clock.now()).toBe(15)
    expect(new ManualClock().now()).toBe(1_000_000)
  })

  it('runs timers in order of their time, then of their making, each at its own time', () => {
    const clock = new ManualClock(0)
    const runs: [string, number][] = []
    const note = (name: string) => () => runs.push([name, clock.now()])
    clock.setTimeout(note('late'), 20)
    clock.setTimeout(note('first'), 10)
    clock.setTimeout(note('second'), 10)
    clock.setTimeout(note('beyond'), 31)
    clock.advance(30)
    expect(runs).toEqual([
      ['first', 10],
      ['second', 10],
      ['late', 20],
    ])
    expect(clock.now()).toBe(30)
    expect(clock.pending).toBe(1)
  })

  it('runs timers that a timer sets, if they fall due too', () => {
    const clock = new ManualClock(0)
    const runs: number[] = []
    clock.setTimeout(() => clock.setTimeout(() => runs.push(clock.now()), 5), 5)
    clock.advance(9)
    expect(runs).toEqual([])
    clock.advance(1)
    expect(runs).toEqual([10])
  })

  it('does not run what was cleared, and lets handles be unreferenced', () => {
    const clock = new ManualClock()
    const timer = clock.setTimeout(() => expect.fail('ran'), 1)
    expect(timer.unref?.()).toBe(timer)
    clock.clearTimeout(timer)
    clock.advance(10)
    expect(clock.pending).toBe(0)
  })
})
