import {
  Cache,
  CacheError,
  type CacheErrorCode,
  type CacheOptions,
  ManualClock,
  type WriteOutcome,
} from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore } from './stores.ts'
import { expectRejection, rejection, STORES } from './support.ts'

/** What no type allows, for the callers whose compiler does not say so. */
const wrong = (value: unknown): never => value as never

const BAD_KEYS: [string, unknown][] = [
  ['empty', ''],
  ['a lone surrogate', 'a\ud800'],
  ['too long', 'x'.repeat(65_537)],
  ['a number', 7],
  ['undefined', undefined],
  ['null', null],
  ['an object', {}],
  ['a symbol', Symbol('k')],
]
const BAD_TTLS = [Number.NaN, -1, 0, Number.POSITIVE_INFINITY, '5 minutes', '', null, '0s', {}, 1n]
const BAD_KEY_LISTS = ['abc', 7, null, undefined, {}]
const BAD_ITEMS = ['abc', 7, null, undefined, ['ab'], [1], [null], new Set(['ab'])]

describe.each(Object.entries(STORES))('bad input to a cache over %s', (_, make) => {
  const unharmed = async (
    code: CacheErrorCode,
    message: RegExp,
    call: (cache: Cache) => Promise<unknown>,
  ): Promise<void> => {
    const { clock, store, inner } = make()
    const cache = new Cache({ store, clock })
    await cache.set('kept', 'as it was')
    const before = [...inner.entries]
    await expectRejection(() => call(cache), code, message)
    expect([...inner.entries]).toEqual(before)
  }

  it.each(BAD_KEYS)('rejects a key that is %s, everywhere, with nothing written', async (__, bad) => {
    const key = wrong(bad)
    const message = /^key must be a string of 1 to 65536 characters/
    const calls: ((cache: Cache) => Promise<unknown>)[] = [
      cache => cache.get(key),
      cache => cache.get(key, { ttl: 5 }),
      cache => cache.getEntry(key),
      cache => cache.has(key),
      cache => cache.set(key, 1),
      cache => cache.delete(key),
      cache => cache.getMany(['kept', key]),
      cache =>
        cache.setMany([
          ['kept', 'new'],
          [key, 1],
        ]),
      cache => cache.deleteMany(['kept', key]),
      cache => cache.getOrSet(key, () => expect.fail('loaded')),
      cache => cache.getOrSetMany(['kept', key], () => expect.fail('loaded')),
      cache => cache.namespace('n').get(key),
    ]
    for (const call of calls) await unharmed('INVALID_KEY', message, call)
  })

  it.each(BAD_TTLS)('rejects a ttl of %s, everywhere, with nothing written', async bad => {
    const ttl = wrong(bad)
    const calls: ((cache: Cache) => Promise<unknown>)[] = [
      cache => cache.get('kept', { ttl }),
      cache => cache.set('kept', 1, { ttl }),
      cache => cache.setMany({ kept: 1 }, { ttl }),
      cache => cache.getOrSet('new', () => expect.fail('loaded'), { ttl }),
      cache => cache.getOrSetMany(['new'], () => expect.fail('loaded'), { ttl }),
    ]
    for (const call of calls) await unharmed('INVALID_TTL', /^ttl must be more than 0/, call)
  })

  it('rejects undefined as a value, and says why', async () => {
    const message = /^undefined cannot be stored/
    await unharmed('INVALID_VALUE', message, cache => cache.set('kept', undefined))
    await unharmed('INVALID_VALUE', message, cache => cache.setMany({ kept: 1, other: undefined }))
  })

  it.each(['text', 7, null, [1]])('rejects metadata of %j, and does not repeat it', async bad => {
    const metadata = wrong(bad)
    const message = /^metadata must be a plain object; received (a string|a number|null|an array of 1)$/
    await unharmed('INVALID_VALUE', message, cache => cache.set('kept', 1, { metadata }))
    await unharmed('INVALID_VALUE', message, cache => cache.setMany({ kept: 1 }, { metadata }))
  })

  it.each(BAD_KEY_LISTS)('rejects keys that are %j instead of a list', async bad => {
    const keys = wrong(bad)
    const calls: ((cache: Cache) => Promise<unknown>)[] = [
      cache => cache.getMany(keys),
      cache => cache.deleteMany(keys),
      cache => cache.getOrSetMany(keys, () => expect.fail('loaded')),
    ]
    for (const call of calls)
      await unharmed('INVALID_OPTION', /^keys must be an array or other iterable/, call)
  })

  it.each(BAD_ITEMS)('rejects items that are %j instead of pairs', async bad => {
    await unharmed('INVALID_OPTION', /^items must be an object, a Map or/, cache => cache.setMany(wrong(bad)))
  })

  it.each(['abc', 7, null, undefined, {}])('rejects a warm-up from %j', async bad => {
    await unharmed('INVALID_OPTION', /^source must be an iterable/, cache => cache.warm(wrong(bad)))
  })

  it('rejects a loader that is no function', async () => {
    const message = /^(loader|loadMissing) must be a function; received 5/
    await unharmed('INVALID_OPTION', message, cache => cache.getOrSet('new', wrong(5)))
    await unharmed('INVALID_OPTION', message, cache => cache.getOrSetMany(['new'], wrong(5)))
  })

  it.each(['hunter2', 7, null, undefined, ['hunter2']])(
    'rejects %j from a loader of many, and does not repeat it',
    async bad => {
      const message = /^loadMissing must return a Map or an object of values by key; received (?!.*hunter2)/
      await unharmed('INVALID_VALUE', message, cache => cache.getOrSetMany(['new'], () => wrong(bad)))
    },
  )
})

