import { Cache, type ManualClock } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STORES } from './support.ts'

const KEYS = ['a', 'b', 'n:a', '__proto__', 'm']
const TTL_MS = 10_000

/** What a cache should be: values with a time to live, under whole keys. */
class Model {
  readonly #values = new Map<string, { value: number; until: number }>()
  readonly #clock: ManualClock
  readonly prefix: string

  constructor(clock: ManualClock, prefix = '', values?: Map<string, { value: number; until: number }>) {
    this.#clock = clock
    this.prefix = prefix
    if (values) this.#values = values
  }

  get(key: string): number | undefined {
    const held = this.#values.get(this.prefix + key)
    return held && held.until > this.#clock.now() ? held.value : undefined
  }

  set(key: string, value: number, ttl = TTL_MS): void {
    this.#values.set(this.prefix + key, { value, until: this.#clock.now() + ttl })
  }

  slide(key: string, ttl: number): void {
    const held = this.#values.get(this.prefix + key)
    if (held && this.get(key) !== undefined) held.until = Math.max(held.until, this.#clock.now() + ttl)
  }

  delete(key: string): void {
    this.#values.delete(this.prefix + key)
  }

  clear(): void {
    for (const key of this.#values.keys()) if (key.startsWith(this.prefix)) this.#values.delete(key)
  }

  found(keys: readonly string[]): [string, number][] {
    return [...new Set(keys)].flatMap(key => {
      const value = this.get(key)
      return value === undefined ? [] : [[key, value] as [string, number]]
    })
  }

  namespace(name: string): Model {
    return new Model(this.#clock, `${this.prefix}${name}:`, this.#values)
  }
}

interface Pair {
  readonly cache: Cache<number>
  readonly model: Model
  readonly clock: ManualClock
}
type Step = (pair: Pair) => Promise<void>

const key = fc.constantFrom(...KEYS)
const keys = fc.array(key, { maxLength: 6 })
const value = fc.integer({ min: 0, max: 9 })
const seconds = fc.integer({ min: 1, max: 30 })

const plainStep: fc.Arbitrary<Step> = fc.oneof(
  key.map(k => async ({ cache, model }: Pair) => {
    expect(await cache.get(k)).toBe(model.get(k))
    expect(await cache.has(k)).toBe(model.get(k) !== undefined)
    expect((await cache.getEntry(k))?.value).toBe(model.get(k))
  }),
  fc.tuple(key, seconds).map(([k, ttl]) => async ({ cache, model }: Pair) => {
    expect(await cache.get(k, { ttl })).toBe(model.get(k))
    model.slide(k, ttl * 1_000)
  }),
  fc.tuple(key, value).map(([k, v]) => async ({ cache, model }: Pair) => {
    await cache.set(k, v)
    model.set(k, v)
  }),
  fc.tuple(key, value, seconds).map(([k, v, ttl]) => async ({ cache, model }: Pair) => {
    await cache.set(k, v, { ttl: `${ttl}s` })
    model.set(k, v, ttl * 1_000)
  }),
  key.map(k => async ({ cache, model }: Pair) => {
    await cache.delete(k)
    model.delete(k)
  }),
  keys.map(ks => async ({ cache, model }: Pair) => {
    expect([...(await cache.getMany(ks))]).toEqual(model.found(ks))
  }),
  fc.tuple(keys, value, seconds).map(([ks, v, ttl]) => async ({ cache, model }: Pair) => {
    await cache.setMany(
      ks.map((k, n) => [k, v + n] as const),
      { ttl },
    )
    for (const [n, k] of ks.entries()) model.set(k, v + n, ttl * 1_000)
  }),
  keys.map(ks => async ({ cache, model }: Pair) => {
    await cache.deleteMany(ks)
    for (const k of ks) model.delete(k)
  }),
  fc.tuple(key, value).map(([k, v]) => async ({ cache, model }: Pair) => {
    const held = model.get(k)
    expect(await cache.getOrSet(k, () => v)).toBe(held ?? v)
    if (held === undefined) model.set(k, v)
  }),
  fc.tuple(keys, value).map(([ks, v]) => async ({ cache, model }: Pair) => {
    const missing = [...new Set(ks)].filter(k => model.get(k) === undefined)
    const values = await cache.getOrSetMany(ks, asked => {
      expect(asked).toEqual(missing)
      return new Map(asked.map(k => [k, v]))
    })
    for (const k of missing) model.set(k, v)
    expect([...values]).toEqual(model.found(ks))
  }),
  fc.constant(async ({ cache, model }: Pair) => {
    await cache.clear()
    model.clear()
  }),
  fc.integer({ min: 1, max: 15_000 }).map(
    ms =>
      async ({ clock }: Pair) =>
        clock.advance(ms),
  ),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: plainStep },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('n', 'm', '__proto__'), plainStep).map(
      ([name, inner]) =>
        ({ cache, model, clock }: Pair) =>
          inner({ cache: cache.namespace(name), model: model.namespace(name), clock }),
    ),
  },
)

describe.each(Object.entries(STORES))('a cache over %s', (_, make) => {
  it('is a map whose values expire, whatever is done to it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const { clock, store, inner } = make()
        const cache = new Cache<number>({ store, clock, jitter: 0, ttl: TTL_MS / 1_000, batchSize: 2 })
        const model = new Model(clock)
        for (const take of steps) await take({ cache, model, clock })
        for (const k of [...KEYS, ...inner.entries.keys()]) expect(await cache.get(k)).toBe(model.get(k))
        expect(cache.stats()).toMatchObject({ errors: 0, inFlight: 0 })
      }),
      { numRuns: 150 },
    )
  })
})
