import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { CacheError, ManualClock } from '@cache/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { validate } from '../test/validate.ts'
import { BoundedMap, partsOf } from './bounded-map.ts'
import { POLICY_NAMES, type RemovalCause } from './index.ts'

type Removal = readonly [key: unknown, value: unknown, cause: RemovalCause]

const invalid = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(message) })

afterEach(() => {
  vi.restoreAllMocks()
})

describe('options', () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', undefined, 15_000_001])(
    'a maxItems of %s is refused by name',
    maxItems => {
      expect(() => new BoundedMap({ maxItems: maxItems as number })).toThrow(
        invalid(/^maxItems must be an integer/),
      )
      expect(() => new BoundedMap({ maxItems: 3 }).resize(maxItems as number)).toThrow(invalid(/^maxItems/))
    },
  )

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, null])(
    'a maxBytes of %s is refused',
    maxBytes => {
      expect(() => new BoundedMap({ maxItems: 1, maxBytes: maxBytes as number })).toThrow(
        invalid(/^maxBytes/),
      )
    },
  )

  test('an unknown policy is refused with the list of the known ones', () => {
    expect(() => new BoundedMap({ maxItems: 1, policy: 'mru' as 'lru' })).toThrow(
      invalid(/^policy must be one of lru, lfu, fifo, random, sieve, s3-fifo, tiny-lfu; received "mru"/),
    )
  })

  test('what is no duration or no function is refused', () => {
    expect(() => new BoundedMap({ maxItems: 1, ttl: 0 })).toThrow(invalid(/^ttl/))
    expect(() => new BoundedMap({ maxItems: 1, weigh: 1 as never })).toThrow(
      invalid(/^weigh must be a function/),
    )
    expect(() => new BoundedMap({ maxItems: 1, onRemove: {} as never })).toThrow(invalid(/^onRemove/))
  })

  test('the ttl or end of one entry is refused before anything is written', () => {
    const map = new BoundedMap<string, number>({ maxItems: 2 })
    const badTtl = expect.objectContaining({ code: 'INVALID_TTL' })
    expect(() => map.set('a', 1, { ttl: -1 })).toThrow(badTtl)
    expect(() => map.set('a', 1, { expiresAt: Number.NaN })).toThrow(badTtl)
    expect(() => map.setUntil('a', 1, '5' as never)).toThrow(badTtl)
    expect(() => map.touch('a', Number.NaN)).toThrow(badTtl)
    expect(map.size).toBe(0)
  })
})

describe('keys and values', () => {
  test('keys are told apart as a Map tells them apart', () => {
    const keys: unknown[] = [
      '__proto__',
      'constructor',
      '',
      Number.NaN,
      -0,
      1n,
      Symbol('s'),
      {},
      {},
      null,
      undefined,
      () => 1,
      true,
      '1',
      1,
    ]
    const map = new BoundedMap<unknown, number>({ maxItems: 100, policy: 'fifo' })
    for (const [i, key] of keys.entries()) map.set(key, i)
    for (const [i, key] of keys.entries()) expect(map.get(key)).toBe(i)
    expect(map.get(0)).toBe(keys.indexOf(-0))
    expect([...map.keys()]).toEqual([...new Map(keys.map(key => [key, 1])).keys()])
    for (const key of keys) expect(map.delete(key)).toBe(true)
    expect(map.size).toBe(0)
    validate(map)
  })

  test('undefined and other falsy values are values', () => {
    const map = new BoundedMap<string, unknown>({ maxItems: 10 })
    for (const value of [undefined, null, 0, '', false]) {
      map.set('k', value)
      expect(map.has('k')).toBe(true)
      expect(map.get('k')).toBe(value)
    }
  })

  test('the arrays grow with use, not with the bound', () => {
    const map = new BoundedMap<number, number>({ maxItems: 10_000_000 })
    for (let i = 0; i < 10; i++) map.set(i, i)
    expect(partsOf(map).slots.capacity).toBeLessThan(100)
    for (let i = 0; i < 5_000; i++) map.set(i, i)
    expect(partsOf(map).slots.capacity).toBeLessThan(11_000)
    for (let i = 0; i < 5_000; i++) expect(map.get(i)).toBe(i)
    map.clear()
    expect(partsOf(map).slots.capacity).toBeLessThan(100)
    validate(map)
  })
})

