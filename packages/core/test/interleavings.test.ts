import { Cache, ManualClock } from '@cache/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ControlledStore, type Operation, settled } from './stores.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e']

/** A value knows when it was loaded or written, in steps of the run. */
interface Born {
  readonly at: number
}

/**
 * A run in which loads, writes and removals overlap in an order that fast-check chooses. The store answers in any
 * order, but what is done to one key happens in the order of the calls, as the contract of `Store` says.
 */
class Run {
  readonly clock = new ManualClock()
  readonly store = new ControlledStore(this.clock)
  readonly cache = new Cache<Born>({ store: this.store, clock: this.clock, batchSize: 1 })
  readonly second = new Cache<Born>({ store: this.store, clock: this.clock, batchSize: 2 })
  readonly calls: Promise<unknown>[] = []
  readonly loaders: (() => void)[] = []
  readonly invalidated = new Map<string, { at: number; by: 'write' | 'removal' }>()
  #step = 0

  invalidate(keys: readonly string[], by: 'write' | 'removal'): Born {
    this.#step++
    for (const key of keys) this.invalidated.set(key, { at: this.#step, by })
    return { at: this.#step }
  }

  /** A loader sees the origin as it is when it is called, and answers when the run lets it. */
  load<T>(give: (born: Born) => T): Promise<T> {
    const born = { at: ++this.#step }
    return new Promise(resolve => this.loaders.push(() => resolve(give(born))))
  }

  /** The operations that may happen next: of each key the oldest, where a clear is an operation of all keys. */
  ready(): Operation[] {
    return this.store.pending.filter((operation, index, all) => {
      const earlier = all.slice(0, index)
      const touches = (other: Operation): boolean =>
        operation.method === 'clear' || other.method === 'clear' || other.key === operation.key
      return !earlier.some(touches)
    })
  }

  async end(): Promise<void> {
    for (let idle = 0; idle < 2; idle++) {
      while (this.store.pending.length > 0 || this.loaders.length > 0) {
        idle = 0
        for (const answer of this.loaders.splice(0)) answer()
        await this.store.answerAll()
      }
      await settled()
    }
    await Promise.all(this.calls)
  }
}

type Step = (run: Run) => unknown

const key = fc.constantFrom(...KEYS)
const keys = fc.uniqueArray(key, { minLength: 1 })
const cacheOf = (run: Run, which: boolean): Cache<Born> => (which ? run.cache : run.second)

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(key, fc.boolean()).map(([k, which]) => (run: Run) => {
    run.calls.push(cacheOf(run, which).getOrSet(k, () => run.load(born => born)))
  }),
  fc.tuple(keys, fc.boolean()).map(([ks, which]) => (run: Run) => {
    const loader = (missing: readonly string[]): Promise<Map<string, Born>> =>
      run.load(born => new Map(missing.map(k => [k, born])))
    run.calls.push(cacheOf(run, which).getOrSetMany(ks, loader))
  }),
  fc.tuple(key, fc.integer({ min: 1, max: 900 })).map(([k, ttl]) => (run: Run) => {
    run.calls.push(run.cache.get(k, { ttl }))
  }),
  fc.tuple(key, fc.boolean()).map(([k, which]) => (run: Run) => {
    const born = run.invalidate([k], 'write')
    run.calls.push(cacheOf(run, which).set(k, born))
  }),
  fc.tuple(keys, fc.boolean()).map(([ks, which]) => (run: Run) => {
    const born = run.invalidate(ks, 'write')
    run.calls.push(cacheOf(run, which).setMany(ks.map(k => [k, born] as const)))
  }),
  fc.tuple(key, fc.boolean()).map(([k, which]) => (run: Run) => {
    run.invalidate([k], 'removal')
    run.calls.push(cacheOf(run, which).delete(k))
  }),
  keys.map(ks => (run: Run) => {
    run.invalidate(ks, 'removal')
    run.calls.push(run.cache.deleteMany(ks))
  }),
  fc.constant((run: Run) => {
    run.invalidate(KEYS, 'removal')
    run.calls.push(run.cache.clear())
  }),
)
const answer: fc.Arbitrary<Step> = fc.nat().chain(pick =>
  fc.constantFrom<Step>(
    run => {
      const ready = run.ready()
      return ready[pick % ready.length]?.answer()
    },
    run => {
      const ready = run.ready()
      ready[pick % ready.length]?.happen()
    },
    run => {
      for (const finish of run.loaders.splice(pick % (run.loaders.length + 1), 1)) finish()
    },
  ),
)

it('never leaves in the store what was loaded before the last invalidation of its key, nor loses what was written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(step, { weight: 2, arbitrary: answer }), {
        minLength: 5,
        maxLength: 60,
        size: 'max',
      }),
      async steps => {
        const run = new Run()
        for (const take of steps) {
          await take(run)
          await settled()
        }
        await run.end()
        for (const [k, { at, by }] of run.invalidated) {
          const held = run.store.inner.get(k)?.value as Born | undefined
          if (held) expect(held.at).toBeGreaterThanOrEqual(at)
          else expect(by).toBe('removal')
        }
        expect(run.cache.stats()).toMatchObject({ inFlight: 0, errors: 0 })
      },
    ),
    { numRuns: 400 },
  )
})
