import { APPLIED, Cache } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../src/manual-clock.ts'
import { asynchronous, BareStore, ControlledStore, settled, TaggingStore } from './stores.ts'
import { ControlledLoader, expectRejection } from './support.ts'

function tagged() {
  const clock = new ManualClock()
  const store = new TaggingStore(clock)
  return { store, clock, cache: new Cache<unknown>({ store, clock }) }
}

describe('invalidateTags', () => {
  it('outdates what has one of the tags, and nothing else', async () => {
    const { cache } = tagged()
    await cache.set('a', 1, { tags: ['x', 'y'] })
    await cache.setMany({ b: 2, c: 3 }, { tags: ['z'] })
    await cache.set('d', 4)
    expect(await cache.invalidateTags(['y', 'unknown'])).toEqual(APPLIED)
    expect(await cache.getMany(['a', 'b', 'c', 'd'])).toEqual(new Map(Object.entries({ b: 2, c: 3, d: 4 })))
  })

  it('leaves alone what is written after it', async () => {
    const { cache } = tagged()
    await cache.invalidateTags(['x'])
    await cache.set('a', 1, { tags: ['x'] })
    expect(await cache.get('a')).toBe(1)
    expect((await cache.getEntry('a'))?.tags).toEqual(['x'])
  })

  it('reaches across namespaces', async () => {
    const { cache } = tagged()
    const [users, orders] = [cache.namespace('users'), cache.namespace('orders')]
    await users.set('1', 'u', { tags: ['user:1'] })
    await orders.set('1', 'o', { tags: ['user:1'] })
    await users.invalidateTags(['user:1'])
    expect(await orders.get('1')).toBeUndefined()
    expect(await users.get('1')).toBeUndefined()
  })

  it('tells who listens', async () => {
    const { cache } = tagged()
    const events: unknown[] = []
    cache.on('invalidated', event => events.push(event))
    await cache.invalidateTags(['x', 'x'])
    expect(events).toEqual([{ tags: ['x'] }])
  })
})

describe('a load', () => {
  it('begun before one of its tags was invalidated is not stored', async () => {
    const { cache, store } = tagged()
    const loader = new ControlledLoader<string>()
    const loaded = cache.getOrSet('a', loader.load, { tags: ['x'] })
    await settled()
    await cache.invalidateTags(['x'])
    loader.calls[0]?.resolve('old')
    expect(await loaded).toBe('old')
    expect(store.entries.size).toBe(0)
  })

  it('is not stored if a peer invalidated one of its tags', async () => {
    const { cache, store } = tagged()
    const loader = new ControlledLoader<string>()
    const loaded = cache.getOrSet('a', loader.load, { tags: ['x'] })
    await settled()
    store.bus.receive({ type: 'tags', tags: ['x'] })
    loader.calls[0]?.resolve('old')
    await loaded
    expect(store.entries.size).toBe(0)
  })

  it('is stored with its tags if only others were invalidated', async () => {
    const { cache } = tagged()
    const loader = new ControlledLoader<string>()
    const loaded = cache.getOrSet('a', loader.load, { tags: ['x'] })
    await settled()
    await cache.invalidateTags(['y'])
    loader.calls[0]?.resolve('v')
    await loaded
    expect((await cache.getEntry('a'))?.tags).toEqual(['x'])
  })

  it('of many begun before a tag was invalidated is not stored', async () => {
    const { cache, store } = tagged()
    const { promise, resolve } = Promise.withResolvers<Map<string, string>>()
    const loaded = cache.getOrSetMany(['a', 'b'], () => promise, { tags: ['x'] })
    await settled()
    await cache.invalidateTags(['x'])
    resolve(new Map([['a', 'old']]))
    expect(await loaded).toEqual(new Map([['a', 'old']]))
    expect(store.entries.size).toBe(0)
  })
})

it('a batch that waits for its turn loses to an invalidation of its tag', async () => {
  const clock = new ManualClock()
  const inner = new TaggingStore(clock)
  const cache = new Cache({ store: asynchronous(inner), clock, batchSize: 1 })
  const items = Array.from({ length: 20 }, (_, i): [string, number] => [`k${i}`, i])
  const written = cache.setMany(items, { tags: ['x'] })
  await undefined
  await cache.invalidateTags(['x'])
  await written
  expect(await cache.getMany(items.map(([key]) => key))).toEqual(new Map())
})

