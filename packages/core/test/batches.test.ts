import {
  APPLIED,
  type BatchRead,
  Cache,
  CacheError,
  type Entry,
  failed,
  ManualClock,
  type WriteOutcome,
} from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, ControlledStore, FullStore, settled } from './stores.ts'
import { rejection } from './support.ts'

const away = new CacheError('UNAVAILABLE', 'away')
const keysTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `k${n}`)
const failuresOf = (outcome: WriteOutcome): string[] => [...(outcome.failures?.keys() ?? [])]

/** Batches that hold a key beginning with "bad" fail, each in its own way. */
class Fragile extends FullStore {
  mode: 'throws' | 'fails' | 'fails without reason' | 'names keys' | 'queues' = 'fails'

  #outcome(keys: readonly string[]): WriteOutcome {
    const bad = keys.filter(key => key.includes('bad'))
    if (bad.length === 0) return APPLIED
    if (this.mode === 'throws') throw new Error('ECONNRESET')
    if (this.mode === 'queues') return { status: 'queued', error: away }
    if (this.mode === 'fails without reason') return { status: 'failed' }
    if (this.mode === 'fails') return failed(away)
    return { status: 'partial', error: away, failures: new Map(bad.map(key => [key, away])) }
  }

  override setMany(entries: ReadonlyMap<string, Entry>): WriteOutcome {
    return this.#outcome([...entries.keys()])
  }

  override deleteMany(keys: readonly string[]): WriteOutcome {
    return this.#outcome(keys)
  }

  override getMany(keys: readonly string[]): BatchRead {
    if (this.mode === 'throws' && keys.some(key => key.includes('bad'))) throw new Error('ECONNRESET')
    const found = super.getMany(keys).found
    const bad = keys.filter(key => key.includes('bad'))
    return { found, failures: new Map(bad.map(key => [key, away])) }
  }
}

function fragile(mode: Fragile['mode']): { store: Fragile; cache: Cache } {
  const clock = new ManualClock()
  const store = new Fragile(clock)
  store.mode = mode
  return { store, cache: new Cache({ store, clock, batchSize: 2 }).namespace('n') }
}

