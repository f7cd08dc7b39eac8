import { getEventListeners } from 'node:events'
import { Cache, ManualClock, type Store, type WarmUpItem, type WarmUpProgress } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { BareStore, ControlledStore, FullStore, settled } from './stores.ts'
import { expectRejection, STORES } from './support.ts'

function cacheOver(make = (clock: ManualClock): Store => new FullStore(clock), batchSize = 10): Cache {
  const clock = new ManualClock()
  return new Cache({ store: make(clock), clock, jitter: 0, batchSize })
}

function slowCache(batchSize: number) {
  const clock = new ManualClock()
  const store = new ControlledStore(clock)
  return { clock, store, cache: new Cache({ store, clock, batchSize }) }
}

function* keys(count: number): Generator<string> {
  for (let n = 0; n < count; n++) yield `k${n}`
}

describe.each(Object.entries(STORES))('over %s', (_, make) => {
  it('skips what is fresh, replaces what is stale, and replaces all if told to', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10, grace: 60 }).namespace('n')
    await cache.set('stale', 'old')
    clock.advance(10_000)
    await cache.set('fresh', 'old')
    const source = { stale: 'new', fresh: 'new', none: 'new' }
    expect(await cache.warm(Object.entries(source))).toMatchObject({
      done: 2,
      skipped: 1,
      failed: 0,
      position: 3,
    })
    expect(Object.fromEntries(await cache.getMany(Object.keys(source)))).toEqual({ ...source, fresh: 'old' })
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 0 }) // Of `getMany`; a warm-up reads for nobody.
    expect(await cache.warm(Object.entries(source), { overwrite: true })).toMatchObject({
      done: 3,
      skipped: 0,
    })
    expect(await cache.get('fresh')).toBe('new')
  })

  it.each(['load', 'loadMissing'] as const)('loads what is not fresh of the keys: %s', async how => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10 }).namespace('n')
    await cache.set('fresh', 'old')
    const loaded: string[] = []
    const toValue = (key: string): string => {
      loaded.push(key)
      return `value of ${key}`
    }
    const gone = (key: string): boolean => key === 'gone'
    const loader =
      how === 'load'
        ? { load: ({ key }: { key: string }) => (gone(key) ? undefined : toValue(key)) }
        : {
            loadMissing: (missing: readonly string[]) =>
              new Map(missing.filter(key => !gone(key)).map(key => [key, toValue(key)])),
          }
    const progress = await cache.warm(['fresh', 'a', 'gone', '', 'b', 'a'], { ...loader, ttl: 60 })
    expect(progress).toMatchObject({
      done: 2,
      skipped: 3,
      failed: 1,
      failures: [{ key: '', error: { code: 'INVALID_KEY' } }],
    })
    expect(loaded).toEqual(['a', 'b'])
    expect(await cache.getEntry('a')).toMatchObject({ value: 'value of a', freshUntil: clock.now() + 60_000 })
    expect(await cache.get('fresh')).toBe('old')
  })

  it.each(['load', 'loadMissing'] as const)('counts keys whose loader fails, and goes on: %s', async how => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0, batchSize: 2 })
    const error = new Error('no such table')
    const fail = (key: string): string => {
      if (key === 'b') throw error
      return key
    }
    const loader =
      how === 'load'
        ? { load: ({ key }: { key: string }) => fail(key) }
        : { loadMissing: (missing: readonly string[]) => new Map(missing.map(key => [key, fail(key)])) }
    const progress = await cache.warm(['a', 'b', 'c'], loader)
    const failed = how === 'load' ? ['b'] : ['a', 'b']
    expect(progress).toMatchObject({ done: 3 - failed.length, failed: failed.length })
    expect(progress.failures).toEqual(failed.map(key => ({ key, error })))
    expect(await cache.get('c')).toBe('c')
  })
})

