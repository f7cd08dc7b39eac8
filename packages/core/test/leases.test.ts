import { APPLIED, Cache, CacheError, ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { LeasingStore, Server } from './leasing-store.ts'
import { settled } from './stores.ts'
import { ControlledLoader, expectRejection } from './support.ts'

function fleet(size: number, leaseWait = '5s' as const) {
  const clock = new ManualClock()
  const server = new Server()
  const stores = Array.from({ length: size }, () => new LeasingStore(server, clock))
  const caches = stores.map(store => new Cache<string>({ store, clock, leaseWait }))
  return { clock, server, stores, caches }
}

/** Two processes, of which the first holds the lease of `k` and loads. */
async function loading() {
  const { clock, server, stores, caches } = fleet(2)
  const [first, second] = caches as [Cache<string>, Cache<string>]
  const loader = new ControlledLoader<string>()
  const loaded = first.getOrSet('k', loader.load)
  loaded.catch(() => {})
  await settled()
  expect(loader.calls).toHaveLength(1)
  return { clock, server, stores: stores as [LeasingStore, LeasingStore], first, second, loader, loaded }
}

const never = (): never => {
  throw new Error('must not load')
}

describe('of several processes', () => {
  it('one loads and the others get what it loaded, as soon as they are told', async () => {
    const { first, second, loader, loaded, clock } = await loading()
    const other = second.getOrSet('k', never)
    const third = second.getOrSet('k', never)
    await settled()
    loader.calls[0]?.resolve('v')
    expect(await Promise.all([loaded, other, third])).toEqual(['v', 'v', 'v'])
    expect(clock.now()).toBe(new ManualClock().now())
    expect(first.stats()).toMatchObject({ loads: 1, misses: 1, hits: 0 })
    expect(second.stats()).toMatchObject({ loads: 0, misses: 0, hits: 2 })
  })

  it('those who wait look again by themselves, should no message arrive', async () => {
    const { second, loader, stores, clock } = await loading()
    const other = second.getOrSet('k', never)
    await settled()
    stores[1].bus.receive = () => {}
    loader.calls[0]?.resolve('v')
    await settled()
    clock.advance(50)
    expect(await other).toBe('v')
  })

  it('the next one loads once the first failed', async () => {
    const { second, loader, loaded, clock } = await loading()
    const other = second.getOrSet('k', () => 'mine')
    await settled()
    loader.calls[0]?.reject(new Error('no'))
    await expect(loaded).rejects.toThrow('no')
    clock.advance(50)
    expect(await other).toBe('mine')
  })

  it('the next one loads once the first found nothing', async () => {
    const { second, loader, loaded, clock } = await loading()
    const other = second.getOrSet('k', () => 'mine')
    await settled()
    loader.calls[0]?.resolve(undefined as unknown as string)
    expect(await loaded).toBeUndefined()
    clock.advance(50)
    expect(await other).toBe('mine')
  })

  it('the lease lasts as long as the loader runs', async () => {
    const { first, second, loader, loaded, clock } = await loading()
    for (let second_ = 0; second_ < 60; second_++) {
      clock.advance(500)
      await settled()
    }
    loader.calls[0]?.resolve('v')
    await loaded
    expect(await second.get('k')).toBe('v')
    expect(first.stats().errors).toBe(0)
  })

  it('the lease of one that died is anybody’s after a few seconds', async () => {
    const { second, stores, clock } = await loading()
    stores[0].away = true
    const other = second.getOrSet('k', () => 'mine')
    await settled()
    for (let look = 0; look < 40; look++) {
      clock.advance(100)
      await settled()
    }
    expect(await other).toBe('mine')
    expect(await second.get('k')).toBe('mine')
  })

  it('one that waited too long loads by itself and stores nothing', async () => {
    const { second, loader, loaded, clock, server } = await loading()
    const other = second.getOrSet('k', () => 'mine')
    await settled()
    for (let look = 0; look < 60; look++) {
      clock.advance(100)
      await settled()
    }
    expect(await other).toBe('mine')
    expect(server.entries.size).toBe(0)
    loader.calls[0]?.resolve('v')
    await loaded
    expect(await second.get('k')).toBe('v')
  })

  it('a failing renewal is told and tried again, and the load goes on', async () => {
    const { first, stores, loader, loaded, clock } = await loading()
    stores[0].away = true
    clock.advance(500)
    await settled()
    expect(first.stats().errors).toBe(1)
    stores[0].away = false
    for (let second_ = 0; second_ < 5; second_++) {
      clock.advance(500)
      await settled()
    }
    loader.calls[0]?.resolve('v')
    await loaded
    expect(await first.get('k')).toBe('v')
    clock.advance(500)
    expect(clock.pending).toBe(0)
  })
})

it('a lease is renewed no more once the load is over, even if it ends during a renewal', async () => {
  const { first, stores, loader, loaded, clock } = await loading()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  stores[0].renew = () => promise
  clock.advance(500)
  loader.calls[0]?.resolve('v')
  await loaded
  resolve(true)
  await settled()
  expect(clock.pending).toBe(0)
  expect(await first.get('k')).toBe('v')
})

it('each of several leases is renewed half a second after it was granted or renewed, as long as its load runs', async () => {
  const { stores, caches, clock } = fleet(1)
  const [store, cache] = [stores[0] as LeasingStore, caches[0] as Cache<string>]
  const renewed: [ms: number, key: string][] = []
  const begun = clock.now()
  const renew = store.renew.bind(store)
  store.renew = (key, ...rest) => {
    renewed.push([clock.now() - begun, key])
    return renew(key, ...rest)
  }
  const loaders = new Map<string, ControlledLoader<string>>()
  for (let ms = 0; ms < 1_400; ms += 100) {
    if (ms === 0 || ms === 200) {
      const key = ms === 0 ? 'a' : 'b'
      const loader = new ControlledLoader<string>()
      loaders.set(key, loader)
      void cache.getOrSet(key, loader.load)
      await cache.getOrSet(`quick ${key}`, () => 'v')
    }
    if (ms === 1_100) loaders.get('a')?.calls[0]?.resolve('v')
    await settled()
    clock.advance(100)
    await settled()
  }
  expect(renewed).toEqual([
    [500, 'a'],
    [700, 'b'],
    [1_000, 'a'],
    [1_200, 'b'],
  ])
  loaders.get('b')?.calls[0]?.resolve('v')
  await settled()
})

it('a renewal that is not answered costs no other lease its own', async () => {
  const { stores, caches, clock } = fleet(1)
  const [store, cache] = [stores[0] as LeasingStore, caches[0] as Cache<string>]
  const renew = store.renew.bind(store)
  const renewed: string[] = []
  store.renew = (key, ...rest) => {
    renewed.push(key)
    return key === 'hung' ? new Promise(() => {}) : renew(key, ...rest)
  }
  const loader = new ControlledLoader<string>()
  const loads = ['hung', 'other'].map(key => cache.getOrSet(key, loader.load))
  for (let ms = 0; ms < 2_000; ms += 500) {
    await settled()
    clock.advance(500)
    await settled()
  }
  expect(renewed.filter(key => key === 'other')).toHaveLength(4)
  expect(renewed.filter(key => key === 'hung')).toHaveLength(1)
  for (const { resolve } of loader.calls) resolve('v')
  await Promise.all(loads)
})

it('a lease that was lost is renewed no more', async () => {
  const { second, clock, loader, loaded } = await loading()
  await second.set('k', 'new')
  clock.advance(500)
  await settled()
  expect(clock.pending).toBe(0)
  loader.calls[0]?.resolve('old')
  await loaded
})

describe('what was loaded under a lease is not stored', () => {
  it('after a peer removed the key, even if the message about it is late', async () => {
    const { second, stores, loader, loaded, server } = await loading()
    stores[0].bus.receive = () => {}
    await second.delete('k')
    loader.calls[0]?.resolve('old')
    expect(await loaded).toBe('old')
    expect(server.entries.size).toBe(0)
  })

  it('after a peer wrote the key', async () => {
    const { first, second, loader, loaded } = await loading()
    await second.set('k', 'new')
    loader.calls[0]?.resolve('old')
    expect(await loaded).toBe('old')
    expect(await first.get('k')).toBe('new')
  })

  it('after the key was removed here', async () => {
    const { first, loader, loaded, server } = await loading()
    await first.delete('k')
    loader.calls[0]?.resolve('old')
    await loaded
    expect(server.entries.size).toBe(0)
  })

  it('after one of its tags was invalidated, and its lease is given up at once', async () => {
    const { clock, server, stores } = fleet(1)
    const [store] = stores as [LeasingStore]
    Object.assign(store, { invalidateTags: () => APPLIED })
    const cache = new Cache<string>({ store, clock })
    const loader = new ControlledLoader<string>()
    const loaded = cache.getOrSet('k', loader.load, { tags: ['t'] })
    await settled()
    store.bus.receive({ type: 'tags', tags: ['t'] })
    loader.calls[0]?.resolve('old')
    expect(await loaded).toBe('old')
    await settled()
    expect([server.entries.size, server.leases.size]).toEqual([0, 0])
  })

  it('after a clear by a peer, of which the store knows nothing yet', async () => {
    const { stores, loader, loaded, server } = await loading()
    stores[0].bus.receive({ type: 'clear' })
    loader.calls[0]?.resolve('old')
    await loaded
    expect(server.entries.size).toBe(0)
  })
})

describe('what was loaded under a lease is stored', () => {
  it('though a message of a write before the lease arrives late; the next caller starts anew', async () => {
    const { first, stores, loader, loaded, server, clock } = await loading()
    stores[0].bus.receive({ type: 'keys', keys: ['k'] })
    const next = first.getOrSet('k', never)
    await settled()
    loader.calls[0]?.resolve('v')
    expect(await loaded).toBe('v')
    expect(server.entries.get('k')?.value).toBe('v')
    clock.advance(50)
    expect(await next).toBe('v')
  })

  it('though messages may have been missed: the store would know', async () => {
    const { stores, loader, loaded, server } = await loading()
    stores[0].bus.gap()
    loader.calls[0]?.resolve('v')
    await loaded
    expect(server.entries.get('k')?.value).toBe('v')
  })

  it('though a message came while the key was looked up', async () => {
    const { stores, caches, server } = fleet(1)
    const [store] = stores as [LeasingStore]
    const loaded = caches[0]?.getOrSet('k', () => 'v')
    store.bus.receive({ type: 'keys', keys: ['k'] })
    expect(await loaded).toBe('v')
    expect(server.entries.get('k')?.value).toBe('v')
  })

  it('with the server’s order at the time of the lease', async () => {
    const { loader, loaded, server } = await loading()
    loader.calls[0]?.resolve('v')
    await loaded
    expect(server.entries.get('k')?.stamp).toBe(7)
  })
})

describe('many keys', () => {
  it('are loaded under a lease each: what a peer removed meanwhile is not stored', async () => {
    const { caches, server, clock } = fleet(2)
    const [first, second] = caches as [Cache<string>, Cache<string>]
    const { promise, resolve } = Promise.withResolvers<Record<string, string>>()
    const loaded = first.getOrSetMany(['a', 'b', 'c'], () => promise)
    await settled()
    for (const store of server.processes) store.bus.receive = () => {}
    await second.delete('b')
    for (let renewal = 0; renewal < 20; renewal++) {
      clock.advance(500)
      await settled()
    }
    resolve({ a: '1', b: 'old' })
    expect(await loaded).toEqual(new Map(Object.entries({ a: '1', b: 'old' })))
    expect([...server.entries.keys()]).toEqual(['a'])
    await settled()
    expect(server.leases.size).toBe(0)
    clock.advance(500)
    expect(clock.pending).toBe(0)
  })

  it('are found if another process stored them between look-up and lease', async () => {
    const { caches, stores } = fleet(2)
    const [first, second] = caches as [Cache<string>, Cache<string>]
    const [store] = stores as [LeasingStore]
    const get = store.get.bind(store)
    store.get = async key => {
      const entry = await get(key)
      if (key === 'a' && !entry) await second.set('a', 'theirs')
      return entry
    }
    const asked: (readonly string[])[] = []
    const filled: string[] = []
    const fill = store.fill.bind(store)
    store.fill = (key, entry, lease) => {
      filled.push(key)
      return fill(key, entry, lease)
    }
    const values = await first.getOrSetMany(['a', 'b'], keys => {
      asked.push(keys)
      return { b: 'ours' }
    })
    expect(values).toEqual(new Map(Object.entries({ a: 'theirs', b: 'ours' })))
    expect(asked).toEqual([['b']])
    // With the life and the tags that the other gave it: ours are of what we load.
    expect(filled).toEqual(['b'])
  })

  it('that another process loads just now are loaded here too, and not stored', async () => {
    const { second, loader, loaded, server } = await loading()
    expect(await second.getOrSetMany(['k', 'x'], () => ({ k: 'mine', x: '1' }))).toEqual(
      new Map(Object.entries({ k: 'mine', x: '1' })),
    )
    expect([...server.entries.keys()]).toEqual(['x'])
    loader.calls[0]?.resolve('v')
    await loaded
    expect(server.entries.get('k')?.value).toBe('v')
  })

  it('of which one cannot be stored: the others are, and its lease is given up', async () => {
    const { caches, server, stores } = fleet(1)
    const [store] = stores as [LeasingStore]
    const fill = store.fill.bind(store)
    store.fill = async (key, entry, lease) => {
      if (key === 'a') throw new CacheError('SERIALIZATION', 'no')
      return fill(key, entry, lease)
    }
    await caches[0]?.getOrSetMany(['a', 'b'], () => ({ a: '1', b: '2' }))
    await settled()
    expect([...server.entries.keys()]).toEqual(['b'])
    expect(server.leases.size).toBe(0)
    expect(await caches[0]?.getOrSet('a', () => '3')).toBe('3')
    await settled()
    expect(server.leases.size).toBe(0)
  })

  it('give their leases up when the load fails', async () => {
    const { caches, server } = fleet(1)
    const failing = caches[0]?.getOrSetMany(['a', 'b'], () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    await settled()
    expect(server.leases.size).toBe(0)
  })
})

it('a store that is away is a miss: everybody loads, and nothing is stored', async () => {
  const { caches, stores, server } = fleet(2)
  for (const store of stores) store.away = true
  expect(await Promise.all(caches.map(cache => cache.getOrSet('k', () => 'v')))).toEqual(['v', 'v'])
  expect(server.entries.size).toBe(0)
})

it('leaseWait must be a duration', async () => {
  const { stores } = fleet(1)
  await expectRejection(
    async () => new Cache({ store: stores[0] as LeasingStore, leaseWait: -1 }),
    'INVALID_OPTION',
    /^leaseWait/,
  )
})