describe('iteration', () => {
  test('goes from the next victim on, and is no use of an entry', () => {
    const map = new BoundedMap<string, number>({ maxItems: 3 })
    map.set('a', 1)
    map.set('b', 2)
    map.set('c', 3)
    map.get('a')
    expect([...map.keys()]).toEqual(['b', 'c', 'a'])
    expect([...map.values()]).toEqual([2, 3, 1])
    map.peek('b')
    map.has('b')
    map.set('d', 4)
    expect([...map]).toEqual([
      ['c', 3],
      ['a', 1],
      ['d', 4],
    ])
  })

  test('a map may change while it is iterated', () => {
    const map = new BoundedMap<number, number>({ maxItems: 4 })
    for (let i = 0; i < 4; i++) map.set(i, i)
    const seen: number[] = []
    for (const [key] of map) {
      seen.push(key)
      map.delete(key)
      map.delete(key + 1)
      map.set(key + 10, 0)
    }
    expect(seen).toEqual([0, 2])
    validate(map)
  })
})

describe('time', () => {
  test.each(POLICY_NAMES)('%s: a ttl ends to the millisecond, seen by every way of reading', policy => {
    const clock = new ManualClock()
    const still = { ...clock, now: () => clock.now(), setTimeout: () => ({}), clearTimeout: () => {} }
    const map = new BoundedMap<string, number>({ maxItems: 9, policy, ttl: '10s', clock: still })
    map.set('default', 1)
    map.set('own', 1, { ttl: '9999ms' })
    map.set('until', 1, { expiresAt: clock.now() + 10_001 })
    map.set('for good', 1, { expiresAt: Number.POSITIVE_INFINITY })
    clock.advance(9_999)
    expect(new Set(map.keys())).toEqual(new Set(['default', 'until', 'for good']))
    clock.advance(1)
    for (const read of ['get', 'peek'] as const) expect(map[read]('default')).toBeUndefined()
    expect(map.has('default')).toBe(false)
    expect(map.delete('own')).toBe(false)
    expect(map.touch('own', clock.now() + 5)).toBe(false)
    expect(map.peek('until')).toBe(1)
    clock.advance(1)
    expect([...map]).toEqual([['for good', 1]])
    validate(map)
  })

  test('time passes in a loop that never yields', () => {
    const map = new BoundedMap<string, number>({ maxItems: 2 })
    map.set('a', 1, { ttl: '5ms' })
    const end = Date.now() + 6
    while (Date.now() < end);
    expect(map.get('a')).toBeUndefined()
  })

  test('ends of up to a hundred years are exact, also after years of uptime', () => {
    const clock = new ManualClock(Date.UTC(2026, 0))
    const map = new BoundedMap<string, number>({ maxItems: 100, clock })
    const year = 365 * 86_400_000
    map.set('century', 0, { ttl: '36500d' })
    const end = clock.now() + 100 * year
    for (let month = 0; month < 36; month++) {
      map.set('short', month, { ttl: '1s' })
      map.set('long', month, { ttl: '40d' })
      const longEnd = clock.now() + 40 * 86_400_000
      clock.advance(999)
      expect(map.peek('short')).toBe(month)
      clock.advance(1)
      expect(map.peek('short')).toBeUndefined()
      clock.advance(30 * 86_400_000)
      expect(map.dump()).toEqual([
        ['century', 0, end],
        ['long', month, longEnd],
      ])
    }
    clock.advance(end - clock.now() - 1)
    expect([...map.keys()]).toEqual(['century'])
    clock.advance(1)
    expect(map.size).toBe(0)
  })

  test('a clock set back neither shows the dead nor loses the living', () => {
    const clock = new ManualClock(Date.UTC(2026, 0))
    let back = 0
    const setBack = {
      now: () => clock.now() - back,
      setTimeout: clock.setTimeout.bind(clock),
      clearTimeout: clock.clearTimeout.bind(clock),
    }
    const map = new BoundedMap<string, number>({ maxItems: 10, clock: setBack })
    map.set('before', 1, { ttl: 60 })
    back = 90 * 86_400_000
    map.set('after', 2, { ttl: 60 })
    clock.advance(59_999)
    expect(map.peek('after')).toBe(2)
    clock.advance(1)
    expect(map.peek('after')).toBeUndefined()
    expect(map.peek('before')).toBe(1)
  })

  test('entries without an end never ask for the time, and set no timer', () => {
    const clock = new ManualClock()
    const now = vi.spyOn(clock, 'now')
    const map = new BoundedMap<number, number>({ maxItems: 2, clock })
    for (let i = 0; i < 5; i++) map.set(i, i)
    map.get(4)
    map.has(4)
    map.delete(4)
    expect(now).not.toHaveBeenCalled()
    expect(clock.pending).toBe(0)
  })

  test('the timer is set for the first end only, and lets the process go', () => {
    const unref = vi.fn()
    const delays: number[] = []
    const clock = {
      now: () => 1_000,
      setTimeout: (_fn: () => void, ms: number) => {
        delays.push(ms)
        return { unref }
      },
      clearTimeout: vi.fn(),
    }
    const map = new BoundedMap<string, number>({ maxItems: 9, clock })
    map.setUntil('a', 1, 1_050)
    map.setUntil('b', 1, 1_060)
    expect(delays).toEqual([50])
    map.setUntil('c', 1, 1_010)
    expect(delays).toEqual([50, 10])
    expect(unref).toHaveBeenCalledTimes(2)
    map.clear()
    expect(clock.clearTimeout).toHaveBeenCalledTimes(2)
  })

  test('a pending timer does not keep alive a map that nobody holds', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const forgotten = (() => {
      const map = new BoundedMap<string, number>({ maxItems: 1 })
      map.set('a', 1, { ttl: '1h' })
      return new WeakRef(map)
    })()
    await new Promise(setImmediate)
    collect()
    expect(forgotten.deref()).toBeUndefined()
  })

  test('thousands of ends at once are reclaimed a thousand a turn', () => {
    const clock = new ManualClock()
    const told: number[] = []
    const turns: (() => void)[] = []
    const counting = {
      now: () => clock.now(),
      setTimeout: (fn: () => void) => {
        turns.push(fn)
        return {}
      },
      clearTimeout: () => {},
    }
    const map = new BoundedMap<number, number>({ maxItems: 10_000, ttl: 1, clock: counting })
    for (let i = 0; i < 5_000; i++) map.set(i, i)
    clock.advance(1_000)
    for (let turn = turns.pop(); turn; turn = turns.pop()) {
      const before = map.size
      turn()
      told.push(before - map.size)
    }
    expect(Math.max(...told)).toBeLessThanOrEqual(1_000)
    expect(map.size).toBe(0)
    expect(map.expirations).toBe(5_000)
  })

  test('nobody alive is evicted while somebody dead is there', () => {
    const clock = new ManualClock()
    const still = { now: () => clock.now(), setTimeout: () => ({}), clearTimeout: () => {} }
    const map = new BoundedMap<string, number>({ maxItems: 2, clock: still })
    map.set('alive', 1)
    map.set('dead', 1, { ttl: 1 })
    clock.advance(1_000)
    map.set('new', 1)
    expect([...map.keys()]).toEqual(['alive', 'new'])
    expect([map.evictions, map.expirations]).toEqual([0, 1])
  })

  test('an entry whose time is already up is not kept, and removes its elder', () => {
    const clock = new ManualClock()
    const map = new BoundedMap<string, number>({ maxItems: 2, clock })
    map.set('a', 1)
    expect(map.set('a', 2, { expiresAt: clock.now() })).toBe(false)
    expect(map.has('a')).toBe(false)
    map.set('a', 3)
    expect(map.touch('a', clock.now())).toBe(false)
    expect(map.size).toBe(0)
  })

  test('an end can be put off, brought forward and lifted', () => {
    const clock = new ManualClock()
    const map = new BoundedMap<string, number>({ maxItems: 2, clock })
    const from = clock.now()
    map.set('a', 1, { ttl: 1 })
    expect(map.touch('a', from + 5_000)).toBe(true)
    clock.advance(4_999)
    expect(map.size).toBe(1)
    map.touch('a', from + 90_000)
    map.touch('a', from + 6_000)
    clock.advance(1_001)
    expect(map.size).toBe(0)
    map.set('b', 1, { ttl: 1 })
    map.touch('b', Number.POSITIVE_INFINITY)
    clock.advance(10_000)
    expect(map.get('b')).toBe(1)
    expect(clock.pending).toBe(0)
  })
})