describe('a value that the store cannot hold', () => {
  const refusal = new CacheError('SERIALIZATION', 'value has a cycle')
  class StrictStore extends BareStore {
    override set(key: string, entry: Parameters<BareStore['set']>[1]): WriteOutcome {
      if (typeof entry.value === 'function') throw refusal
      return super.set(key, entry)
    }
  }

  it('rejects with nothing written', async () => {
    const store = new StrictStore(new ManualClock())
    const cache = new Cache({ store, clock: new ManualClock() })
    expect(await rejection(() => cache.set('k', () => 1))).toBe(refusal)
    expect(await rejection(() => cache.setMany({ k: () => 1 }))).toBe(refusal)
    expect(store.entries.size).toBe(0)
    expect(cache.stats()).toMatchObject({ sets: 0, errors: 0 })
  })

  it('is named among the failures when others of the batch were written', async () => {
    const store = new StrictStore(new ManualClock())
    const cache = new Cache({ store, clock: new ManualClock(), batchSize: 1 }).namespace('n')
    const outcome = await cache.setMany({ good: 1, bad: () => 1 })
    expect(outcome).toMatchObject({
      status: 'partial',
      error: refusal,
      failures: new Map([['bad', refusal]]),
    })
    expect([...store.entries.keys()]).toEqual(['n:good'])
  })
})

describe('bad options', () => {
  const store = new BareStore(new ManualClock())
  const refused = (options: unknown, code: CacheErrorCode, message: RegExp): void => {
    const make = (): Cache => new Cache(options as CacheOptions)
    expect(make).toThrow(CacheError)
    expect(make).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }))
  }

  it('are refused at construction, by name', () => {
    refused(
      {},
      'INVALID_OPTION',
      /^store must have the methods get, set, delete, clear, close; received undefined/,
    )
    refused({ store: null }, 'INVALID_OPTION', /received null/)
    refused({ store: { get() {}, set() {} } }, 'INVALID_OPTION', /an object without delete, clear, close$/)
    refused({ store, ttl: 0 }, 'INVALID_TTL', /^ttl must be/)
    refused({ store, batchSize: 0 }, 'INVALID_OPTION', /^batchSize must be an integer >= 1; received 0/)
    refused({ store, batchSize: 1.5 }, 'INVALID_OPTION', /^batchSize/)
    for (const namespace of ['', 'a:b', 'a\ud800', 7, null]) {
      refused({ store, namespace }, 'INVALID_OPTION', /^namespace must be a string of 1 or more characters/)
    }
  })

  it('of a namespace are refused too', () => {
    const cache = new Cache({ store })
    for (const name of ['', 'a:b', 'a\ud800', undefined, 7]) {
      expect(() => cache.namespace(wrong(name))).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    }
    expect(() => cache.namespace('n', { ttl: -1 })).toThrow(expect.objectContaining({ code: 'INVALID_TTL' }))
  })
})
