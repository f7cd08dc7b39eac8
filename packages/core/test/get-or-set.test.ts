import { Cache, CacheError, ManualClock, type Store } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { asynchronous, BareStore, ControlledStore, FullStore, settled } from './stores.ts'
import { ControlledLoader, STORES } from './support.ts'

describe.each(Object.entries(STORES))('getOrSet over %s', (_, make) => {
  it('loads what is missing, with the key as the caller gave it, and stores it for the ttl', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0, ttl: 10 }).namespace('n')
    expect(await cache.getOrSet('k', ({ key }) => `value of ${key}`)).toBe('value of k')
    expect(await cache.getEntry('k')).toMatchObject({ expiresAt: clock.now() + 10_000 })
    expect(await cache.getOrSet('k', () => expect.fail('loaded'))).toBe('value of k')
    await cache.getOrSet('brief', async () => 1, { ttl: 1 })
    expect(await cache.getEntry('brief')).toMatchObject({ expiresAt: clock.now() + 1_000 })
  })

  it('calls one loader for all who ask at once', async () => {
    const { clock, store } = make()
    const cache = new Cache<number>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<number>()
    const early = Array.from({ length: 50 }, () => cache.getOrSet('k', loader.load))
    await settled()
    const late = Array.from({ length: 50 }, () => cache.getOrSet('k', () => expect.fail('second loader')))
    expect(cache.stats()).toMatchObject({ inFlight: 1, sharedLoads: 99, misses: 100, hits: 0, loads: 0 })
    expect(loader.calls).toHaveLength(1)
    loader.calls[0]?.resolve(7)
    expect(await Promise.all([...early, ...late])).toEqual(Array(100).fill(7))
    expect(cache.stats()).toMatchObject({ inFlight: 0, loads: 1, misses: 100, hits: 0 })
  })

  it('gives the error of a loader to all who wait, stores nothing, and loads again', async () => {
    const { clock, store } = make()
    const cache = new Cache<number>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<number>()
    const error = new Error('origin')
    const calls = [1, 2, 3].map(() => cache.getOrSet('k', loader.load))
    const outcomes = Promise.allSettled(calls)
    await settled()
    loader.calls[0]?.reject(error)
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: error })
    expect(cache.stats()).toMatchObject({ inFlight: 0, loadErrors: 1, loads: 0 })
    expect(await cache.getOrSet('k', () => 2)).toBe(2)
  })

  it('rejects when a loader throws at once, whatever it throws', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock, jitter: 0 })
    for (const thrown of [new Error('origin'), 'text', undefined]) {
      const call = cache.getOrSet('k', () => {
        throw thrown
      })
      await expect(
        call.then(
          () => 'resolved',
          error => [error],
        ),
      ).resolves.toEqual([thrown])
    }
    expect(cache.stats()).toMatchObject({ inFlight: 0, loadErrors: 3 })
  })

  it('does not store undefined', async () => {
    const { clock, store, inner } = make()
    const cache = new Cache({ store, clock, jitter: 0 })
    expect(await cache.getOrSet('k', () => undefined)).toBeUndefined()
    expect(await cache.getOrSet('k', async () => undefined)).toBeUndefined()
    expect(inner.entries.size).toBe(0)
    expect(await cache.getOrSet('k', () => 1)).toBe(1)
  })

  const invalidations: Record<string, (cache: Cache<string>) => Promise<unknown>> = {
    delete: cache => cache.delete('k'),
    deleteMany: cache => cache.deleteMany(['other', 'k']),
    clear: cache => cache.clear(),
    set: cache => cache.set('k', 'written'),
    setMany: cache => cache.setMany({ k: 'written' }),
    warm: cache => cache.warm([['k', 'written']]),
  }
  it.each(Object.entries(invalidations))(
    'lets a %s during the load win, gives the waiting their value, and starts anew for the next',
    async (name, invalidate) => {
      const { clock, store } = make()
      const cache = new Cache<string>({ store, clock, jitter: 0 })
      const view = cache.namespace('n')
      const outdated = new ControlledLoader<string>()
      const first = view.getOrSet('k', outdated.load)
      const second = view.getOrSet('k', outdated.load)
      await settled()
      await invalidate(view)

      const stays = ['set', 'setMany', 'warm'].includes(name) ? 'written' : 'new'
      const third = view.getOrSet('k', () => 'new')
      await settled()
      outdated.calls[0]?.resolve('old')
      expect(await Promise.all([first, second, third])).toEqual(['old', 'old', stays])
      await settled()
      expect(await view.get('k')).toBe(stays)
      expect(outdated.calls).toHaveLength(1)
      expect(cache.stats().inFlight).toBe(0)
    },
  )

  it('leaves a load alone when other keys and namespaces are invalidated', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<string>()
    const call = cache.namespace('n').getOrSet('k', loader.load)
    await settled()
    await cache.delete('k')
    await cache.set('n:other', 'x')
    await cache.namespace('nn').clear()
    loader.calls[0]?.resolve('loaded')
    await call
    expect(await cache.get('n:k')).toBe('loaded')
  })

  it('shares loads and invalidations between two caches over one store, and counts each its own', async () => {
    const { clock, store } = make()
    const one = new Cache<string>({ store, clock, jitter: 0 })
    const two = new Cache<string>({ store, clock, jitter: 0 })
    const loader = new ControlledLoader<string>()
    const calls = [one.getOrSet('k', loader.load), two.getOrSet('k', loader.load)]
    await settled()
    calls.push(two.getOrSet('k', loader.load))
    expect(loader.calls).toHaveLength(1)
    expect(one.stats()).toMatchObject({ misses: 1, sharedLoads: 0 })
    expect(two.stats()).toMatchObject({ misses: 2, sharedLoads: 2 })
    await two.delete('k')
    loader.calls[0]?.resolve('old')
    expect(await Promise.all(calls)).toEqual(['old', 'old', 'old'])
    expect(await one.get('k')).toBeUndefined()
  })
})

