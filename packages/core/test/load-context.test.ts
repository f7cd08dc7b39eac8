import { APPLIED, Cache, type Kept, type LoadContext, ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { ControlledStore, settled } from './stores.ts'
import { ControlledLoader, type Made, STORES } from './support.ts'

function cacheOf({ clock, store }: Made): Cache<string | undefined> {
  Object.assign(store, { invalidateTags: () => APPLIED })
  return new Cache<string | undefined>({ store, clock, jitter: 0, ttl: 10, grace: 20 })
}

describe.each(Object.entries(STORES))('what a loader says over %s', (_, make) => {
  it('setTtl decides how long its value lives', async () => {
    const made = make()
    const cache = cacheOf(made)
    await cache.getOrSet('k', ({ setTtl }) => {
      setTtl('1m')
      return 'v'
    })
    const now = made.clock.now()
    expect(await cache.getEntry('k')).toMatchObject({ freshUntil: now + 60_000, expiresAt: now + 80_000 })
  })

  it('setTags come beside the tags of the call, setMetadata beside the value', async () => {
    const cache = cacheOf(make())
    const load = ({ setTags, setMetadata }: LoadContext): string => {
      setTags(['b', 'c', 'a'])
      setMetadata({ etag: 'x' })
      return 'v'
    }
    await cache.getOrSet('k', load, { tags: ['a'] })
    expect(await cache.getEntry('k')).toMatchObject({ tags: ['a', 'b', 'c'], metadata: { etag: 'x' } })
    await cache.getOrSet('l', load)
    expect(await cache.getEntry('l')).toMatchObject({ tags: ['b', 'c', 'a'] })
  })

  it('skip has its value given out and not stored', async () => {
    const { clock, inner, store } = make()
    const cache = cacheOf({ clock, inner, store })
    expect(
      await cache.getOrSet('k', ({ skip }) => {
        skip()
        return 'once'
      }),
    ).toBe('once')
    expect(inner.entries.size).toBe(0)
    await cache.set('k', 'old')
    clock.advance(10_000)
    const nothing = await cache.getOrSet('k', ({ skip }) => {
      skip()
      return undefined
    })
    expect(nothing).toBeUndefined()
    expect(await cache.getEntry('k')).toMatchObject({ value: 'old' })
  })

  it('stale is what is stored still, with its metadata; keep renews it with them', async () => {
    const made = make()
    const cache = cacheOf(made)
    await cache.set('k', 'old', { metadata: { etag: 'x' }, tags: ['t'] })
    made.clock.advance(10_000)
    const load = ({ stale, keep }: LoadContext<string | undefined>): string | Kept =>
      stale?.metadata?.etag === 'x' ? keep() : 'new'
    expect(await cache.getOrSet('k', load)).toBe('old')
    const now = made.clock.now()
    expect(await cache.getEntry('k')).toEqual({
      value: 'old',
      createdAt: now,
      freshUntil: now + 10_000,
      expiresAt: now + 30_000,
      metadata: { etag: 'x' },
      tags: ['t'],
    })
    expect(cache.stats()).toMatchObject({ loads: 1, refreshes: 1 })
  })

  it('keep leaves the tags as they are if the loader sets none', async () => {
    const made = make()
    const cache = cacheOf(made)
    await cache.set('k', 'old', { tags: ['t'] })
    made.clock.advance(10_000)
    await cache.getOrSet('k', ({ keep, setTags }) => {
      setTags([])
      return keep()
    })
    expect((await cache.getEntry('k'))?.tags).toEqual(['t'])
  })

  it('keep takes what the loader sets beside it', async () => {
    const made = make()
    const cache = cacheOf(made)
    await cache.set('k', 'old', { metadata: { etag: 'x' } })
    made.clock.advance(10_000)
    await cache.getOrSet('k', ({ keep, setTtl, setMetadata }) => {
      setTtl(60)
      setMetadata({ etag: 'y' })
      return keep()
    })
    const now = made.clock.now()
    expect(await cache.getEntry('k')).toMatchObject({
      value: 'old',
      freshUntil: now + 60_000,
      metadata: { etag: 'y' },
    })
  })

  it('keep needs something to keep', async () => {
    const cache = cacheOf(make())
    await expect(cache.getOrSet('k', ({ keep }) => keep())).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: 'keep() needs a stale value; look at `stale` before',
    })
    await cache.set('k', 'other')
    const smuggled: (string | Kept)[] = []
    const made = make()
    const other = cacheOf(made)
    await other.set('k', 'v')
    made.clock.advance(10_000)
    await other.getOrSet('k', ({ keep }) => {
      smuggled.push(keep())
      return 'v'
    })
    await expect(cache.getOrSet('nothing', () => smuggled[0] as Kept)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    })
  })

  it('keep brings nothing back that lost its key or its tag meanwhile', async () => {
    for (const invalidate of [
      (cache: Cache) => cache.delete('k'),
      (cache: Cache) => cache.invalidateTags(['t']),
    ]) {
      const made = make()
      const cache = cacheOf(made)
      await cache.set('k', 'old', { tags: ['t'] })
      made.clock.advance(10_000)
      const { promise, resolve } = Promise.withResolvers<void>()
      const call = cache.getOrSet('k', async ({ keep }) => {
        await promise
        return keep()
      })
      await settled()
      await invalidate(cache as Cache)
      resolve()
      expect(await call).toBe('old')
      const entry = await cache.getEntry('k')
      expect(entry?.freshUntil ?? 0).toBeLessThanOrEqual(made.clock.now())
    }
  })

  it.each([
    ['setTtl', [0], 'INVALID_TTL'],
    ['setTags', ['text'], 'INVALID_OPTION'],
    ['setMetadata', ['text'], 'INVALID_VALUE'],
    ['setMetadata', [{ 'cache:negative': true }], 'INVALID_VALUE'],
  ] as const)('%s refuses %j: the load fails', async (name, [given], code) => {
    const cache = cacheOf(make())
    const load = (context: LoadContext): string => {
      const say = context[name] as (value: unknown) => void
      say(given)
      return 'v'
    }
    await expect(cache.getOrSet('k', load)).rejects.toMatchObject({ code })
    expect(cache.stats().loadErrors).toBe(1)
  })

  it('there is no stale where there is nothing, and the key has no prefix', async () => {
    const cache = cacheOf(make()).namespace('n')
    const seen: unknown[] = []
    await cache.getOrSet('k', ({ key, stale }) => {
      seen.push(key, stale)
      return 'v'
    })
    expect(seen).toEqual(['k', undefined])
  })

  it('a value is as fresh as when it was loaded, not as when loading began', async () => {
    const made = make()
    const cache = cacheOf(made)
    const loader = new ControlledLoader<string>()
    const call = cache.getOrSet('k', loader.load)
    await settled()
    made.clock.advance(5_000)
    loader.calls[0]?.resolve('v')
    await call
    expect(await cache.getEntry('k')).toMatchObject({ createdAt: made.clock.now() })
  })
})

it('there is no stale to keep that lost its tag while it was looked up', async () => {
  const clock = new ManualClock()
  const store = Object.assign(new ControlledStore(clock), { invalidateTags: () => APPLIED })
  const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10, grace: 20 })
  const now = clock.now()
  store.inner.set('k', { value: 'old', createdAt: 0, freshUntil: now, expiresAt: now + 9_000, tags: ['t'] })
  const call = cache.getOrSet('k', ({ stale }) => `instead of ${stale?.value}`)
  store.next('get').happen()
  await cache.invalidateTags(['t'])
  await store.answerAll()
  expect(await call).toBe('instead of undefined')
})

it('tags need a store that keeps them, also those that a loader sets', async () => {
  const [make] = Object.values(STORES)
  const { clock, store } = (make as () => Made)()
  const cache = new Cache<string>({ store, clock })
  const call = cache.getOrSet('k', ({ setTags }) => {
    setTags(['t'])
    return 'v'
  })
  await expect(call).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})
