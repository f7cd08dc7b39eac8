import { Cache, type CacheOptions, ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { LeasingStore, Server } from './leasing-store.ts'
import { settled } from './stores.ts'
import { ControlledLoader, never } from './support.ts'

/** Two processes over one server, with a value that is stale or, with `ageMs` under 10,000, still fresh. */
async function fleet(ageMs: number, options: Partial<CacheOptions> = {}) {
  const clock = new ManualClock()
  const server = new Server()
  const stores = [new LeasingStore(server, clock), new LeasingStore(server, clock)] as const
  const [first, second] = stores.map(
    store => new Cache<string>({ store, clock, jitter: 0, ttl: 10, grace: 60, ...options }),
  ) as [Cache<string>, Cache<string>]
  await first.setMany({ k: 'old', l: 'old l' })
  clock.advance(ageMs)
  return { clock, server, stores, first, second, loader: new ControlledLoader<string>() }
}

describe('of several processes that find a stale value', () => {
  it('one loads under a lease, and the others serve it at once', async () => {
    const { first, second, loader, server, clock } = await fleet(10_000)
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    expect(await second.getOrSet('k', never)).toBe('old')
    expect(await second.getOrSetMany(['k'], never)).toEqual(new Map([['k', 'old']]))
    expect(second.stats()).toMatchObject({ misses: 2, stales: 2, loads: 0, inFlight: 0 })
    loader.calls[0]?.resolve('new')
    expect(await loaded).toBe('new')
    expect(await second.getOrSet('k', never)).toBe('new')
    clock.advance(500)
    expect([server.granted, server.leases.size, clock.pending]).toEqual([1, 0, 0])
  })

  it('the next one loads once the first failed, who serves it stale', async () => {
    const { first, second, loader, server } = await fleet(10_000)
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    loader.calls[0]?.reject(new Error('origin'))
    expect(await loaded).toBe('old')
    await settled()
    expect(server.leases.size).toBe(0)
    expect(await second.getOrSet('k', () => 'new')).toBe('new')
  })

  it('nothing is stored over what another one wrote meanwhile', async () => {
    const { first, second, stores, loader, server } = await fleet(10_000)
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    stores[0].bus.receive = () => {}
    await second.set('k', 'written')
    loader.calls[0]?.resolve('outdated')
    expect(await loaded).toBe('outdated')
    expect(server.entries.get('k')?.value).toBe('written')
  })

  it('what a peer removed is not served by who loads', async () => {
    const { first, second, loader } = await fleet(10_000)
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    await second.delete('k')
    loader.calls[0]?.reject(new Error('origin'))
    await expect(loaded).rejects.toThrow('origin')
  })

  it('what was read before a message about it is served to nobody who asks after that', async () => {
    const { first, stores, loader } = await fleet(10_000)
    const loaded = first.getOrSet('k', loader.load)
    stores[0].bus.receive({ type: 'keys', keys: ['k'] })
    await settled()
    expect(loader.calls).toHaveLength(1)
    const later = first.getOrSet('k', never, { softTimeout: 0 })
    await settled()
    loader.calls[0]?.resolve('new')
    expect(await Promise.all([loaded, later])).toEqual(['new', 'new'])
  })

  it('a gap leaves the stale value to be served, as the store would', async () => {
    const { first, stores, loader } = await fleet(10_000)
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    stores[0].bus.gap()
    loader.calls[0]?.reject(new Error('origin'))
    expect(await loaded).toBe('old')
  })

  it('a kept value is renewed under the lease', async () => {
    const { first, server, clock } = await fleet(10_000)
    expect(await first.getOrSet('k', ({ keep }) => keep())).toBe('old')
    expect(server.entries.get('k')).toMatchObject({
      value: 'old',
      freshUntil: clock.now() + 10_000,
      stamp: 7,
    })
  })

  it('a value that is gone is removed, with its lease', async () => {
    const { first, server } = await fleet(10_000)
    expect(await first.getOrSet('k', () => undefined as unknown as string)).toBeUndefined()
    await settled()
    expect([server.entries.has('k'), server.leases.size]).toEqual([false, 0])
  })

  it('many are loaded under a lease each; those that another one loads are served as they are', async () => {
    const { first, second, loader, server } = await fleet(10_000)
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    const asked: (readonly string[])[] = []
    const values = await second.getOrSetMany(['k', 'l', 'm'], keys => {
      asked.push(keys)
      return { l: 'new l', m: 'new m' }
    })
    expect(asked).toEqual([['l', 'm']])
    expect([...values.values()]).toEqual(['old', 'new l', 'new m'])
    expect(second.stats()).toMatchObject({ misses: 3, stales: 1, refreshes: 1 })
    loader.calls[0]?.resolve('new')
    await loaded
    await settled()
    expect(server.leases.size).toBe(0)
  })
})

describe('a refresh ahead of time', () => {
  it('asks for the lease of what is still fresh, and one process alone loads', async () => {
    const { first, second, loader, server } = await fleet(9_000, { refreshAhead: 0.5 })
    expect(await first.getOrSet('k', loader.load)).toBe('old')
    expect(await second.getOrSet('k', loader.load)).toBe('old')
    await settled()
    expect(loader.calls).toHaveLength(1)
    expect(second.stats()).toMatchObject({ hits: 1, misses: 0, stales: 0, inFlight: 0 })
    loader.calls[0]?.resolve('new')
    await settled()
    expect(server.entries.get('k')?.value).toBe('new')
    expect(server.leases.size).toBe(0)
  })

  it('takes what another process has put there meanwhile', async () => {
    const { first, second, stores, server } = await fleet(9_000, { refreshAhead: 0.5 })
    const getOrLease = stores[0].getOrLease.bind(stores[0])
    let reads = 0
    stores[0].getOrLease = async (key, leaseMs, freshAt) => {
      if (++reads === 2) await second.set('k', 'theirs')
      return getOrLease(key, leaseMs, freshAt)
    }
    expect(await first.getOrSet('k', never)).toBe('old')
    await settled()
    expect([reads, server.granted]).toEqual([2, 0])
    expect(await first.getOrSet('k', never)).toBe('theirs')
  })

  it('of many asks likewise', async () => {
    const { first, server, loader } = await fleet(9_000, { refreshAhead: 0.5 })
    await first.getOrSet('k', loader.load)
    await settled()
    const asked: (readonly string[])[] = []
    const values = await first.getOrSetMany(['k', 'l'], keys => {
      asked.push(keys)
      return { l: 'new l' }
    })
    expect([...values.values()]).toEqual(['old', 'old l'])
    await settled()
    expect(asked).toEqual([['l']])
    expect(server.entries.get('l')?.value).toBe('new l')
    loader.calls[0]?.resolve('new')
  })

  it('over a store that is away loads all the same, and harms nobody', async () => {
    const { first, stores } = await fleet(9_000, { refreshAhead: 0.5 })
    const getOrLease = stores[0].getOrLease.bind(stores[0])
    let reads = 0
    stores[0].getOrLease = async (...args) => {
      stores[0].away = ++reads === 2
      return getOrLease(...args)
    }
    expect(await first.getOrSet('k', () => 'new')).toBe('old')
    await settled()
    expect(first.stats()).toMatchObject({ hits: 1, loads: 1, refreshes: 1, inFlight: 0 })
  })
})

describe('a store that does not look at freshAt', () => {
  it('has everybody load what is stale, and is offered the value without a lease', async () => {
    const { first, second, stores } = await fleet(10_000)
    const fills: unknown[] = []
    for (const store of stores) {
      store.knowsNoGrace = true
      const fill = store.fill.bind(store)
      store.fill = (key, entry, lease) => {
        fills.push([entry.value, lease])
        return fill(key, entry, lease)
      }
    }
    expect(await Promise.all([first, second].map(cache => cache.getOrSet('k', () => 'new')))).toEqual([
      'new',
      'new',
    ])
    expect(await first.getOrSetMany(['k'], () => ({ k: 'newer' }))).toEqual(new Map([['k', 'newer']]))
    expect(fills).toEqual([
      ['new', undefined],
      ['new', undefined],
      ['newer', undefined],
    ])
  })

  it('has what is due loaded all the same', async () => {
    const { first, stores, loader } = await fleet(9_000, { refreshAhead: 0.5 })
    stores[0].knowsNoGrace = true
    expect(await first.getOrSet('k', loader.load)).toBe('old')
    await settled()
    expect(loader.calls).toHaveLength(1)
    loader.calls[0]?.resolve('new')
    await settled()
    const many = await first.getOrSetMany(['l'], () => ({ l: 'new l' }))
    expect(many).toEqual(new Map([['l', 'old l']]))
    await settled()
    expect(first.stats()).toMatchObject({ refreshes: 2, errors: 0, inFlight: 0 })
  })
})

it('many are given what is stale if the load fails, though they could not be read at first', async () => {
  const { first, stores } = await fleet(10_000)
  const get = stores[0].get.bind(stores[0])
  let reads = 0
  stores[0].get = async key => {
    if (++reads === 1) throw new Error('ECONNRESET')
    return get(key)
  }
  const call = first.getOrSetMany(['k'], () => Promise.reject(new Error('origin')))
  expect(await call).toEqual(new Map([['k', 'old']]))
  expect(reads).toBe(2)
})

it('who waits for another process takes a stale value as soon as there is one', async () => {
  const { first, second, stores, loader, server, clock } = await fleet(10_000)
  await first.delete('k')
  const loaded = first.getOrSet('k', loader.load)
  await settled()
  const waiting = second.getOrSet('k', never)
  await settled()
  stores[1].bus.receive = () => {}
  const now = clock.now()
  server.entries.set('k', { value: 'stale', createdAt: 0, freshUntil: now, expiresAt: now + 60_000 })
  clock.advance(50)
  expect(await waiting).toBe('stale')
  loader.calls[0]?.resolve('new')
  expect(await loaded).toBe('new')
})

it('an error to be remembered takes no lease', async () => {
  const { first, server, clock } = await fleet(10_000, { errorTtl: 5 })
  const fail = (): never => {
    throw new Error('origin')
  }
  await expect(first.getOrSet('x', fail)).rejects.toThrow('origin')
  await settled()
  const { granted } = server
  await expect(first.getOrSet('x', never)).rejects.toThrow('origin')
  expect([server.granted, server.leases.size]).toEqual([granted, 0])
  clock.advance(5_000)
  expect(await first.getOrSet('x', () => 'v')).toBe('v')
})

it('an error to be remembered keeps what is due from being asked about', async () => {
  const { first, server } = await fleet(9_000, { errorTtl: 5, refreshAhead: 0.5 })
  const fail = (): never => {
    throw new Error('origin')
  }
  expect(await first.getOrSet('k', fail)).toBe('old')
  await settled()
  const { granted } = server
  expect(await first.getOrSet('k', never)).toBe('old')
  expect(await first.getOrSetMany(['k'], never)).toEqual(new Map([['k', 'old']]))
  await settled()
  expect(server.granted).toBe(granted)
})