test('an end between two milliseconds comes at the earlier, for one that takes the place of another too', () => {
  let now = 1_800_000_000_000.5
  const clock = { now: () => now, setTimeout: () => ({}), clearTimeout: () => {} }
  const map = new BoundedMap<string, number>({ maxItems: 1, ttl: '1h', clock })
  for (const key of ['a', 'b']) {
    map.set(key, 1)
    now += 3_600_000 - 0.4
    expect(map.get(key)).toBeUndefined()
    now = 1_800_000_000_000.5
    map.set(key, 1)
  }
})

describe('bytes', () => {
  const weigh = (value: number): number => value
  test('the heaviest that fits is kept, and others make room', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10, maxBytes: 10, weigh })
    map.set('a', 4)
    map.set('b', 4)
    map.set('c', 2.5)
    expect([...map.keys()]).toEqual(['b', 'c'])
    expect(map.bytes).toBe(7)
    map.set('b', 7)
    expect([...map]).toEqual([
      ['c', 2.5],
      ['b', 7],
    ])
    map.set('b', 10)
    expect([...map]).toEqual([['b', 10]])
    map.delete('b')
    expect(map.bytes).toBe(0)
  })

  test.each([Number.NaN, -1, -0.5, 11, Number.POSITIVE_INFINITY, '3' as never])(
    'a weight of %s is refused, and the elder removed',
    weight => {
      const removals: Removal[] = []
      const map = new BoundedMap<string, number>({
        maxItems: 10,
        maxBytes: 10,
        weigh,
        onRemove: (...removal) => removals.push(removal),
      })
      map.set('other', 5)
      map.set('a', 5)
      expect(map.set('a', weight)).toBe(false)
      expect([...map.keys()]).toEqual(['other'])
      expect(removals).toEqual([['a', 5, 'replaced']])
      validate(map)
    },
  )

  test('weighing that changes the map does not corrupt it', () => {
    const map: BoundedMap<string, number> = new BoundedMap({
      maxItems: 2,
      maxBytes: 10,
      weigh: value => {
        if (value === 3) map.delete('a')
        return 1
      },
    })
    map.set('a', 1)
    map.set('b', 2)
    map.set('a', 3)
    expect([...map]).toEqual([
      ['b', 2],
      ['a', 3],
    ])
    validate(map)
  })

  test('an infinite weight is refused also without a bound on bytes', () => {
    const map = new BoundedMap<string, number>({ maxItems: 10, weigh })
    expect(map.set('a', Number.POSITIVE_INFINITY)).toBe(false)
    expect(map.set('a', 3)).toBe(true)
    expect(map.bytes).toBe(3)
  })

  test('what weigh throws reaches the caller, and nothing is changed', () => {
    const map = new BoundedMap<string, number>({
      maxItems: 10,
      weigh: value => {
        if (value === 2) throw new Error('no scales')
        return value
      },
    })
    map.set('a', 1)
    expect(() => map.set('a', 2)).toThrow('no scales')
    expect(map.get('a')).toBe(1)
    validate(map)
  })

  test('without weigh, bytes are estimated', () => {
    const map = new BoundedMap<string, string>({ maxItems: 1_000, maxBytes: 10_000 })
    for (let i = 0; i < 100; i++) map.set(`k${i}`, 'x'.repeat(1_000))
    expect(map.size).toBe(9)
    expect(map.bytes).toBeLessThanOrEqual(10_000)
  })
})