describe('batches', () => {
  it('hold at most batchSize keys, 100 unless said otherwise', async () => {
    const store = new FullStore(new ManualClock())
    await new Cache({ store }).getMany(keysTo(250))
    expect(store.batches.splice(0)).toEqual([100, 100, 50])
    const cache = new Cache({ store, batchSize: 3 })
    await cache.setMany(keysTo(7).map(key => [key, 1] as const))
    await cache.namespace('n').deleteMany(keysTo(4))
    expect(store.batches).toEqual([3, 3, 1, 3, 1])
  })

  it('run a few at a time', async () => {
    const store = new ControlledStore(new ManualClock())
    const cache = new Cache({ store, batchSize: 2 })
    const reading = cache.getMany(keysTo(20))
    expect(store.pending).toHaveLength(8)
    await store.pending[0]?.answer()
    await store.pending[0]?.answer()
    expect(store.pending).toHaveLength(8)
    await store.answerAll()
    await reading
  })

  it.each(['throws', 'fails', 'fails without reason'] as const)(
    'of which one %s are partial, and name its keys as the caller gave them',
    async mode => {
      const { cache } = fragile(mode)
      const events: unknown[] = []
      cache.on('set', ({ key, status }) => events.push([key, status]))
      const outcome = await cache.setMany({ a: 1, b: 2, bad: 3, c: 4 })
      expect(outcome.status).toBe('partial')
      expect(outcome.error?.code).toBe(mode === 'fails' ? 'UNAVAILABLE' : 'STORE')
      expect(failuresOf(outcome)).toEqual(['bad', 'c'])
      expect(failuresOf(await cache.deleteMany(['bad', 'c', 'a']))).toEqual(['bad', 'c'])
      expect(events).toEqual([
        ['n:a', 'applied'],
        ['n:b', 'applied'],
        ['n:bad', 'failed'],
        ['n:c', 'failed'],
      ])
      expect(cache.stats()).toMatchObject({
        sets: 4,
        deletes: 3,
        errors: mode === 'fails without reason' ? 0 : 2,
      })
    },
  )

  it('in which keys failed are partial, and name them as the caller gave them', async () => {
    const { cache } = fragile('names keys')
    const alone = await cache.setMany({ a: 1, bad: 2 })
    expect([alone.status, failuresOf(alone)]).toEqual(['partial', ['bad']])
    const among = await cache.deleteMany(['a', 'bad', 'c', 'd', 'bad2'])
    expect([among.status, failuresOf(among)]).toEqual(['partial', ['bad', 'bad2']])
  })

  it('are failed only if all failed, and queued if any is', async () => {
    const failing = fragile('throws').cache
    const all = await failing.setMany({ bad1: 1, bad2: 2, bad3: 3 })
    expect([all.status, failuresOf(all)]).toEqual(['failed', ['bad1', 'bad2', 'bad3']])
    expect((await failing.deleteMany(['bad'])).status).toBe('failed')
    const events: string[] = []
    const { cache } = fragile('queues')
    cache.on('delete', ({ status }) => events.push(status))
    expect(await cache.deleteMany(['a', 'b', 'bad'])).toEqual({ status: 'queued', error: away })
    expect(events).toEqual(['queued', 'queued', 'queued'])
  })

  it('that cannot be read are misses and one error, and leave the others alone', async () => {
    for (const mode of ['throws', 'names keys'] as const) {
      const { store, cache } = fragile(mode)
      for (const key of ['n:a', 'n:b', 'n:c'])
        store.entries.set(key, { value: key, createdAt: 0, freshUntil: 1e12, expiresAt: 1e12 })
      expect(await cache.getMany(['a', 'b', 'bad'])).toEqual(
        new Map([
          ['a', 'n:a'],
          ['b', 'n:b'],
        ]),
      )
      expect(cache.stats()).toMatchObject({ hits: 2, misses: 1, errors: 1 })
    }
  })

  it('to a store that is closed reject', async () => {
    const closed = new CacheError('CLOSED', 'closed')
    class Closed extends BareStore {
      override get(): never {
        throw closed
      }
      override set(): never {
        throw closed
      }
    }
    const cache = new Cache({ store: new Closed(new ManualClock()) })
    for (const call of [
      () => cache.get('a'),
      () => cache.getMany(['a', 'b']),
      () => cache.set('a', 1),
      () => cache.setMany({ a: 1, b: 2 }),
      () => cache.getOrSet('a', () => 1),
      () => cache.getOrSetMany(['a', 'b'], () => ({})),
    ]) {
      expect(await rejection(call)).toBe(closed)
    }
    await settled() // An unhandled rejection fails the run.
  })
})

describe('a key whose batch waits for its turn', () => {
  const waiting = async (
    first: (cache: Cache<string>, keys: string[]) => Promise<unknown>,
    second: (cache: Cache<string>) => Promise<unknown>,
  ): Promise<unknown> => {
    const store = new ControlledStore(new ManualClock(0))
    const cache = new Cache<string>({ store, clock: new ManualClock(0), batchSize: 1 })
    const calls = [first(cache, ['a', 'b', 'c', 'd', 'k']), second(cache)]
    await store.answerAll()
    await Promise.all(calls)
    return store.inner.entries.get('k')?.value
  }
  const setMany = (cache: Cache<string>, keys: string[]): Promise<unknown> =>
    cache.setMany(keys.map(key => [key, 'old'] as const))
  const warm = (cache: Cache<string>, keys: string[]): Promise<unknown> =>
    cache.warm(keys.map(key => [key, 'old'] as const))
  const deleteMany = (cache: Cache<string>, keys: string[]): Promise<unknown> => cache.deleteMany(keys)

  it('is not written over what a later call wrote', async () => {
    expect(await waiting(setMany, cache => cache.set('k', 'new'))).toBe('new')
    expect(await waiting(deleteMany, cache => cache.set('k', 'new'))).toBe('new')
    expect(await waiting(setMany, cache => cache.setMany({ k: 'new' }))).toBe('new')
  })

  it('is not brought back after a later call removed it', async () => {
    expect(await waiting(setMany, cache => cache.delete('k'))).toBeUndefined()
    expect(await waiting(setMany, cache => cache.deleteMany(['k']))).toBeUndefined()
    expect(await waiting(setMany, cache => cache.clear())).toBeUndefined()
    expect(await waiting(setMany, async () => {})).toBe('old')
    expect(await waiting(warm, async () => {})).toBe('old')
  })
})