describe('bad tags', () => {
  it.each([
    ['a word', 'x'],
    ['an empty tag', ['']],
    ['a number', [1]],
    ['a lone surrogate', ['\ud800']],
    ['too many', Array.from({ length: 101 }, (_, i) => `t${i}`)],
    ['too long', ['x'.repeat(70_000)]],
  ])('are refused: %s', async (_, tags) => {
    const { cache, store } = tagged()
    const bad = { tags: tags as string[] }
    await expectRejection(() => cache.set('a', 1, bad), 'INVALID_OPTION', /^tags must be/)
    await expectRejection(() => cache.setMany({ a: 1 }, bad), 'INVALID_OPTION', /^tags must be/)
    await expectRejection(() => cache.getOrSet('a', () => 1, bad), 'INVALID_OPTION', /^tags must be/)
    await expectRejection(() => cache.invalidateTags(bad.tags), 'INVALID_OPTION', /^tags must be/)
    expect(store.entries.size).toBe(0)
  })

  it('are those given to a store that keeps none', async () => {
    const cache = new Cache({ store: new BareStore(new ManualClock()) })
    await expectRejection(
      () => cache.set('a', 1, { tags: ['x'] }),
      'INVALID_OPTION',
      /the store bare does not/,
    )
    await expectRejection(() => cache.invalidateTags(['x']), 'INVALID_OPTION', /the store bare does not/)
    expect((await cache.set('a', 1, { tags: [] })).status).toBe('applied')
  })
})

describe('a load under way when one of its tags is invalidated', () => {
  const begun = () => {
    const releases: ((value: string) => void)[] = []
    const load = () => new Promise<string>(resolve => releases.push(resolve))
    return { load, release: (index: number, value: string) => releases[index]?.(value) }
  }
  const settle = () => new Promise<void>(resolve => setImmediate(resolve))

  it('is not joined by whoever comes after that: they load anew', async () => {
    const clock = new ManualClock()
    const cache = new Cache<string>({ store: new TaggingStore(clock), clock })
    const { load, release } = begun()
    const first = cache.getOrSet('k', load, { tags: ['t'] })
    await settle()
    await cache.invalidateTags(['other'])
    const joined = cache.getOrSet('k', load, { tags: ['t'] })
    await cache.invalidateTags(['t'])
    const second = cache.getOrSet('k', load, { tags: ['t'] })
    const many = cache.getOrSetMany(['k'], () => new Map([['k', 'never called']]))
    await settle()
    release(1, 'new')
    release(0, 'old')
    expect(await Promise.all([first, joined, second])).toEqual(['old', 'old', 'new'])
    expect((await many).get('k')).toBe('new')
    expect(await cache.get('k')).toBe('new')
  })

  it('nor is a lookup that found what lost its tag: who joined it after that would see the past', async () => {
    const clock = new ManualClock()
    const store = Object.assign(new ControlledStore(clock), { invalidateTags: () => APPLIED })
    const cache = new Cache<string>({ store, clock })
    const until = clock.now() + 9_000
    store.inner.set('k', { value: 'old', createdAt: 0, freshUntil: until, expiresAt: until, tags: ['t'] })
    const before = cache.getOrSet('k', () => 'new')
    store.next('get').happen()
    await cache.invalidateTags(['t'])
    const after = cache.getOrSet('k', () => 'newer')
    await store.answerAll()
    expect(await Promise.all([before, after])).toEqual(['new', 'new'])
  })

  it('is stored if the tag was invalidated while the key was only looked up', async () => {
    const clock = new ManualClock()
    const store = Object.assign(new ControlledStore(clock), { invalidateTags: () => APPLIED })
    const cache = new Cache<string>({ store, clock })
    const value = cache.getOrSet('k', () => 'loaded after', { tags: ['t'] })
    await cache.invalidateTags(['t'])
    await store.answerAll()
    expect(await value).toBe('loaded after')
    expect(store.inner.get('k')).toMatchObject({ value: 'loaded after' })
  })

  it('is not joined either if its loader named the tag', async () => {
    const clock = new ManualClock()
    const cache = new Cache<string>({ store: new TaggingStore(clock), clock })
    const { load, release } = begun()
    const first = cache.getOrSet('k', ({ setTags }) => {
      setTags(['t'])
      return load()
    })
    await settle()
    await cache.invalidateTags(['t'])
    const second = cache.getOrSet('k', load)
    await settle()
    release(0, 'old')
    release(1, 'new')
    expect(await Promise.all([first, second])).toEqual(['old', 'new'])
    expect(await cache.get('k')).toBe('new')
  })
})