describe('a warm-up from a long source', () => {
  test('never holds more than it works on, of a million keys', async () => {
    let taken = 0
    let released = 0
    let most = 0
    const source = function* (): Generator<readonly [string, number]> {
      for (let n = 0; n < 1_000_000; n++) {
        taken++
        most = Math.max(most, taken - released)
        yield [`k${n % 100}`, n]
      }
    }
    class Counting extends FullStore {
      override setMany(entries: ReadonlyMap<string, never>) {
        released += 1_000
        return super.setMany(entries)
      }
    }
    const cache = cacheOver(clock => new Counting(clock))
    const progress = await cache.warm(source(), { batchSize: 1_000, concurrency: 3, overwrite: true })
    expect(progress).toMatchObject({ done: 100_000, skipped: 900_000, position: 1_000_000 })
    expect(most).toBeLessThanOrEqual(4_000)
  })

  test('asks for no more while as many batches are under way as may be', async () => {
    const { store, cache } = slowCache(2)
    let taken = 0
    const source = function* (): Generator<readonly [string, number]> {
      for (const key of keys(100)) yield [key, taken++]
    }
    const warming = cache.warm(source(), { concurrency: 3, overwrite: true })
    for (let turn = 0; turn < 20; turn++) await settled()
    expect(store.pending.length).toBe(6)
    expect(taken).toBe(6)
    while (taken < 100 || store.pending.length > 0) await store.answerAll()
    expect(await warming).toMatchObject({ done: 100, failed: 0 })
  })

  test('leaves the event loop its turns', async () => {
    const cache = cacheOver()
    let turns = 0
    const count = setInterval(() => turns++, 0)
    await cache.warm(Array.from(keys(20_000), key => [key, 1] as const))
    clearInterval(count)
    expect(turns).toBeGreaterThan(10)
  })
})

describe('progress', () => {
  it('tells after every batch how far it is, and what was dealt with from the beginning on', async () => {
    const { clock, store, cache } = slowCache(1)
    const seen: WarmUpProgress[] = []
    const source = ['a', 'b', 'c', 'd'].map(key => [key, key] as const)
    const warming = cache.warm(source, { concurrency: 4, overwrite: true, onProgress: now => seen.push(now) })
    await expect.poll(() => store.pending.length).toBe(4)
    clock.advance(500)
    for (const key of ['b', 'd', 'a', 'c']) await store.next('set', key).answer()
    expect(await warming).toMatchObject({ done: 4, position: 4, total: 4, rate: 8 })
    expect(seen.map(({ done, position }) => [done, position])).toEqual([
      [1, 0],
      [2, 0],
      [3, 2],
      [4, 4],
    ])
  })

  it('takes the total it is told, knows that of a collection, and drops what a listener throws', async () => {
    const onProgress = (): never => {
      throw new Error('of the listener')
    }
    expect(await cacheOver().warm(new Set(keys(3)), { load: ({ key }) => key, onProgress })).toMatchObject({
      total: 3,
    })
    expect(await cacheOver().warm(keys(3), { load: ({ key }) => key, total: 9 })).toMatchObject({
      total: 9,
      done: 3,
    })
    expect(await cacheOver().warm(keys(3), { load: ({ key }) => key })).not.toHaveProperty('total')
  })

  it('remembers the first failures, and counts all', async () => {
    const bad = Array.from(keys(50), key => [key, undefined] as const)
    const progress = await cacheOver().warm(bad, { maxFailures: 12 })
    expect(progress).toMatchObject({ failed: 50, position: 50 })
    expect(progress.failures.map(({ key }) => key)).toEqual([...keys(12)])
  })
})

describe('the signal', () => {
  const source = (ended: () => void) => ({
    async *[Symbol.asyncIterator]() {
      try {
        for (const key of keys(1_000)) yield [key, key] as const
      } finally {
        ended()
      }
    },
  })

  it('ends it between two batches, closes the source, and what is there is skipped when it is begun again', async () => {
    const cache = cacheOver()
    const controller = new AbortController()
    const reason = new Error('deploy over')
    let ended = 0
    let position = 0
    const onProgress = (progress: WarmUpProgress): void => {
      position = progress.position
      if (position >= 500) controller.abort(reason)
    }
    const options = { signal: controller.signal, onProgress, concurrency: 1 }
    await expect(
      cache.warm(
        source(() => ended++),
        options,
      ),
    ).rejects.toBe(reason)
    expect([ended, position]).toEqual([1, 500])
    expect(await cache.warm(source(() => ended++))).toMatchObject({
      done: 500,
      skipped: 500,
      position: 1_000,
    })
    await expect(cache.warm([['k', 1]], { signal: controller.signal })).rejects.toBe(reason)
  })

  it('ends it though the source does not answer', async () => {
    const controller = new AbortController()
    let returned = false
    const hanging: AsyncIterable<readonly [string, number]> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          returned = true
          return new Promise(() => {})
        },
      }),
    }
    const warming = cacheOver().warm(hanging, { signal: controller.signal })
    await settled()
    controller.abort()
    await expect(warming).rejects.toThrow('aborted')
    expect(returned).toBe(true)
  })

  it('ends it at a source that calls it off itself, and leaves no listener behind', async () => {
    const controller = new AbortController()
    const { signal } = controller
    expect(
      await cacheOver().warm(
        source(() => {}),
        { signal },
      ),
    ).toMatchObject({ done: 1_000 })
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const aborting: AsyncIterable<readonly [string, number]> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          controller.abort(new Error('from within'))
          return new Promise(() => {})
        },
      }),
    }
    await expect(cacheOver().warm(aborting, { signal })).rejects.toThrow('from within')
  })

  it('tells the loaders', async () => {
    const controller = new AbortController()
    const load = ({ signal }: { signal: AbortSignal }) =>
      new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const warming = cacheOver().warm(['a'], { load, signal: controller.signal })
    await settled()
    controller.abort(new Error('enough'))
    await expect(warming).rejects.toThrow('enough')
  })
})

