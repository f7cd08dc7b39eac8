import {
  APPLIED,
  type Batching,
  type BatchRead,
  Cache,
  CacheError,
  type Entry,
  ManualClock,
  type WarmUpItem,
  WarmUpQueue,
  type WriteOutcome,
} from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, ControlledStore, FullStore, settled } from './stores.ts'
import { ControlledLoader, expectRejection, STORES } from './support.ts'

const unserializable = new CacheError('SERIALIZATION', 'cycle')

describe.each(Object.entries(STORES))('warm over %s', (_, make) => {
  const bad = [
    ['', 1],
    ['k', undefined],
    null,
    undefined,
    'text',
    7,
    { value: 1 },
    { key: 'k', value: 1, ttl: -1 },
  ]

  it('writes pairs and items, each with its own ttl, and counts what is not valid', async () => {
    const { clock, store } = make()
    const cache = new Cache<number>({ store, clock, jitter: 0, ttl: 10, batchSize: 2 }).namespace('n')
    const items = [...bad, ['a', 1], { key: 'b', value: 2, ttl: 60, metadata: { from: 'file' } }, ['c', 3]]
    expect(await cache.warm(items as never)).toMatchObject({ done: 3, failed: bad.length, skipped: 0 })
    expect(await cache.getMany(['a', 'b', 'c'])).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ]),
    )
    expect(await cache.getEntry('b')).toMatchObject({
      expiresAt: clock.now() + 60_000,
      metadata: { from: 'file' },
    })
    expect(cache.stats().sets).toBe(3)
  })

  it('takes a Map, a generator or an async generator', async () => {
    const { clock, store } = make()
    const cache = new Cache<number>({ store, clock, jitter: 0, batchSize: 2 })
    expect(await cache.warm(new Map([['a', 1]]))).toMatchObject({ done: 1, failed: 0, total: 1 })
    const numbers = function* (): Generator<readonly [string, number]> {
      for (let n = 0; n < 5; n++) yield [`k${n}`, n]
    }
    expect(await cache.warm(numbers())).toMatchObject({ done: 5, failed: 0, position: 5 })
    const later = async function* (): AsyncGenerator<readonly [string, number]> {
      for (let n = 0; n < 5; n++) {
        await settled()
        yield [`later${n}`, n]
      }
    }
    expect(await cache.warm(later())).toMatchObject({ done: 5, failed: 0, position: 5 })
    expect([...(await cache.getMany(['a', 'k4', 'later0', 'later4'])).values()]).toEqual([1, 4, 0, 4])
    expect(await cache.warm([])).toEqual({
      done: 0,
      skipped: 0,
      failed: 0,
      failures: [],
      position: 0,
      total: 0,
      rate: 0,
    })
  })

  it('rejects with what the source throws, and lets go of what it held', async () => {
    const { clock, store } = make()
    const cache = new Cache<number>({ store, clock, jitter: 0 })
    const broken = function* (): Generator<readonly [string, number]> {
      yield ['a', 1]
      throw new Error('file ended')
    }
    await expect(cache.warm(broken())).rejects.toThrow('file ended')
  })
})

