import { Cache, ManualClock, type StoreCall, type Vacancy } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { LeasingStore, Server } from './leasing-store.ts'
import { BareStore, FullStore, settled } from './stores.ts'

const DEADLINE = { deadline: '20ms' } as const
const CALL = { deadlineMs: 20 }

/** A cache over a store of which is seen what its calls were told. */
function watched<S extends BareStore>(store: S) {
  const told: [method: string, call: StoreCall | undefined][] = []
  const seen = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (/^(get|set|delete)/.test(String(name)))
          told.push([String(name), args[CALL_AT(String(name))] as StoreCall])
        return member.apply(target, args)
      }
    },
  })
  return { told, cache: new Cache<string>({ store: seen, clock: new ManualClock() }) }
}

const CALL_AT = (method: string): number => (method.startsWith('set') && method !== 'setMany' ? 2 : 1)

describe('a deadline of a call', () => {
  it('reaches the store, with every kind of call', async () => {
    const { told, cache } = watched(new BareStore(new ManualClock()))
    await cache.get('k', DEADLINE)
    await cache.get('k', { ttl: 60, ...DEADLINE })
    await cache.getEntry('k', DEADLINE)
    await cache.has('k', DEADLINE)
    await cache.set('k', 'v', DEADLINE)
    await cache.delete('k', DEADLINE)
    await cache.getMany(['k'], DEADLINE)
    await cache.setMany({ k: 'v' }, DEADLINE)
    await cache.deleteMany(['k'], DEADLINE)
    await cache.getOrSet('k', () => 'v', DEADLINE)
    await cache.getOrSetMany(['other'], () => ({ other: 'v' }), DEADLINE)
    expect(told.filter(([, call]) => call?.deadlineMs !== 20)).toEqual([])
    expect(told.map(([method]) => method)).toEqual([
      'get',
      'get',
      'get',
      'get',
      'set',
      'delete',
      'get',
      'set',
      'delete',
      'get',
      'set',
      'get',
      'set',
    ])
  })

  it('reaches the batches of a store that has its own', async () => {
    const { told, cache } = watched(new FullStore(new ManualClock()))
    await cache.getMany(['k'], DEADLINE)
    await cache.setMany({ k: 'v' }, DEADLINE)
    await cache.deleteMany(['k'], DEADLINE)
    await cache.getOrSetMany(['other'], () => ({ other: 'v' }), DEADLINE)
    expect(told).toEqual(
      ['getMany', 'setMany', 'deleteMany', 'getMany', 'setMany'].map(method => [method, CALL]),
    )
  })

  it('reaches a store that grants leases, also when another process has one', async () => {
    const clock = new ManualClock()
    const server = new Server()
    const [store, other] = [new LeasingStore(server, clock), new LeasingStore(server, clock)]
    const calls: (StoreCall | undefined)[] = []
    const { getOrLease, fill, delete: remove } = store
    store.getOrLease = (...args) => {
      calls.push((args as unknown[])[3] as StoreCall)
      return getOrLease.apply(store, args)
    }
    store.fill = (...args) => {
      calls.push((args as unknown[])[3] as StoreCall)
      return fill.apply(store, args)
    }
    store.delete = (...args) => {
      calls.push((args as unknown[])[1] as StoreCall)
      return remove.apply(store, args)
    }
    const cache = new Cache<string>({ store, clock, jitter: 0, ttl: 10, grace: 60, random: () => 0.5 })
    await cache.getOrSetMany(['a', 'b'], keys => new Map(keys.map(key => [key, 'v'])), DEADLINE)
    expect(calls.splice(0)).toEqual([CALL, CALL, CALL, CALL])

    clock.advance(10_000)
    await cache.getOrSet('a', () => undefined, DEADLINE) // It is gone: removed.
    await cache.getOrSetMany(['b'], () => new Map(), DEADLINE)
    expect(calls.splice(0)).toEqual([CALL, CALL, CALL, CALL])

    await cache.set('early', 'v')
    clock.advance(9_500)
    await cache.getOrSet('early', () => 'new', { ...DEADLINE, refreshAhead: 0.9 })
    await settled()
    expect(calls.splice(0)).toEqual([CALL, CALL, CALL])

    const { lease } = (await other.getOrLease('theirs', 1_500)) as Vacancy
    const waiting = cache.getOrSet('theirs', () => 'ours', DEADLINE)
    await settled()
    const entry = {
      value: 'theirs',
      createdAt: clock.now(),
      freshUntil: clock.now() + 9,
      expiresAt: clock.now() + 9,
    }
    await other.fill('theirs', entry, lease)
    expect(await waiting).toBe('theirs')
    expect(calls.splice(0)).toEqual([CALL, CALL])
  })

  it('is the store’s own where nothing is said', async () => {
    const { told, cache } = watched(new BareStore(new ManualClock()))
    await cache.set('k', 'v', { ttl: 60 })
    await cache.get('k')
    await cache.getOrSet('other', () => 'v', { ttl: 60 })
    expect(told.map(([, call]) => call)).toEqual([undefined, undefined, undefined, undefined])
  })

  it.each([0, -1, 'soon', null])('of %o is refused before anything is asked', async deadline => {
    const { told, cache } = watched(new BareStore(new ManualClock()))
    const bad = { deadline: deadline as never }
    const refused = { code: 'INVALID_OPTION', message: expect.stringMatching(/^deadline must be/) }
    await expect(cache.get('k', bad)).rejects.toMatchObject(refused)
    await expect(cache.getEntry('k', bad)).rejects.toMatchObject(refused)
    await expect(cache.has('k', bad)).rejects.toMatchObject(refused)
    await expect(cache.set('k', 'v', bad)).rejects.toMatchObject(refused)
    await expect(cache.delete('k', bad)).rejects.toMatchObject(refused)
    await expect(cache.getMany(['k'], bad)).rejects.toMatchObject(refused)
    await expect(cache.setMany({ k: 'v' }, bad)).rejects.toMatchObject(refused)
    await expect(cache.deleteMany(['k'], bad)).rejects.toMatchObject(refused)
    await expect(cache.getOrSet('k', () => 'v', bad)).rejects.toMatchObject(refused)
    expect(told).toEqual([])
  })
})