describe('onRemove', () => {
  const recording = (maxItems: number) => {
    const removals: Removal[] = []
    const clock = new ManualClock()
    const onRemove = (...removal: Removal): number => removals.push(removal)
    return { removals, clock, map: new BoundedMap<string, number>({ maxItems, clock, onRemove }) }
  }

  test('tells why each entry left', () => {
    const { map, clock, removals } = recording(2)
    map.set('a', 1)
    map.set('a', 2)
    map.set('a', 2)
    map.delete('a')
    map.set('b', 3)
    map.set('c', 4)
    map.set('d', 5, { ttl: 1 })
    clock.advance(1_000)
    map.clear()
    expect(removals).toEqual([
      ['a', 1, 'replaced'],
      ['a', 2, 'explicit'],
      ['b', 3, 'evicted'],
      ['d', 5, 'expired'],
      ['c', 4, 'cleared'],
    ])
  })

  test('tells those that resize evicts', () => {
    const { map, removals } = recording(3)
    for (const key of ['a', 'b', 'c']) map.set(key, 1)
    map.resize(1)
    expect(removals).toEqual([
      ['a', 1, 'evicted'],
      ['b', 1, 'evicted'],
    ])
    map.resize(2)
    map.set('d', 1)
    expect(map.size).toBe(2)
    validate(map)
  })

  test.each(POLICY_NAMES)('%s: may change the map, whose changes are told after', policy => {
    const log: string[] = []
    const map: BoundedMap<number, number> = new BoundedMap<number, number>({
      maxItems: 4,
      policy,
      onRemove: (key, _value, cause) => {
        log.push(`${key} ${cause} begins`)
        validate(map)
        if (key < 100) map.set(key + 100, key)
        map.delete(key + 1)
        if (key === 7) map.clear()
        validate(map)
        log.push(`${key} ${cause} ends`)
      },
    })
    for (let i = 0; i < 30; i++) {
      map.set(i, i)
      validate(map)
    }
    for (let i = 0; i < log.length; i += 2) expect(log[i + 1]).toBe(log[i]?.replace('begins', 'ends'))
  })

  test('a listener that answers every eviction with a set does not hold the caller for ever', () => {
    const clock = new ManualClock()
    let told = 0
    const map: BoundedMap<number, number> = new BoundedMap<number, number>({
      maxItems: 1,
      clock,
      onRemove: (key, value) => {
        told++
        map.set(key, value)
      },
    })
    map.set(1, 1)
    map.set(2, 2)
    expect(told).toBeGreaterThan(1)
    expect(map.size).toBe(1)
    expect(clock.pending, 'the rest is told later').toBe(1)
  })

  test('what it throws is a process warning, once; the call and the map go on', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const clock = new ManualClock()
    const map = new BoundedMap<string, number>({
      maxItems: 1,
      clock,
      onRemove: () => {
        throw new Error('listener')
      },
    })
    map.set('a', 1, { ttl: 1 })
    map.set('b', 2, { ttl: 1 })
    expect(map.get('b')).toBe(2)
    clock.advance(1_000)
    map.set('c', 3)
    expect(map.delete('c')).toBe(true)
    expect(map.size).toBe(0)
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.any(CacheError))
    validate(map)
  })
})

