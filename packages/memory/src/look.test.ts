import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BoundedMap } from './bounded-map.ts'

const START = 1_800_000_000_000
const HOUR = 3_600_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: START })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Time passes, but the event loop does not turn: no timer runs. */
const holdTheLoop = (ms: number) => vi.setSystemTime(Date.now() + ms)

describe('looking at the machine’s clock', () => {
  test('one look serves many reads while nothing ends soon', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10, ttl: '1h' })
    map.set('k', 1)
    const look = vi.spyOn(Date, 'now')
    for (let i = 0; i < 3_300; i++) expect(map.get('k')).toBe(1)
    expect(look.mock.calls.length).toBeLessThanOrEqual(101)
  })

  test('an entry that ends soon is not seen after its end, even in a loop that never yields', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10 })
    map.set('later', 2, { ttl: '1h' })
    map.set('k', 1, { ttl: '500ms' })
    holdTheLoop(499)
    expect([map.get('k'), map.get('later')]).toEqual([1, 2])
    holdTheLoop(1)
    expect([map.get('k'), map.get('later')]).toEqual([undefined, 2])
  })

  test('a short ttl counts from now, however long the loop was held before', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10, ttl: '1h' })
    map.set('later', 2)
    map.get('later')
    holdTheLoop(30_000)
    map.set('k', 1, { ttl: '900ms' })
    holdTheLoop(899)
    expect(map.get('k')).toBe(1)
    holdTheLoop(1)
    expect(map.get('k')).toBeUndefined()
  })

  test('so does a short ttl of the map, whose writes each look', () => {
    const map = new BoundedMap<string, number>({ maxItems: 2, ttl: '5s' })
    for (const key of ['a', 'b']) map.set(key, 1)
    holdTheLoop(3_000)
    for (const key of ['b', 'k']) map.set(key, 2)
    vi.advanceTimersByTime(4_999)
    expect([map.get('b'), map.get('k')]).toEqual([2, 2])
    vi.advanceTimersByTime(1)
    expect([map.get('b'), map.get('k')]).toEqual([undefined, undefined])
  })

  test('writes by a long ttl go by one look, and so end no later than theirs', () => {
    const map = new BoundedMap<string, number>({ maxItems: 2, ttl: '1h' })
    map.set('a', 1)
    const look = vi.spyOn(Date, 'now')
    for (let i = 0; i < 3_300; i++) map.set(`k${i % 7}`, i)
    expect(look.mock.calls.length).toBeLessThanOrEqual(104)
    holdTheLoop(HOUR)
    expect([...map.keys()]).toEqual([])
  })

  test('a loop that never yields sees time pass within 32 reads', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10, ttl: '1h' })
    map.set('k', 1)
    map.get('k')
    holdTheLoop(HOUR)
    let seen = 0
    while (seen < 100 && map.get('k') !== undefined) seen++
    expect(seen).toBeLessThanOrEqual(32)
  })

  test('after a turn of the loop the first read looks again', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10, ttl: '1h' })
    map.set('k', 1)
    map.get('k')
    vi.advanceTimersByTime(1)
    holdTheLoop(HOUR)
    expect(map.get('k')).toBeUndefined()
  })

  test('an end set in a map that had none is seen, whatever was read before', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10 })
    map.set('k', 1)
    map.get('k')
    map.setUntil('k', 1, START + 2 * HOUR)
    vi.advanceTimersByTime(1)
    holdTheLoop(2 * HOUR)
    expect(map.get('k')).toBeUndefined()
  })

  test('what is written anew after a clear ends, though the last look still serves', () => {
    const map = new BoundedMap<string, number>({ maxItems: 2, ttl: '1h' })
    map.set('a', 1)
    map.clear()
    for (const key of ['a', 'b', 'b', 'c']) map.set(key, 2)
    vi.advanceTimersByTime(HOUR - 1)
    expect([map.get('b'), map.get('c')]).toEqual([2, 2])
    vi.advanceTimersByTime(1)
    expect([map.get('b'), map.get('c')]).toEqual([undefined, undefined])
  })

  test('a clock that is set back does not let an entry be seen after its end', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10 })
    map.set('old', 1, { ttl: '1h' })
    vi.advanceTimersByTime(1)
    vi.setSystemTime(START - 10 * HOUR)
    map.set('k', 2, { ttl: '2h' })
    vi.setSystemTime(START - 8 * HOUR)
    expect(map.get('k')).toBeUndefined()
  })

  test('entries without end never look, and a map of them keeps no timer', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10 })
    map.set('k', 1)
    const look = vi.spyOn(Date, 'now')
    for (let i = 0; i < 100; i++) map.get('k')
    expect(look).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})
