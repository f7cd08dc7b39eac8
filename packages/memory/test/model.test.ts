import assert from 'node:assert/strict'
import { type Clock, ManualClock } from '@cache/core'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { BoundedMap, POLICY_NAMES, type PolicyName, type RemovalCause } from '../src/index.ts'
import { NaiveMap, type Pick } from './naive-map.ts'
import { naivePolicy } from './naive-policies.ts'
import { validate } from './validate.ts'

const DAY = 86_400_000
const WEIGHTS = [0, 1, 2, 5, 30]

type Step =
  | { readonly do: 'set'; readonly key: string; readonly weight: number; readonly ttl: number }
  | { readonly do: 'set by the usual ttl'; readonly key: string; readonly weight: number }
  | { readonly do: 'touch'; readonly key: string; readonly ttl: number }
  | { readonly do: 'get' | 'peek' | 'has' | 'delete'; readonly key: string }
  | { readonly do: 'resize'; readonly maxItems: number }
  | { readonly do: 'turn' | 'jump'; readonly ms: number }
  | { readonly do: 'clear' }

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', '__proto__')
const ms = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 10_000 }),
  fc.integer({ min: 1, max: 60 * DAY }),
  fc.constantFrom(63, 64, 65, 4_095, 4_096, 4_097, 2 ** 31 - DAY, 2 ** 31, 2 ** 32 - DAY, 36_500 * DAY),
)
const ttl = fc.oneof(ms, fc.constant(Number.POSITIVE_INFINITY))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constant('set'), key, weight: fc.constantFrom(...WEIGHTS), ttl }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('set by the usual ttl'),
      key,
      weight: fc.constantFrom(...WEIGHTS),
    }),
  },
  { weight: 20, arbitrary: fc.record({ do: fc.constantFrom('get', 'get', 'peek', 'has', 'delete'), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('touch'), key, ttl }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('resize'), maxItems: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 20, arbitrary: fc.record({ do: fc.constantFrom('turn', 'jump'), ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear') }) },
) as fc.Arbitrary<Step>

/** A map beside the naive one; every step is done to both. It asserts as {@link validate} does, for the same reason. */
class Pair {
  readonly #manual = new ManualClock()
  #jumped = 0
  readonly #clock: Clock = {
    now: () => this.#manual.now() + this.#jumped,
    setTimeout: (fn, delay) => this.#manual.setTimeout(fn, delay),
    clearTimeout: handle => this.#manual.clearTimeout(handle),
  }
  readonly #removed = new Map<number, RemovalCause>()
  readonly #weights: number[] = []
  readonly #map: BoundedMap<string, number>
  readonly #naive: NaiveMap
  readonly #ordered: boolean
  readonly #usualTtl: number

  constructor(policy: PolicyName, maxItems: number, maxBytes: number | undefined, usualTtl: number) {
    this.#usualTtl = usualTtl
    this.#ordered = naivePolicy(policy) !== undefined
    this.#map = new BoundedMap({
      maxItems,
      policy,
      clock: this.#clock,
      ...(Number.isFinite(usualTtl) && { ttl: `${usualTtl}ms` }),
      ...(maxBytes !== undefined && { maxBytes, weigh: (value: number) => this.#weights[value] as number }),
      onRemove: (_key, value, cause) => {
        assert.ok(!this.#removed.has(value), 'a removal is told once')
        this.#removed.set(value, cause)
      },
    })
    this.#naive = new NaiveMap(policy, maxItems, maxBytes ?? Number.POSITIVE_INFINITY)
  }

  do(step: Step): void {
    const pick = this.#picker()
    const now = this.#clock.now()
    this.#naive.expire(now)
    switch (step.do) {
      case 'set': {
        const value = this.#weights.push(step.weight) - 1
        const taken = this.#map.set(step.key, value, { expiresAt: now + step.ttl })
        assert.equal(taken, this.#naive.set(step.key, value, step.weight, now + step.ttl, pick))
        break
      }
      case 'set by the usual ttl': {
        const value = this.#weights.push(step.weight) - 1
        const taken = this.#map.set(step.key, value)
        assert.equal(taken, this.#naive.set(step.key, value, step.weight, now + this.#usualTtl, pick))
        break
      }
      case 'touch':
        assert.equal(this.#map.touch(step.key, now + step.ttl), this.#naive.touch(step.key, now + step.ttl))
        break
      case 'get':
      case 'peek':
        assert.equal(this.#map[step.do](step.key), this.#naive[step.do](step.key))
        break
      case 'has':
        assert.equal(this.#map.has(step.key), this.#naive.peek(step.key) !== undefined)
        break
      case 'delete':
        assert.equal(this.#map.delete(step.key), this.#naive.delete(step.key))
        break
      case 'resize':
        this.#map.resize(step.maxItems)
        this.#naive.resize(step.maxItems, pick)
        break
      case 'turn':
        this.#manual.advance(step.ms)
        this.#naive.expire(this.#clock.now())
        break
      case 'jump':
        this.#jumped += step.ms
        this.#naive.expire(this.#clock.now())
        break
      case 'clear':
        this.#map.clear()
        this.#naive.clear()
    }
    this.#compare(step.do === 'turn' && this.#jumped === 0)
  }

  /** Nothing may have left unnoticed, or for another reason. */
  end(): void {
    this.#map.clear()
    this.#naive.clear()
    for (const [value, cause] of this.#naive.causes)
      assert.deepEqual([value, this.#removed.get(value)], [value, cause])
    assert.equal(this.#removed.size, this.#naive.causes.size)
  }

  #compare(reclaimed: boolean): void {
    validate(this.#map)
    const expected = this.#naive.entries().map(({ key, value, expiresAt }) => {
      return [key, value, Number.isFinite(expiresAt) ? expiresAt : null]
    })
    const dumped = this.#map.dump()
    if (this.#ordered) assert.deepEqual(dumped, expected)
    else assert.deepEqual(new Map(by(dumped)), new Map(by(expected)))
    if (reclaimed) assert.equal(this.#map.size, expected.length, 'the timer reclaims to the millisecond')
  }

  /** The victims of this step in turn, as the map chose them. */
  #picker(): Pick {
    let next = this.#evicted().length
    return () => this.#evicted()[next++]
  }

  #evicted(): number[] {
    return [...this.#removed].filter(([, cause]) => cause === 'evicted').map(([value]) => value)
  }
}

function by(rows: readonly (readonly unknown[])[]): [unknown, unknown][] {
  return rows.map(row => [row[0], row])
}

const CASES = POLICY_NAMES.flatMap(policy => [
  { policy, bound: 'items', maxBytes: undefined },
  { policy, bound: 'items and bytes', maxBytes: 8 },
])

describe.each(CASES)('$policy bound by $bound', ({ policy, maxBytes }) => {
  test('does what the naive map does, whatever is called in whatever order', () => {
    const run = (maxItems: number, usualTtl: number, steps: readonly Step[]): void => {
      const pair = new Pair(policy, maxItems, maxBytes, usualTtl)
      for (const each of steps) pair.do(each)
      pair.end()
    }
    const steps = fc.array(step, { maxLength: 60, size: 'max' })
    fc.assert(fc.property(fc.integer({ min: 1, max: 6 }), ttl, steps, run), { numRuns: 300 })
  })
})
