import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mix } from '../src/hashing.ts'
import type { Policy } from '../src/policies/index.ts'
import { KeyHasher } from '../src/policies/key-hasher.ts'
import { S3Fifo } from '../src/policies/s3-fifo.ts'
import { Shadow } from '../src/policies/shadow.ts'
import { Sieve } from '../src/policies/sieve.ts'
import { TinyLfu } from '../src/policies/tiny-lfu.ts'
import { FIRST_SHARE, WindowChooser } from '../src/policies/window-chooser.ts'
import { WindowTinyLfu } from '../src/policies/window-tiny-lfu.ts'
import type { Slots } from '../src/slots.ts'
import { NaiveS3Fifo, NaiveSieve } from './naive-policies.ts'
import { NaiveTinyLfu } from './naive-tiny-lfu.ts'
import { PolicyHost } from './policy-host.ts'
import { ring } from './validate.ts'

const SHARES = [0.01, 0.1, 0.5, 1]

/** A window of one share as a policy for keys that are their own hashes. */
class FixedWindow extends WindowTinyLfu implements Policy {
  #hash = 0

  arrive(key: unknown): void {
    this.#hash = key as number
  }

  override admit(slot: number): void {
    super.admit(slot, this.#hash)
  }
}

interface Naive {
  limit?(maxItems: number): void
  arrive?(key: number): void
  admit(key: number): void
  use(key: number): void
  remove(key: number): void
  victim(): number
}

/** A policy beside its naive model; every step is done to both. */
class Pair {
  readonly host: PolicyHost<number>
  /** Entries before the step. */
  #held = 0
  readonly #naive: Naive
  readonly #compare: (slots: Slots<unknown, unknown>) => void

  constructor(host: PolicyHost<number>, naive: Naive, compare: (slots: Slots<unknown, unknown>) => void) {
    this.host = host
    this.#naive = naive
    this.#compare = compare
  }

  do(step: Step): void {
    const { host } = this
    if (step.do === 'resize') {
      const victims = host.size - step.maxItems
      host.resize(step.maxItems)
      this.#naive.limit?.(step.maxItems)
      this.#evict(victims)
    } else if (step.do === 'delete') {
      if (host.has(step.key)) this.#naive.remove(step.key)
      host.delete(step.key)
    } else if (host.read(step.key)) {
      this.#naive.use(step.key)
    } else {
      this.#naive.arrive?.(step.key)
      this.#evict(this.#held === host.maxItems ? 1 : 0)
      this.#naive.admit(step.key)
    }
    this.#held = host.size
    this.#compare(host.slots)
  }

  #evict(victims: number): void {
    for (let i = 0; i < victims; i++) this.#naive.remove(this.#naive.victim())
  }
}

type Step =
  | { readonly do: 'read' | 'delete'; readonly key: number }
  | { readonly do: 'resize'; readonly maxItems: number }

/** Mostly reads, of keys some of which come again soon and others never. */
function steps(keys: number): fc.Arbitrary<Step[]> {
  const key = fc.oneof(fc.nat(keys), fc.nat(Math.ceil(keys / 5))).map(mix)
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 60, arbitrary: fc.record({ do: fc.constant('read' as const), key }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('resize' as const), maxItems: fc.integer({ min: 1, max: 30 }) }),
    },
  )
  return fc.array(step, { minLength: 50, maxLength: 800, size: 'max' })
}

function check(makePair: (maxItems: number) => Pair): void {
  const run = (maxItems: number, all: readonly Step[]): void => {
    const pair = makePair(maxItems)
    for (const step of all) pair.do(step)
  }
  fc.assert(fc.property(fc.integer({ min: 1, max: 30 }), steps(60), run), { numRuns: 100 })
}

/** `expect` is too slow to be asked every time. */
function same(received: readonly unknown[], expected: readonly unknown[]): void {
  if (received.join() !== expected.join()) expect(received).toEqual(expected)
}

function keysIn(slots: Slots<unknown, unknown>, anchor: number): unknown[] {
  return ring(slots, anchor).map(slot => slots.keyAt(slot))
}