describe('a loader', () => {
  it('may return a promise that has a `then` of its own', async () => {
    const cache = new Cache({ store: new BareStore(new ManualClock()) })
    const given = Object.defineProperty(Promise.resolve('loaded'), 'then', { value: () => {} })
    expect(await cache.getOrSet('k', () => given)).toBe('loaded')
    expect(await cache.get('k')).toBe('loaded')
    expect(cache.stats()).toMatchObject({ loads: 1, inFlight: 0 })
  })
})

describe('a load and its peers', () => {
  const loadDuring = async (event: (store: FullStore) => void): Promise<unknown> => {
    const clock = new ManualClock()
    const store = new FullStore(clock)
    const cache = new Cache<string>({ store, clock, jitter: 0 }).namespace('n')
    const loader = new ControlledLoader<string>()
    const call = cache.getOrSet('k', loader.load)
    await settled()
    event(store)
    loader.calls[0]?.resolve('loaded')
    expect(await call).toBe('loaded')
    return cache.get('k')
  }

  it('is not stored after a message about its key, a clear or a gap', async () => {
    expect(await loadDuring(store => store.bus.receive({ type: 'keys', keys: ['x', 'n:k'] }))).toBeUndefined()
    expect(await loadDuring(store => store.bus.receive({ type: 'clear', scope: 'n:' }))).toBeUndefined()
    expect(await loadDuring(store => store.bus.receive({ type: 'clear' }))).toBeUndefined()
    expect(await loadDuring(store => store.bus.gap())).toBeUndefined()
  })

  it('is stored after a message about other keys, or one of its own', async () => {
    expect(await loadDuring(store => store.bus.receive({ type: 'keys', keys: ['k', 'n:'] }))).toBe('loaded')
    expect(await loadDuring(store => store.bus.receive({ type: 'clear', scope: 'x:' }))).toBe('loaded')
    const own = (store: FullStore): void => store.bus.receive({ type: 'keys', keys: ['n:k'] }, store.bus.id)
    expect(await loadDuring(own)).toBe('loaded')
  })

  it('tells listeners of invalidations by peers', () => {
    const store = new FullStore(new ManualClock())
    const seen: unknown[] = []
    new Cache({ store }).on('invalidated', event => seen.push(event))
    store.bus.receive({ type: 'keys', keys: ['a', 'b'] })
    store.bus.receive({ type: 'clear', scope: 's:' })
    store.bus.gap() // A doubt, not an invalidation: nobody knows of which keys.
    expect(seen).toEqual([{ key: 'a' }, { key: 'b' }, { scope: 's:' }])
  })
})

describe('the lookup of getOrSet', () => {
  it('counts those who joined it as hits when it finds something', async () => {
    const clock = new ManualClock()
    const store = new ControlledStore(clock)
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    store.inner.set('k', { value: 'v', createdAt: 0, freshUntil: 1e12, expiresAt: 1e12 })
    const calls = [1, 2, 3].map(() => cache.getOrSet('k', () => expect.fail('loaded')))
    expect(store.pending).toHaveLength(1)
    await store.answerAll()
    expect(await Promise.all(calls)).toEqual(['v', 'v', 'v'])
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 0, sharedLoads: 0, inFlight: 0 })
  })

  it('that was under way at an invalidation does not lead to a fill', async () => {
    const clock = new ManualClock()
    const store = new ControlledStore(clock)
    const cache = new Cache<string>({ store, clock, jitter: 0 })
    const call = cache.getOrSet('k', () => 'loaded')
    const deletion = cache.delete('k')
    await store.next('get').answer()
    expect(await call).toBe('loaded')
    await store.answerAll()
    await deletion
    expect(store.inner.entries.size).toBe(0)
  })
})

describe('a store that fails under getOrSet', () => {
  const away = new CacheError('UNAVAILABLE', 'away')
  const failingOn = (
    methods: readonly (keyof Store)[],
    error: unknown,
    wrap: (s: BareStore) => Store,
  ): Store => {
    const store = new BareStore(new ManualClock())
    for (const method of methods) {
      Object.defineProperty(store, method, {
        configurable: true,
        value: () => {
          throw error
        },
      })
    }
    return wrap(store)
  }
  const wraps: [string, (store: BareStore) => Store][] = [
    ['synchronous', store => store],
    ['asynchronous', asynchronous],
  ]

  it.each(wraps)('in a %s read is a miss, an error event and a load', async (_, wrap) => {
    const cache = new Cache({ store: failingOn(['get'], away, wrap) })
    const errors: unknown[] = []
    cache.on('error', ({ operation, error }) => errors.push([operation, error]))
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    expect(errors).toEqual([['get', away]])
    expect(cache.stats()).toMatchObject({ misses: 1, loads: 1, errors: 1, inFlight: 0 })
  })

  it.each(wraps)('in a %s fill leaves the caller the value', async (_, wrap) => {
    for (const error of [away, new Error('ECONNRESET'), new CacheError('SERIALIZATION', 'cycle')]) {
      const cache = new Cache({ store: failingOn(['set'], error, wrap) })
      const errors: string[] = []
      cache.on('error', event => errors.push(event.error.code))
      expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
      expect(await cache.getOrSetMany(['m'], () => ({ m: 1 }))).toEqual(new Map([['m', 1]]))
      const code = error instanceof CacheError ? error.code : 'STORE'
      expect(errors).toEqual([code, code])
      expect(cache.stats()).toMatchObject({ errors: 2, loads: 2, inFlight: 0 })
    }
  })
})
