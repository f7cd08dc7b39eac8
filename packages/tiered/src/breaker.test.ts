import { ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { Breaker, type BreakerSettings, type BreakerState, type Verdict } from './breaker.ts'

const SETTINGS: BreakerSettings = {
  timeouts: 3,
  failureRate: 0.5,
  minimumCalls: 10,
  windowMs: 10_000,
  openMs: 1_000,
  longestOpenMs: 8_000,
}

function breaker(settings: Partial<BreakerSettings> = {}) {
  const clock = new ManualClock()
  const states: BreakerState[] = []
  const tested = new Breaker({ ...SETTINGS, ...settings }, clock, state => states.push(state))
  const call = (...verdicts: Verdict[]): void => {
    for (const verdict of verdicts) {
      const pass = tested.enter()
      expect(pass).toBeDefined()
      if (pass) tested.ended(pass, verdict)
    }
  }
  return { clock, states, tested, call }
}

describe('a closed breaker', () => {
  it('opens after so many timeouts in a row', () => {
    const { tested, call, states } = breaker()
    call('timeout', 'timeout', 'ok', 'timeout', 'timeout')
    expect(tested.state).toBe('closed')
    call('timeout')
    expect(states).toEqual(['open'])
    expect(tested.enter()).toBeUndefined()
  })

  it('opens when more than the tolerated part of a window failed, and not before there are enough calls', () => {
    const { call, tested } = breaker()
    call(...Array<Verdict>(9).fill('failed'))
    expect(tested.state).toBe('closed')
    call('failed')
    expect(tested.state).toBe('open')
  })

  it('does not count what tells nothing', () => {
    const { call, tested } = breaker()
    call('timeout', 'timeout', 'unknown', 'unknown', ...Array<Verdict>(20).fill('unknown'))
    expect(tested.state).toBe('closed')
    call('timeout')
    expect(tested.state).toBe('open')
  })

  it('stays closed while no more than the tolerated part fails', () => {
    const { call, tested } = breaker()
    for (let round = 0; round < 100; round++) call('ok', 'failed')
    expect(tested.state).toBe('closed')
  })

  it('forgets what is older than the window', () => {
    const { call, tested, clock } = breaker()
    call(...Array<Verdict>(9).fill('failed'))
    clock.advance(11_000)
    call('failed')
    expect(tested.state).toBe('closed')
  })
})

describe('an open breaker', () => {
  const opened = () => {
    const made = breaker()
    made.call('timeout', 'timeout', 'timeout')
    return made
  }

  it('lets one call through after a while, and no other until that one ended', () => {
    const { tested, clock } = opened()
    clock.advance(700)
    expect([tested.wouldAllow, tested.enter()]).toEqual([false, undefined])
    clock.advance(600)
    expect(tested.wouldAllow).toBe(true)
    const probe = tested.enter()
    expect(probe).toBeDefined()
    expect([tested.wouldAllow, tested.enter(), tested.state]).toEqual([false, undefined, 'half-open'])
  })

  it('closes when the probe was answered, and counts anew', () => {
    const { tested, clock, call, states } = opened()
    clock.advance(1_300)
    call('ok')
    expect(states).toEqual(['open', 'half-open', 'closed'])
    call('timeout', 'timeout')
    expect(tested.state).toBe('closed')
  })

  it('stays open for twice as long after each probe that failed, up to a bound', () => {
    const { tested, clock, call } = opened()
    for (const ms of [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]) {
      clock.advance(ms * 0.7)
      expect(tested.enter()).toBeUndefined()
      clock.advance(ms * 0.6)
      call('failed')
    }
  })

  it('stays open, but not for longer, if the probe told nothing', () => {
    const { tested, clock, call } = opened()
    for (let round = 0; round < 5; round++) {
      clock.advance(1_300)
      call('unknown')
      expect(tested.state).toBe('open')
    }
  })

  it('learns nothing from calls that began before it opened', () => {
    const { tested, clock, call, states } = breaker()
    const early = tested.enter()
    call('timeout', 'timeout', 'timeout')
    clock.advance(1_300)
    const probe = tested.enter()
    if (early) tested.ended(early, 'ok')
    expect(tested.state).toBe('half-open')
    if (probe) tested.ended(probe, 'timeout')
    if (early) tested.ended(early, 'ok')
    expect(states).toEqual(['open', 'half-open', 'open'])
  })
})

describe('told that the remote seems to be back', () => {
  it('an open breaker lets the next call through, and only that one', () => {
    const { tested, call } = breaker()
    call('timeout', 'timeout', 'timeout')
    tested.probeSoon()
    expect(tested.wouldAllow).toBe(true)
    expect(tested.enter()).toBeDefined()
    expect(tested.enter()).toBeUndefined()
    tested.probeSoon()
    expect(tested.enter()).toBeUndefined()
  })
})
