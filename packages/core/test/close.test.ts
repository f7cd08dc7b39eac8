import { Cache, ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, ControlledStore, FullStore, settled } from './stores.ts'
import { ControlledLoader, expectRejection, never } from './support.ts'

describe('close', () => {
  it('closes the store once, however often it is called, and ends when the store is closed', async () => {
    const closing = Promise.withResolvers<void>()
    class Slow extends FullStore {
      override close(): Promise<void> {
        super.close()
        return closing.promise
      }
    }
    const store = new Slow(new ManualClock())
    const cache = new Cache({ store })
    const ended: string[] = []
    const calls = [
      cache.close().then(() => ended.push('first')),
      cache
        .namespace('n')
        .close()
        .then(() => ended.push('second')),
    ]
    await settled()
    expect(ended).toEqual([])
    closing.resolve()
    await Promise.all(calls)
    await cache.close()
    expect(store.closed).toBe(1)
  })

  it('ends what the cache listens to, also when the store fails to close', async () => {
    class Failing extends FullStore {
      override close(): never {
        throw new Error('stuck')
      }
    }
    const store = new Failing(new ManualClock())
    const cache = new Cache({ store })
    expect(store.bus.listeners).toBe(2)
    await expect(cache.close()).rejects.toThrow('stuck')
    expect(store.bus.listeners).toBe(0)
  })

  it('makes every later call reject with CLOSED', async () => {
    const store = new BareStore(new ManualClock())
    const cache = new Cache({ store, name: 'products' })
    {
      await using disposed = cache
      await disposed.set('k', 1)
    }
    for (const view of [cache, cache.namespace('n')]) {
      for (const call of [
        () => view.get('k'),
        () => view.get('k', { ttl: 5 }),
        () => view.getEntry('k'),
        () => view.has('k'),
        () => view.set('k', 1),
        () => view.delete('k'),
        () => view.getMany(['k']),
        () => view.getMany([]),
        () => view.setMany({ k: 1 }),
        () => view.setMany({}),
        () => view.deleteMany(['k']),
        () => view.deleteMany([]),
        () => view.getOrSet('k', () => expect.fail('loaded')),
        () => view.getOrSetMany(['k'], () => expect.fail('loaded')),
        () => view.clear(),
        () => view.warm([]),
      ]) {
        await expectRejection(call, 'CLOSED', /^cache "products" is closed$/)
      }
    }
    expect([...store.entries.keys()]).toEqual(['k'])
    expect(cache.stats()).toMatchObject({ sets: 1, errors: 0 })
  })

  it('lets loads under way answer their callers, and stores nothing more', async () => {
    const store = new FullStore(new ManualClock())
    const cache = new Cache<string>({ store, closeWait: 0 })
    const loader = new ControlledLoader<string>()
    const manyLoader = new ControlledLoader<Record<string, string>>()
    const single = cache.getOrSet('a', loader.load)
    const many = cache.getOrSetMany(['b'], manyLoader.load)
    await settled()
    await cache.close()
    loader.calls[0]?.resolve('A')
    manyLoader.calls[0]?.resolve({ b: 'B' })
    expect(await single).toBe('A')
    expect(await many).toEqual(new Map([['b', 'B']]))
    expect(store.entries.size).toBe(0)
    expect(cache.stats()).toMatchObject({ loads: 2, errors: 0, inFlight: 0 })
  })

  it('waits until what is being loaded is stored, and takes no more calls meanwhile', async () => {
    const clock = new ManualClock()
    const store = new FullStore(clock)
    const cache = new Cache<string>({ store, clock })
    const loader = new ControlledLoader<string>()
    const manyLoader = new ControlledLoader<Record<string, string>>()
    const signals: AbortSignal[] = []
    const single = cache.getOrSet('a', ({ signal }) => {
      signals.push(signal)
      return loader.load()
    })
    const many = cache.getOrSetMany(['b'], manyLoader.load)
    await settled()
    let ended = false
    const closing = cache.close().then(() => {
      ended = true
    })
    await expectRejection(() => cache.get('a'), 'CLOSED', /closed/)
    await expectRejection(() => cache.set('a', ''), 'CLOSED', /closed/)
    await expectRejection(() => cache.getOrSet('a', never), 'CLOSED', /closed/)
    loader.calls[0]?.resolve('A')
    expect(await single).toBe('A')
    await settled()
    expect([ended, store.closed]).toEqual([false, 0])
    manyLoader.calls[0]?.resolve({ b: 'B' })
    await many
    await closing
    expect([...store.entries.keys()]).toEqual(['a', 'b'])
    expect([store.closed, clock.pending, signals[0]?.aborted]).toEqual([1, 0, false])
  })

  it.each([
    [undefined, 2_000],
    ['500ms', 500],
  ] as const)('waits no longer than closeWait (%s)', async (closeWait, ms) => {
    const clock = new ManualClock()
    const store = new FullStore(clock)
    const cache = new Cache<string>({ store, clock, ...(closeWait && { closeWait }) })
    const told = Promise.withResolvers<unknown>()
    void cache.getOrSet('a', ({ signal }) => {
      signal.addEventListener('abort', () => told.resolve(signal.reason))
      return new Promise(() => {})
    })
    await settled()
    const closing = cache.close()
    clock.advance(ms - 1)
    await settled()
    expect(store.closed).toBe(0)
    clock.advance(1)
    await closing
    expect(await told.promise).toMatchObject({ code: 'CLOSED' })
    expect([store.closed, clock.pending]).toEqual([1, 0])
  })

  it('refuses a closeWait that is none', () => {
    const store = new BareStore(new ManualClock())
    expect(() => new Cache({ store, closeWait: -1 })).toThrow(/^closeWait must be at least 0/)
  })

  it('lets lookups under way go on to their loaders', async () => {
    const clock = new ManualClock()
    const store = new ControlledStore(clock)
    const cache = new Cache<string>({ store, clock, closeWait: 0 })
    const single = cache.getOrSet('a', () => 'A')
    const many = cache.getOrSetMany(['b'], () => ({ b: 'B' }))
    await cache.close()
    await store.answerAll()
    expect([await single, await many]).toEqual(['A', new Map([['b', 'B']])])
    expect(store.inner.entries.size).toBe(0)
    expect(cache.stats()).toMatchObject({ errors: 0, inFlight: 0 })
  })
})