describe('does what the naive policy does, whatever is read, deleted and resized', () => {
  test('sieve', () => {
    check(maxItems => {
      const naive = new NaiveSieve<number>()
      const host = new PolicyHost<number>(Sieve, maxItems, slots => new Sieve(slots))
      return new Pair(host, naive, slots => {
        same(keysIn(slots, 0), naive.arrivals())
        same(host.keys(), naive.order())
      })
    })
  })

  test('s3-fifo', () => {
    check(maxItems => {
      const naive = new NaiveS3Fifo<number>()
      return new Pair(new PolicyHost<number>(S3Fifo, maxItems, slots => new S3Fifo(slots)), naive, slots => {
        same(keysIn(slots, 0), naive.small)
        same(keysIn(slots, 1), naive.main)
      })
    })
  })

  test.each(SHARES)('tiny-lfu with a window of %d', share => {
    check(maxItems => {
      const naive = new NaiveTinyLfu(maxItems, share)
      const host = new PolicyHost<number, FixedWindow>(
        FixedWindow,
        maxItems,
        slots => new FixedWindow(slots, share),
      )
      return new Pair(host, naive, slots => {
        for (const [anchor, keys] of [naive.window, naive.probation, naive.protected].entries()) {
          same(keysIn(slots, anchor), keys)
          const frequencies = ring(slots, anchor).map(slot => host.policy.frequency(slot))
          same(
            frequencies,
            keys.map(key => naive.frequency.get(key)),
          )
        }
      })
    })
  })
})

test.each(SHARES)('a shadow with a window of %d hits when a cache of its size would', share => {
  const run = (capacity: number, keys: readonly number[]): void => {
    const shadow = new Shadow(capacity, share)
    const host = new PolicyHost<number, FixedWindow>(
      FixedWindow,
      capacity,
      slots => new FixedWindow(slots, share),
    )
    for (const key of keys) assert.equal(shadow.access(key), host.read(key))
  }
  // Few low bits: many hashes want the same cell.
  const hash = fc.record({ high: fc.nat(9), low: fc.nat(3) }).map(({ high, low }) => (mix(high) << 4) | low)
  const hashes = fc.array(hash, { minLength: 20, maxLength: 400, size: 'max' })
  fc.assert(fc.property(fc.integer({ min: 1, max: 24 }), hashes, run), { numRuns: 200 })
})

test('tiny-lfu goes by all that its cache was asked for since its first eviction', () => {
  const [maxItems, seed] = [100, 1]
  const host = new PolicyHost<number, TinyLfu>(TinyLfu, maxItems, slots => new TinyLfu(slots, seed))
  const chooser = new WindowChooser(maxItems, FIRST_SHARE)
  const hasher = new KeyHasher(seed)
  const shares = new Set<number>()
  let evicted = false
  const read = (key: number): void => {
    evicted ||= host.size === maxItems && !host.has(key)
    host.read(key)
    if (evicted) chooser.observe(hasher.hash(key))
    assert.equal(host.policy.share, chooser.share)
    shares.add(chooser.share)
  }
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5_000; i++) read(i % 130)
    for (let i = 0; i < 5_000; i++) read(1_000 + (i % 2 === 0 ? i / 2 + 40 : (i - 1) / 2))
  }
  expect(shares.size).toBeGreaterThan(2)
})

test('tiny-lfu keeps its rings whole while windows and bounds change under it', () => {
  const run = (maxItems: number, all: readonly Step[], seed: number): void => {
    const host = new PolicyHost<number>(TinyLfu, maxItems, slots => new TinyLfu(slots, seed))
    for (const step of all) {
      if (step.do === 'resize') host.resize(step.maxItems * 20)
      else if (step.do === 'delete') host.delete(step.key)
      else host.read(step.key)
      const held = [1, 0, 2].flatMap(anchor => ring(host.slots, anchor))
      same(held, [...host.policy.order()])
      same([new Set(held).size], [host.size])
    }
  }
  fc.assert(fc.property(fc.integer({ min: 1, max: 600 }), steps(900), fc.nat(), run), { numRuns: 30 })
})