describe('warm', () => {
  it('does not write a key that was invalidated while its batch filled', async () => {
    const clock = new ManualClock()
    const store = new BareStore(clock)
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const next = new ControlledLoader<readonly [string, string]>()
    const source = async function* (): AsyncGenerator<readonly [string, string]> {
      yield ['a', 'old']
      yield ['b', 'old']
      yield ['c', 'old']
      yield await next.load()
    }
    const warming = cache.warm(source())
    await settled()
    await cache.delete('a')
    await cache.set('b', 'new')
    next.calls[0]?.resolve(['d', 'old'])
    expect(await warming).toMatchObject({ done: 2, failed: 0, skipped: 2 })
    expect([...store.entries].map(([key, { value }]) => [key, value])).toEqual([
      ['b', 'new'],
      ['c', 'old'],
      ['d', 'old'],
    ])
  })

  it('writes the others of a batch in which the store cannot hold a value', async () => {
    class Strict extends FullStore {
      override setMany(entries: ReadonlyMap<string, Entry>): WriteOutcome {
        if ([...entries.values()].some(({ value }) => typeof value === 'function')) throw unserializable
        return super.setMany(entries)
      }
    }
    const clock = new ManualClock()
    const store = new Strict(clock)
    const cache = new Cache({ store, clock, jitter: 0 })
    expect(
      await cache.warm({
        *[Symbol.iterator]() {
          yield* [
            ['a', 1],
            ['f', () => 1],
            ['b', 2],
          ] as const
        },
      }),
    ).toMatchObject({ done: 2, failed: 1, failures: [{ key: 'f', error: unserializable }] })
    expect([...store.entries.keys()]).toEqual(['a', 'b'])
  })

  it('does not write a key invalidated while those of its batch are written one by one', async () => {
    const first = Promise.withResolvers<WriteOutcome>()
    class Strict extends BareStore implements Batching {
      getMany(): BatchRead {
        return { found: new Map() }
      }
      setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
        if (entries.size > 1) throw unserializable
        for (const [key, entry] of entries) this.entries.set(key, entry)
        return first.promise
      }
      deleteMany(): WriteOutcome {
        return APPLIED
      }
    }
    const store = new Strict(new ManualClock())
    const cache = new Cache({ store })
    const warming = cache.warm([
      ['a', 'old'],
      ['b', 'old'],
      ['c', 'old'],
    ])
    await settled()
    await cache.delete('b')
    first.resolve(APPLIED)
    expect(await warming).toMatchObject({ done: 2, failed: 0, skipped: 1 })
    expect([...store.entries.keys()]).toEqual(['a', 'c'])
  })

  it('rejects when the cache is closed meanwhile, and asks its source for no more', async () => {
    const cache = new Cache<number>({ store: new FullStore(new ManualClock()), batchSize: 1 })
    const source = function* (): Generator<readonly [string, number]> {
      yield ['a', 1]
      cache.close()
      yield ['b', 2]
      expect.fail('asked for more')
    }
    await expectRejection(() => cache.warm(source()), 'CLOSED', /closed/)
  })

  it('counts what only some of a batch came to', async () => {
    class Partial extends FullStore {
      override setMany(entries: ReadonlyMap<string, Entry>): WriteOutcome {
        const [first] = entries.keys()
        const error = new CacheError('TIMEOUT', 'late')
        return { status: 'partial', error, failures: new Map([[first as string, error]]) }
      }
    }
    const cache = new Cache({ store: new Partial(new ManualClock()) })
    expect(
      await cache.warm([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ]),
    ).toMatchObject({ done: 2, failed: 1, failures: [{ key: 'a' }] })
  })
})

