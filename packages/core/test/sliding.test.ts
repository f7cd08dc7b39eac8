import { Cache, CacheError, ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, ControlledStore, FullStore, settled } from './stores.ts'

function controlled(): { clock: ManualClock; store: ControlledStore; cache: Cache<string> } {
  const clock = new ManualClock()
  const store = new ControlledStore(clock)
  const until = clock.now() + 10_000
  store.inner.set('k', { value: 'old', createdAt: clock.now(), freshUntil: until, expiresAt: until })
  return { clock, store, cache: new Cache<string>({ store, clock, jitter: 0, ttl: 10 }) }
}

describe('a sliding get of a store that cannot move an expiry', () => {
  it('does not bring back a key that was deleted while it read', async () => {
    const { store, cache } = controlled()
    const read = cache.get('k', { ttl: 60 })
    store.next('get').happen()
    const deletion = cache.delete('k')
    await store.next('delete').answer()
    await store.next('get').answer()
    await store.answerAll()
    expect(await read).toBe('old')
    await deletion
    expect(store.inner.entries.size).toBe(0)
  })

  it('does not put back a value that was replaced while it read', async () => {
    const { store, cache } = controlled()
    const read = cache.get('k', { ttl: 60 })
    store.next('get').happen()
    const write = cache.set('k', 'new')
    await store.answerAll()
    await Promise.all([read, write])
    expect(store.inner.entries.get('k')?.value).toBe('new')
  })

  it('leaves in place what is written while it extends', async () => {
    const { store, cache } = controlled()
    const read = cache.get('k', { ttl: 60 })
    await store.next('get').answer()
    const write = cache.set('k', 'new')
    await store.answerAll()
    await Promise.all([read, write])
    expect(store.inner.entries.get('k')?.value).toBe('new')
  })

  it('leaves deleted what is deleted while it extends', async () => {
    const { store, cache } = controlled()
    const read = cache.get('k', { ttl: 60 })
    await store.next('get').answer()
    const deletion = cache.delete('k')
    await store.answerAll()
    await Promise.all([read, deletion])
    expect(store.inner.entries.size).toBe(0)
  })

  it('does not extend what expired on its way', async () => {
    const { clock, store, cache } = controlled()
    const read = cache.get('k', { ttl: 60 })
    store.next('get').happen()
    clock.advance(10_000)
    await store.next('get').answer()
    expect(await read).toBe('old')
    expect(store.pending).toEqual([])
  })

  it('does not put back what a waiting batch removes while it reads', async () => {
    const { clock, store } = controlled()
    const cache = new Cache({ store, clock, jitter: 0, batchSize: 1 })
    for (const batch of [
      () => cache.deleteMany(['a', 'b', 'c', 'd', 'k']),
      () => cache.setMany(['a', 'b', 'c', 'd', 'k'].map(key => [key, 'new'] as const)),
    ]) {
      const writing = batch()
      const read = cache.get('k', { ttl: 60 })
      store.next('get').happen()
      await store.pending[0]?.answer()
      await store.next('get').answer()
      await store.answerAll()
      await Promise.all([writing, read])
      expect(store.inner.entries.get('k')?.value).not.toBe('old')
      store.inner.set('k', {
        value: 'old',
        createdAt: 0,
        freshUntil: 2_000_000,
        expiresAt: clock.now() + 1_000,
      })
    }
  })

  it('does not disturb a load of the key, nor what counts', async () => {
    const { clock, store, cache } = controlled()
    const read = cache.get('k', { ttl: 60 })
    await store.next('get').answer()
    clock.advance(10_000)
    const load = cache.getOrSet('k', () => 'loaded')
    await store.answerAll()
    expect(await Promise.all([read, load])).toEqual(['old', 'old'])
    expect(cache.stats()).toMatchObject({ hits: 2, misses: 0, loads: 0, inFlight: 0 })
  })

  it('answers with the value when the store refuses, fails or is closed meanwhile', async () => {
    for (const error of [new Error('ECONNRESET'), new CacheError('SERIALIZATION', 'cycle')]) {
      const { store, cache } = controlled()
      const read = cache.get('k', { ttl: 60 })
      await store.next('get').answer()
      await store.next('set').fail(error)
      expect(await read).toBe('old')
      expect(cache.stats().errors).toBe(1)
    }
    const { store, cache } = controlled()
    const read = cache.get('k', { ttl: 60 })
    await cache.close()
    await store.answerAll()
    expect(await read).toBe('old')
    expect(cache.stats().errors).toBe(0)
  })
})

describe('a sliding get of a store that can move an expiry', () => {
  it('moves it in one operation, only when it lasts longer than before', async () => {
    const clock = new ManualClock()
    const touches: [string, number, number][] = []
    class Touched extends FullStore {
      override touch(...args: [string, number, number]): ReturnType<FullStore['touch']> {
        touches.push(args)
        return super.touch(...args)
      }
    }
    const store = new Touched(clock)
    const cache = new Cache({ store, clock, jitter: 0, ttl: 10 }).namespace('n')
    await cache.set('k', 'v')
    await cache.get('k', { ttl: 10 })
    await cache.get('k', { ttl: 5 })
    expect(touches).toEqual([])
    await cache.get('k', { ttl: '11s' })
    const until = clock.now() + 11_000
    expect(touches).toEqual([['n:k', until, until]])
  })

  it('answers with the value when the store cannot be told, and says so', async () => {
    const clock = new ManualClock()
    const away = new CacheError('TIMEOUT', 'late')
    class Failing extends FullStore {
      override touch(): never {
        throw away
      }
    }
    const cache = new Cache({ store: new Failing(clock), clock, ttl: 10 })
    const errors: unknown[] = []
    cache.on('error', ({ operation, error }) => errors.push([operation, error]))
    await cache.set('k', 'v')
    expect(await cache.get('k', { ttl: 60 })).toBe('v')
    expect(errors).toEqual([['touch', away]])
  })
})

describe('a plain get', () => {
  it('writes nothing', async () => {
    const clock = new ManualClock()
    class ReadOnly extends BareStore {
      override set(): never {
        throw new Error('written')
      }
    }
    const store = new ReadOnly(clock)
    store.entries.set('k', { value: 1, createdAt: 0, freshUntil: 1e12, expiresAt: 1e12 })
    const cache = new Cache({ store, clock, jitter: 0 })
    expect(await cache.get('k')).toBe(1)
    expect(await cache.get('k', {})).toBe(1)
    await settled()
    expect(cache.stats().errors).toBe(0)
  })
})
