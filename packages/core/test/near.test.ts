import { Cache, type CacheOptions, ManualClock } from '@cache/core'
import { describe, expect, test, vi } from 'vitest'
import { asynchronous, FullStore } from './stores.ts'
import { expectRejection, never } from './support.ts'

/** A cache over a store that has its entries at hand, and how often it was asked for any other way. */
function open(options: Partial<CacheOptions> = {}) {
  const clock = new ManualClock()
  const inner = new FullStore(clock)
  const store = asynchronous(inner)
  const asked = vi.spyOn(inner, 'get')
  const atHand = vi.spyOn(inner, 'getFresh')
  // What `getFresh` of the test's store looks up by itself is not a question.
  const questions = (): number => asked.mock.calls.length - atHand.mock.calls.length
  const cache = new Cache({ store, clock, ttl: 60, grace: 60, jitter: 0, ...options })
  return { clock, inner, cache, questions, atHand }
}

describe('what a store has at hand', () => {
  test.each(['', 'users'])('is all that a fresh value takes, in namespace "%s"', async namespace => {
    const { cache, questions, atHand } = open(namespace === '' ? {} : { namespace })
    await cache.set('a', 1)
    const hits: string[] = []
    cache.on('hit', ({ key }) => hits.push(key))
    expect(await cache.getOrSet('a', never)).toBe(1)
    expect(await cache.get('a')).toBe(1)
    expect(atHand).toHaveBeenCalledTimes(2)
    expect(questions()).toBe(0)
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 0 })
    expect(hits).toEqual([cache.address('a'), cache.address('a')])
  })

  test('is not what a stale value comes from, which counts once', async () => {
    const { clock, cache, questions } = open()
    await cache.set('a', 1)
    clock.advance(60_000)
    expect(await cache.get('a')).toBeUndefined()
    expect(questions()).toBe(1)
    expect(await cache.getOrSet('a', () => 2)).toBe(2)
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 2 })
  })

  test('is served as "not found" if it says so', async () => {
    const { cache, questions } = open({ negativeTtl: 60 })
    expect(await cache.getOrSet('a', () => undefined)).toBeUndefined()
    const before = questions()
    expect(await cache.getOrSet('a', never)).toBeUndefined()
    expect(await cache.get('a')).toBeUndefined()
    expect(questions()).toBe(before)
  })

  test('is loaded anew behind a hit when that is due', async () => {
    const { clock, cache } = open({ refreshAhead: 0.5 })
    await cache.set('a', 1)
    clock.advance(30_000)
    const refreshed = new Promise(resolve => cache.on('refresh', resolve))
    expect(await cache.getOrSet('a', () => 2)).toBe(1)
    await refreshed
    expect(await cache.getOrSet('a', never)).toBe(2)
  })

  test('has to match the schema like any other', async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'number' ? { value } : { issues: [{ message: 'not a number' }] },
      },
    }
    const { inner, cache } = open({ schema } as Partial<CacheOptions>)
    inner.entries.set('a', { value: 'text', createdAt: 0, freshUntil: Infinity, expiresAt: Infinity })
    expect(await cache.get('a')).toBeUndefined()
    expect(await cache.getOrSet('a', () => 5)).toBe(5)
  })

  test('counts for nothing where the store fails: it is asked in earnest, and tells once', async () => {
    const { inner, cache } = open()
    await cache.set('a', 1)
    vi.spyOn(inner, 'getFresh').mockImplementation(() => {
      throw new Error('out of reach')
    })
    const errors: string[] = []
    cache.on('error', ({ operation }) => errors.push(operation))
    expect(await cache.getOrSet('a', never)).toBe(1)
    expect(errors).toEqual([])
    vi.spyOn(inner, 'get').mockImplementation(() => {
      throw new Error('out of reach')
    })
    expect(await cache.get('a')).toBeUndefined()
    expect(errors).toEqual(['get'])
  })

  test('is not given to a call that was called off before', async () => {
    const { cache } = open()
    await cache.set('a', 1)
    const reason = new Error('called off')
    const signal = AbortSignal.abort(reason)
    await expect(cache.getOrSet('a', never, { signal })).rejects.toBe(reason)
    await expectRejection(() => cache.getOrSet('\ud800', never, { signal }), 'INVALID_KEY', /lone surrogate/)
  })

  test('is not given by a cache that is closed', async () => {
    const { inner, cache } = open()
    await cache.set('a', 1)
    const entries = new Map(inner.entries)
    await cache.close()
    for (const [key, entry] of entries) inner.entries.set(key, entry)
    await expectRejection(() => cache.get('a'), 'CLOSED', /is closed/)
    await expectRejection(() => cache.getOrSet('a', never), 'CLOSED', /is closed/)
  })

  test('is not the value of a key that is the prefix of a namespace, for the empty key', async () => {
    const { cache } = open()
    await cache.set('users:', 1)
    const users = cache.namespace('users')
    await expectRejection(() => users.get(''), 'INVALID_KEY', /an empty string/)
    await expectRejection(() => users.getOrSet('', never), 'INVALID_KEY', /an empty string/)
  })

  test.each([
    ['', /an empty string/],
    ['\ud800', /a lone surrogate/],
    [7, /received 7/],
    [Symbol('a'), /symbol/],
  ])('is not asked for by what cannot be a key: %o', async (key, message) => {
    for (const namespace of [undefined, 'users']) {
      const { cache } = open(namespace === undefined ? {} : { namespace })
      await expectRejection(() => cache.get(key as string), 'INVALID_KEY', message)
      await expectRejection(() => cache.getOrSet(key as string, never), 'INVALID_KEY', message)
    }
  })
})