describe('what ends early', () => {
  it('lets go of what it held when the source fails, and waits for what is under way', async () => {
    const { store, cache } = slowCache(1)
    const broken = function* (): Generator<readonly [string, number]> {
      yield ['a', 1]
      throw new Error('the file ended')
    }
    let ended = false
    const warming = cache.warm(broken(), { overwrite: true }).finally(() => {
      ended = true
    })
    warming.catch(() => {})
    await expect.poll(() => store.pending.length).toBe(1)
    await settled()
    expect(ended).toBe(false)
    await store.answerAll()
    await expect(warming).rejects.toThrow('the file ended')
  })

  it.each(['load', 'overwrite'])('rejects when the cache is closed during its last batch: %s', async how => {
    const { store, cache } = slowCache(10)
    const { promise, resolve } = Promise.withResolvers<string>()
    const warming =
      how === 'load'
        ? cache.warm(['a', 'b'], { load: () => promise })
        : cache.warm(
            [
              ['a', 1],
              ['b', 1],
            ],
            { overwrite: true },
          )
    warming.catch(() => {})
    await settled()
    if (how === 'load') await store.answerAll()
    void cache.close()
    resolve('loaded')
    await store.answerAll()
    if (how === 'load') await expectRejection(() => warming, 'CLOSED', /closed/)
    else expect(await warming).toMatchObject({ done: 2 }) // Written before.
  })

  it('does not store what was loaded before its key was written', async () => {
    const cache = cacheOver()
    const { promise, resolve } = Promise.withResolvers<string>()
    const warming = cache.warm(['k'], { load: () => promise })
    await settled()
    await cache.set('k', 'newer')
    resolve('older')
    expect(await warming).toMatchObject({ failed: 0 })
    expect(await cache.get('k')).toBe('newer')
  })
})

describe('bad input', () => {
  it.each([
    [7, {}, /source must be an iterable/],
    ['text', {}, /source must be an iterable/],
    [[], { concurrency: 0 }, /concurrency must be/],
    [[], { batchSize: 1.5 }, /batchSize must be/],
    [[], { maxFailures: -1 }, /maxFailures must be/],
    [[], { total: Number.NaN }, /total must be/],
    [[], { signal: {} }, /signal must be an AbortSignal/],
    [[], { onProgress: 7 }, /onProgress must be a function/],
    [[], { load: 7 }, /load must be a function/],
    [[], { load: () => 1, loadMissing: () => ({}) }, /not both/],
  ])('is refused before anything is taken: %j %j', async (source, options, message) => {
    await expectRejection(
      () => cacheOver().warm(source as never, options as never),
      'INVALID_OPTION',
      message,
    )
  })
})

test('every item is counted once, and what a model of the cache holds is what it holds', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const item = fc.oneof(
    { weight: 5, arbitrary: fc.record({ key, value: fc.integer() }) },
    { weight: 1, arbitrary: fc.constant({ key: '', value: 0 }) },
  )
  const setUp = fc.record({
    before: fc.dictionary(key, fc.constant('before')),
    items: fc.array(item, { maxLength: 30 }),
    batchSize: fc.integer({ min: 1, max: 7 }),
    concurrency: fc.integer({ min: 1, max: 4 }),
    overwrite: fc.boolean(),
    later: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(setUp, async ({ before, items, later, ...options }) => {
      const cache = cacheOver(clock => new BareStore(clock))
      await cache.setMany(before)
      const source = later
        ? (async function* () {
            yield* items
          })()
        : items
      const progress = await cache.warm(source as Iterable<WarmUpItem>, options)
      const { done, skipped, failed, position } = progress
      expect(done + skipped + failed).toBe(items.length)
      expect(position).toBe(items.length)
      expect(failed).toBe(items.filter(({ key }) => key === '').length)
      const expected = new Map<string, unknown>(Object.entries(before))
      for (const { key, value } of items) {
        if (key !== '' && (options.overwrite || !(key in before))) expected.set(key, value)
      }
      const found = await cache.getMany(['a', 'b', 'c', 'd', 'e'])
      expect([...found.keys()].sort()).toEqual([...expected.keys()].sort())
      // Without overwriting, which of several values for one key wins depends on the batches they came in.
      if (options.overwrite) expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
    }),
    { numRuns: 200 },
  )
})