describe('WarmUpQueue', () => {
  const queued = (options?: ConstructorParameters<typeof WarmUpQueue>[1], batchSize = 100) => {
    const clock = new ManualClock()
    const store = new FullStore(clock)
    const cache = new Cache({ store, clock, jitter: 0, batchSize }).namespace('n')
    return { clock, store, cache, queue: new WarmUpQueue(cache, options) }
  }
  const item = (key: string, value: unknown = key): WarmUpItem => ({ key, value })

  it('writes in the background, in batches, until it is idle', async () => {
    const { store, queue, cache } = queued({ batchSize: 2 })
    for (const key of ['a', 'b', 'c']) expect(queue.push(item(key))).toBe(true)
    expect([queue.size, store.entries.size]).toEqual([3, 0])
    await queue.whenIdle()
    expect(queue.size).toBe(0)
    expect(queue.progress).toEqual({ done: 3, failed: 0 })
    expect(store.batches).toEqual([2, 1])
    expect([...store.entries.keys()]).toEqual(['n:a', 'n:b', 'n:c'])
    queue.push({ key: 'd', value: 4, ttl: 7, metadata: { m: 1 } })
    await queue.whenIdle()
    expect(await cache.getEntry('d')).toMatchObject({ value: 4, metadata: { m: 1 } })
    await queue.whenIdle()
  })

  it('leaves the event loop its turn between batches', async () => {
    const { store, queue } = queued({ batchSize: 1 })
    for (const key of ['a', 'b', 'c']) queue.push(item(key))
    const seen: number[] = []
    while (queue.size > 0) {
      seen.push(store.entries.size)
      await settled()
    }
    expect(seen).toEqual([0, 1, 2])
  })

  it('refuses what is beyond its limit, and replaces what waits under the same key', async () => {
    const { queue, cache } = queued({ limit: 2 })
    expect([queue.push(item('a', 'old')), queue.push(item('b')), queue.push(item('c'))]).toEqual([
      true,
      true,
      false,
    ])
    expect(queue.push(item('a', 'new'))).toBe(true)
    expect(queue.size).toBe(2)
    await queue.whenIdle()
    expect([await cache.get('a'), await cache.get('c')]).toEqual(['new', undefined])
    expect(queue.push(item('c'))).toBe(true)
    await queue.whenIdle()
  })

  it('drops what is written or invalidated while it waits', async () => {
    const { queue, cache, store } = queued()
    for (const key of ['a', 'b', 'c', 'd']) queue.push(item(key, 'old'))
    await cache.set('a', 'new')
    await cache.delete('b')
    store.bus.receive({ type: 'keys', keys: ['n:c'] })
    expect(queue.size).toBe(1)
    store.bus.receive({ type: 'clear', scope: 'm:' })
    expect(queue.size).toBe(1)
    await queue.whenIdle()
    expect([...store.entries].map(([key, { value }]) => [key, value])).toEqual([
      ['n:a', 'new'],
      ['n:d', 'old'],
    ])
    queue.push(item('e'))
    await cache.clear()
    expect(queue.size).toBe(0)
    await queue.whenIdle()
  })

  it('drops it too while an earlier batch of the same warm-up is being written', async () => {
    const clock = new ManualClock()
    const store = new ControlledStore(clock)
    const cache = new Cache({ store, clock, jitter: 0, batchSize: 1 })
    const queue = new WarmUpQueue(cache, { batchSize: 10 })
    for (const key of ['a', 'b', 'c']) queue.push(item(key, 'old'))
    await settled()
    expect(store.pending.map(({ key }) => key)).toEqual(['a'])
    const deletion = cache.delete('c')
    queue.push(item('b', 'newer'))
    queue.push(item('a', 'newest'))
    await store.answerAll()
    await Promise.all([deletion, queue.whenIdle()])
    expect([...store.inner.entries].map(([key, { value }]) => [key, value])).toEqual([
      ['a', 'newest'],
      ['b', 'newer'],
    ])
  })

  it('counts items that cannot be written, and goes on', async () => {
    const { queue, store } = queued()
    const error = new CacheError('STORE', 'no room')
    store.setMany = () => ({ status: 'partial', error, failures: new Map([['n:a', error]]) })
    queue.push(item('a'))
    queue.push(item('b'))
    await queue.whenIdle()
    expect(queue.progress).toEqual({ done: 1, failed: 1 })
  })

  it('refuses what could not be written, while there is somebody to tell', () => {
    const { queue, store } = queued()
    const check = (): void => {
      throw new CacheError('SERIALIZATION', 'refused by the store')
    }
    const checked = new WarmUpQueue(new Cache({ store: Object.assign(store, { check }) }))
    for (const [bad, code] of [
      [item(''), 'INVALID_KEY'],
      [{ key: 'a', value: undefined }, 'INVALID_VALUE'],
      [{ key: 'a', value: 1, ttl: -1 }, 'INVALID_TTL'],
    ] as const) {
      expect(() => queue.push(bad)).toThrow(expect.objectContaining({ code }))
    }
    expect(() => checked.push(item('a'))).toThrow(expect.objectContaining({ code: 'SERIALIZATION' }))
    expect([queue.size, checked.size]).toEqual([0, 0])
  })

  it('throws for bad options', () => {
    const { cache } = queued()
    for (const options of [{ limit: 0 }, { batchSize: 0 }]) {
      expect(() => new WarmUpQueue(cache, options)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      )
    }
  })

  it('when closed drops what waits, refuses what comes, and no longer listens', async () => {
    const { queue, store, cache } = queued()
    queue.push(item('a'))
    queue.close()
    expect(queue.push(item('b'))).toBe(false)
    expect(queue.size).toBe(0)
    await queue.whenIdle()
    await cache.delete('a')
    expect(store.entries.size).toBe(0)
    expect(queue.progress).toEqual({ done: 0, failed: 0 })
  })

  it('fails what waits when the cache is closed, and becomes idle', async () => {
    const { queue, cache } = queued()
    queue.push(item('a'))
    queue.push(item('b'))
    await cache.close()
    await queue.whenIdle()
    expect(queue.progress).toEqual({ done: 0, failed: 2 })
    expect(queue.size).toBe(0)
  })
})