describe('dump and restore', () => {
  test.each(POLICY_NAMES)('%s: a restart through JSON keeps entries, ends and order', policy => {
    const clock = new ManualClock()
    const first = new BoundedMap<string, number>({ maxItems: 4, policy, clock })
    first.set('a', 1)
    first.set('b', 2, { ttl: 60 })
    first.set('c', 3, { ttl: 10 })
    first.set('d', 4)
    first.get('a')
    const dumped = JSON.parse(JSON.stringify(first.dump())) as ReturnType<typeof first.dump>
    clock.advance(10_000)
    const second = new BoundedMap<string, number>({ maxItems: 4, policy, clock })
    second.restore(dumped)
    expect([...second]).toEqual([...first])
    clock.advance(50_000)
    expect(second.has('b')).toBe(false)
    validate(second)
  })

  test('a smaller map keeps those that were to stay longest', () => {
    const map = new BoundedMap<string, number>({ maxItems: 2 })
    map.restore([
      ['a', 1, null],
      ['b', 2, null],
      ['c', 3, null],
    ])
    expect([...map.keys()]).toEqual(['b', 'c'])
  })
})

describe('onRemove, set later', () => {
  test('takes the place of who was told before, until there is none', () => {
    const first: unknown[] = []
    const second: unknown[] = []
    const map = new BoundedMap<string, number>({ maxItems: 1, onRemove: key => first.push(key) })
    map.set('a', 1)
    map.set('b', 1)
    map.onRemove = key => second.push(key)
    map.set('c', 1)
    map.onRemove = undefined
    map.set('d', 1)
    map.clear()
    expect([first, second]).toEqual([['a'], ['b']])
    expect(() => {
      map.onRemove = 5 as never
    }).toThrow(/^onRemove must be a function/)
  })
})
