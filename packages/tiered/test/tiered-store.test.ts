import {
  CacheError,
  type Entry,
  type FillOutcome,
  type LeaseRead,
  ManualClock,
  SUPERSEDED,
  systemClock,
  type TelemetryEvent,
} from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { TieredStore, type TieredStoreOptions } from '../src/index.ts'
import { LeasingStore, LocalBus, SteeredStore, SteeredStoreWithHealth } from './stores.ts'

const clock = new ManualClock()
let remote: SteeredStore
let buses: LocalBus[]

beforeEach(() => {
  remote = new SteeredStore(clock)
  buses = []
})

/** One "process": its own near tier and bus, the shared remote. */
function tiered(id: string, options: Partial<TieredStoreOptions> = {}) {
  const l1 = new MemoryStore({ maxItems: 100, clock })
  const bus = new LocalBus(id, buses)
  const store = new TieredStore({ l1, l2: remote, bus, clock, ...options })
  const events: TelemetryEvent[] = []
  store.observe({ event: event => events.push(event) })
  return { store, l1, bus, events }
}

const entry = (value: unknown, ttlMs = 60_000): Entry => {
  const now = clock.now()
  return { value, createdAt: now, freshUntil: now + ttlMs, expiresAt: now + ttlMs }
}

/** Lets everything that can go on without the test go on. */
const settle = () => new Promise<void>(resolve => setImmediate(resolve))

it('an observer that throws harms nobody, and the others hear all the same', async () => {
  const { store, events, bus } = tiered('a')
  let heard = 0
  const stop = store.observe({
    event: () => {
      heard++
      throw new Error('of the observer')
    },
  })
  const late: TelemetryEvent[] = []
  store.observe({ event: event => late.push(event) })
  bus.lose()
  bus.restore()
  await settle()
  expect(heard).toBeGreaterThan(0)
  expect(late.map(({ type }) => type)).toEqual(events.map(({ type }) => type))
  expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
  stop()
})

describe('reads', () => {
  it('answers a near hit synchronously and without asking the remote', async () => {
    const { store } = tiered('a')
    await store.set('k', entry(1))
    remote.calls.length = 0
    expect(store.get('k')).toMatchObject({ value: 1 })
    expect(remote.calls).toEqual([])
  })

  it('promotes what only the remote has', async () => {
    const { store, l1 } = tiered('a')
    remote.entries.set('k', entry('far'))
    expect(await store.get('k')).toMatchObject({ value: 'far' })
    expect(l1.get('k')).toMatchObject({ value: 'far' })
  })

  it('promotes batches, asks the remote only for what is not near, and finds everything', async () => {
    const { store, l1 } = tiered('a')
    await store.set('near', entry(1))
    remote.entries.set('far', entry(2))
    remote.calls.length = 0
    const { found } = await store.getMany(['near', 'far', 'none'])
    expect([...found].map(([key, { value }]) => [key, value])).toEqual([
      ['near', 1],
      ['far', 2],
    ])
    expect(remote.calls).toEqual(['get far', 'get none'])
    expect(l1.get('far')).toMatchObject({ value: 2 })
  })

  it('counts hits by tier', async () => {
    const { store } = tiered('a')
    remote.entries.set('k', entry(1))
    await store.get('k')
    await store.get('k')
    await store.get('none')
    expect(store.getFresh('k', clock.now())).toMatchObject({ value: 1 })
    expect(store.getFresh('none', clock.now())).toBeUndefined()
    expect(store.measure().map(({ tier, hits, misses }) => [tier, hits, misses])).toEqual([
      ['memory', 2, 2],
      ['steered', 1, 1],
    ])
  })
})

describe('no old value becomes near', () => {
  const overlaps: readonly (readonly [string, (store: TieredStore, bus: LocalBus) => unknown])[] = [
    ['a local set', store => store.set('k', entry('new'))],
    ['a local delete', store => store.delete('k')],
    ['a local batch set', store => store.setMany(new Map([['k', entry('new')]]))],
    ['a local batch delete', store => store.deleteMany(['k'])],
    ['a local clear', store => store.clear()],
    ['a peer’s write', (_, bus) => bus.deliver({ type: 'keys', keys: ['k'], source: 'peer' })],
    ['a peer’s clear', (_, bus) => bus.deliver({ type: 'clear', source: 'peer' })],
    ['a broken stream', (_, bus) => bus.lose()],
    ['a restored stream', (_, bus) => bus.restore()],
  ]

  it.each(overlaps)('when %s comes while the remote is being read', async (_, overlap) => {
    const { store, l1, bus } = tiered('a')
    remote.entries.set('k', entry('old'))
    remote.mode = 'hold'
    const reads = Promise.all([store.get('k'), store.getMany(['k'])])
    await settle()
    remote.mode = 'serve'
    await overlap(store, bus)
    remote.release()
    await reads
    expect((l1.get('k') as Entry | undefined)?.value).not.toBe('old')
  })

  it.each(overlaps.slice(0, 5))('when the read begins while %s is on its way', async (_, overlap) => {
    const { store, l1, bus } = tiered('a')
    remote.entries.set('k', entry('old'))
    remote.mode = 'hold'
    const written = overlap(store, bus)
    l1.delete('k') // Evicted meanwhile.
    remote.mode = 'serve'
    await store.get('k')
    await store.getMany(['k'])
    remote.release()
    await written
    expect((l1.get('k') as Entry | undefined)?.value).not.toBe('old')
  })
})

describe('writes', () => {
  it('go to both tiers and say so', async () => {
    const { store, l1 } = tiered('a')
    expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
    expect(l1.get('k')).toMatchObject({ value: 1 })
    expect(remote.entries.get('k')).toMatchObject({ value: 1 })
    expect(await store.delete('k')).toEqual({ status: 'applied' })
    expect([l1.get('k'), remote.entries.get('k')]).toEqual([undefined, undefined])
  })

  it('of what the remote’s serializer refuses are written nowhere', async () => {
    const { store, l1 } = tiered('a')
    await store.set('k', entry('before'))
    const refused = store.set(
      'k',
      entry(() => {}),
    )
    expect(l1.get('k')).toMatchObject({ value: 'before' })
    await expect(refused).rejects.toMatchObject({ code: 'SERIALIZATION' })
    expect(l1.get('k')).toMatchObject({ value: 'before' })
    expect(await store.whenRecovered()).toBeUndefined()
  })

  it('reach the near tier of peers', async () => {
    const [a, b] = [tiered('a'), tiered('b')]
    await a.store.set('k', entry(1))
    expect(await b.store.get('k')).toMatchObject({ value: 1 })
    await a.store.set('k', entry(2))
    expect(await b.store.get('k')).toMatchObject({ value: 2 })
    await a.store.deleteMany(['k'])
    expect(await b.store.get('k')).toBeUndefined()
    await a.store.set('users:1', entry(1))
    await b.store.get('users:1')
    await a.store.clear('users:')
    expect(await b.store.get('users:1')).toBeUndefined()
  })

  it('leave the own near tier as it is when their message comes back', async () => {
    const { store, l1 } = tiered('a')
    await store.set('k', entry(1))
    expect(l1.get('k')).toMatchObject({ value: 1 })
  })

  it('that could not be announced are queued, and announced later', async () => {
    const [a, b] = [tiered('a'), tiered('b')]
    await a.store.set('k', entry(1))
    await b.store.get('k')
    a.bus.publishing = 'refuse'
    expect(await a.store.set('k', entry(2))).toMatchObject({ status: 'queued' })
    a.bus.publishing = 'serve'
    clock.advance(1_000)
    await a.store.whenRecovered()
    expect((await b.store.get('k'))?.value).not.toBe(1)
  })

  it('extend both tiers, by touch or by writing again', async () => {
    const { store, l1 } = tiered('a')
    await store.set('k', entry(1, 1_000))
    const until = clock.now() + 5_000
    expect(await store.touch('k', until, until)).toEqual({ status: 'applied' })
    clock.advance(4_000)
    expect(l1.get('k')).toMatchObject({ value: 1 })
    expect(await remote.get('k')).toMatchObject({ value: 1 })
  })
})

describe('the remote is away', () => {
  for (const mode of ['refuse', 'hang'] as const) {
    it(`(${mode}) near values are served, writes are queued, and no call waits longer than its deadline`, async () => {
      const { store } = tiered('a')
      await store.set('old', entry(1))
      remote.mode = mode
      const written = Promise.all([
        store.set('new', entry(2)),
        store.delete('old'),
        store.setMany(new Map([['many', entry(3)]])),
        store.clear('users:'),
      ])
      const missed = Promise.all([store.get('none'), store.getMany(['none'])])
      await settle()
      clock.advance(100)
      expect(await missed).toEqual([undefined, { found: new Map() }])
      await settle()
      clock.advance(30_000)
      for (const outcome of await written) expect(outcome).toMatchObject({ status: 'queued' })
      expect(store.get('new')).toMatchObject({ value: 2 })
      expect(store.health()).toMatchObject({ available: false, state: 'fallback' })
    })
  }

  it('keeps a key that was invalidated meanwhile from being read from the remote, and invalidates it on return', async () => {
    const { store, l1 } = tiered('a')
    await store.set('k', entry('old'))
    remote.mode = 'refuse'
    await store.set('k', entry('new'))
    await store.delete('gone')
    l1.clear()
    remote.mode = 'serve'
    remote.calls.length = 0
    expect(await store.get('k')).toBeUndefined()
    expect((await store.getMany(['k'])).found.size).toBe(0)
    await store.touch('k', clock.now() + 1_000, clock.now() + 1_000)
    expect(remote.calls).toEqual([])
    expect(store.health()).toMatchObject({ journal: 2 })
    clock.advance(1_000)
    await store.whenRecovered()
    expect(remote.entries.has('k')).toBe(false)
    expect(store.health()).toMatchObject({ available: true, journal: 0, state: 'coherent' })
  })

  it('does not believe an answer that was on its way when the key was journalled', async () => {
    const { store } = tiered('a')
    remote.entries.set('k', entry('old'))
    remote.mode = 'hold'
    const reads = Promise.all([store.get('k'), store.getMany(['k'])])
    await settle()
    remote.mode = 'refuse'
    await store.delete('k')
    remote.mode = 'serve'
    remote.release()
    expect(await reads).toEqual([undefined, { found: new Map() }])
  })

  it('goes on trying every second until the journal is empty', async () => {
    const { store } = tiered('a')
    remote.mode = 'refuse'
    await store.delete('k')
    clock.advance(1_000)
    await settle()
    remote.mode = 'serve'
    remote.calls.length = 0
    clock.advance(1_000)
    await store.whenRecovered()
    expect(remote.calls).toEqual(['delete k'])
  })

  it('invalidates all of the remote when the journal overflowed', async () => {
    const { store } = tiered('a', { maxJournalKeys: 2 })
    remote.entries.set('other', entry(1))
    remote.mode = 'refuse'
    for (const key of ['a', 'b', 'c']) await store.delete(key)
    remote.mode = 'serve'
    expect(await store.get('other')).toBeUndefined()
    clock.advance(1_000)
    await store.whenRecovered()
    expect(remote.entries.size).toBe(0)
  })

  it('tells each failed read once, and the changes of state', async () => {
    const { store, events } = tiered('a')
    remote.mode = 'refuse'
    await store.get('k')
    await store.get('k')
    remote.mode = 'serve'
    await store.get('k')
    expect(events.map(event => (event.type === 'state' ? event.state : event.type))).toEqual([
      'error',
      'fallback',
      'error',
      'coherent',
    ])
  })
})

it('tells a change of state when it is asked how it is, though nothing is read or written', () => {
  const l2 = new SteeredStoreWithHealth(clock)
  const store = new TieredStore({ l1: new MemoryStore({ clock }), l2, clock, bus: false })
  const told: string[] = []
  store.observe({ event: event => event.type === 'state' && told.push(event.state) })
  for (const away of [false, true, true, false]) {
    l2.away = away
    store.health()
  }
  expect(told).toEqual(['fallback', 'coherent'])
})

describe('what was loaded under a lease', () => {
  function leasing() {
    const far = new LeasingStore(clock)
    remote = far
    return { far, ...tiered('a') }
  }
  const lease = { token: 'a' }

  it('is kept near once the remote has it', async () => {
    const { store, l1 } = leasing()
    expect(await store.getOrLease('k', 1_000)).toMatchObject({ vacant: true, lease })
    expect(await store.fill('k', entry(1), lease)).toEqual({ status: 'applied' })
    expect(l1.get('k')).toMatchObject({ value: 1 })
  })

  it.each([
    ['refused', (): FillOutcome => ({ status: 'superseded' })],
    ['not answered', () => new Promise<never>(() => {})],
    ['failed', () => Promise.reject(new CacheError('UNAVAILABLE', 'gone'))],
  ])('is not kept near if that is %s: a peer may have deleted the key', async (_how, filled) => {
    const { store, l1, far } = leasing()
    far.filled = filled
    const outcome = store.fill('k', entry('old'), lease)
    await settle()
    clock.advance(250)
    expect((await outcome).status).toMatch(/superseded|failed/)
    expect(l1.get('k')).toBeUndefined()
  })

  it('is refused while an invalidation of it waits in the journal, and when one came in meanwhile', async () => {
    for (const invalidate of [
      (store: TieredStore) => store.delete('k'),
      (store: TieredStore) => store.clear('k'),
    ]) {
      const { store, l1, far } = leasing()
      far.mode = 'refuse'
      expect(await invalidate(store)).toMatchObject({ status: 'queued' })
      far.mode = 'serve'
      let sent = 0
      far.filled = () => {
        sent++
        return { status: 'applied' }
      }
      expect(await store.fill('k', entry('old'), lease)).toEqual({ status: 'superseded' })
      // Or others would read it until the journal is applied.
      expect(sent).toBe(0)
      const { promise, resolve } = Promise.withResolvers<FillOutcome>()
      far.filled = () => promise
      const other = store.fill('k2', entry('old'), lease)
      far.mode = 'refuse'
      await store.delete('k2')
      resolve({ status: 'applied' })
      expect(await other).toEqual({ status: 'superseded' })
      expect([l1.get('k'), l1.get('k2')]).toEqual([undefined, undefined])
      await store.close()
    }
  })

  it('that cannot be stored is thrown back, and leaves nothing behind', async () => {
    const { store, far } = leasing()
    far.filled = () => Promise.reject(new CacheError('SERIALIZATION', 'no'))
    await expect(store.fill('k', entry(1), lease)).rejects.toMatchObject({ code: 'SERIALIZATION' })
    remote.entries.set('k', entry(2))
    expect(await store.get('k')).toMatchObject({ value: 2 })
  })
})

describe('the breaker', () => {
  /** Reads, one after the other, each until its deadline. */
  async function readInVain(store: TieredStore, times: number): Promise<void> {
    for (let read = 0; read < times; read++) {
      const missed = store.get(`k${read}`)
      clock.advance(100)
      expect(await missed).toBeUndefined()
    }
  }

  it('is told by the health of the store, as are promotions and refused fills by its tiers', async () => {
    const leasing = new LeasingStore(clock)
    const { store } = tiered('a', { l2: leasing })
    leasing.entries.set('far', entry(1))
    leasing.entries.set('further', entry(1))
    await store.get('far')
    await store.getMany(['far', 'further'])
    leasing.filled = () => SUPERSEDED
    await store.fill('k', entry(1), { token: 'a' })
    await store.get('nowhere')
    expect(store.measure()).toMatchObject([
      { tier: 'memory', promotions: 2, hits: 1, misses: 3 },
      { tier: 'steered', supersededFills: 1, hits: 2, misses: 1 },
    ])
    expect(store.health()).toMatchObject({ breaker: 'closed' })
    leasing.mode = 'hang'
    await readInVain(store, 5)
    expect(store.health()).toMatchObject({ breaker: 'open' })
    expect(tiered('b', { breaker: false }).store.health().breaker).toBeUndefined()
  })

  it('opens after five timeouts: from then on nothing is asked, and nobody waits', async () => {
    const { store, l1, events } = tiered('a')
    l1.set('near', entry(1))
    remote.mode = 'hang'
    await readInVain(store, 5)
    remote.calls.length = 0
    events.length = 0
    expect(store.get('far')).toBeUndefined()
    expect(store.get('near')).toMatchObject({ value: 1 })
    expect((await store.getMany(['near', 'far'])).found.size).toBe(1)
    expect(await store.delete('near')).toMatchObject({ status: 'queued', error: { code: 'UNAVAILABLE' } })
    expect(remote.calls).toEqual([])
    expect(store.health()).toMatchObject({ available: false, state: 'fallback', journal: 1 })
    expect(events).toEqual([])
  })

  it('lets one call through after a while, and closes if that is answered; what was queued is applied', async () => {
    const { store, events } = tiered('a')
    remote.entries.set('k', entry(1))
    remote.mode = 'hang'
    await readInVain(store, 5)
    const { outageMs: before = Number.NaN } = store.health()
    await store.delete('gone')
    remote.mode = 'serve'
    remote.calls.length = 0
    clock.advance(1_300)
    expect(store.health().outageMs).toBe(before + 1_300)
    await store.whenRecovered()
    expect(await store.get('k')).toMatchObject({ value: 1 })
    expect(store.health()).toMatchObject({ available: true, state: 'coherent', journal: 0 })
    expect(events.filter(({ type }) => type === 'breaker')).toMatchObject([
      { store: 'steered', state: 'open' },
      { state: 'half-open' },
      { state: 'closed' },
    ])
  })

  it('lets one call through at once when the stream is back: the remote seems to be, too', async () => {
    const { store, bus } = tiered('a', { breaker: { openFor: '1h' } })
    remote.mode = 'hang'
    await readInVain(store, 5)
    await store.delete('gone')
    remote.mode = 'serve'
    bus.lose()
    bus.restore()
    await store.whenRecovered()
    expect(remote.calls.at(-1)).toBe('delete gone')
    expect(store.health()).toMatchObject({ available: true, journal: 0 })
  })

  it('has what was queued applied as soon as it closes', async () => {
    const { store } = tiered('a', { breaker: { openFor: '100ms' } })
    remote.mode = 'hang'
    await readInVain(store, 5)
    await store.delete('gone')
    remote.mode = 'serve'
    clock.advance(130) // The probe is due, and the next attempt at what is queued is not.
    expect(await store.get('k')).toBeUndefined()
    await store.whenRecovered()
    expect(remote.calls.slice(-2)).toEqual(['get k', 'delete gone'])
  })

  it('is not concerned by a remote that refuses some writes, or by faults of the caller', async () => {
    const { store } = tiered('a')
    remote.set = () => Promise.reject(new CacheError('STORE', 'out of memory'))
    for (let write = 0; write < 30; write++) await store.set('k', entry(1))
    remote.set = () => Promise.reject(new CacheError('SERIALIZATION', 'no'))
    for (let write = 0; write < 30; write++) await store.set('k', entry(1)).catch(() => {})
    let asked = 0
    remote.get = () => {
      asked++
      return Promise.reject(new CacheError('CONFIGURATION', 'no permission'))
    }
    for (let read = 0; read < 30; read++) await store.get('none')
    expect(asked).toBe(30)
  })

  it('can be done without', async () => {
    const { store } = tiered('a', { breaker: false })
    remote.mode = 'hang'
    await readInVain(store, 30)
    expect(remote.calls).toHaveLength(30)
  })

  it.each([
    [{ timeouts: 0 }, /^breaker.timeouts must be/],
    [{ failureRate: 0 }, /^breaker.failureRate must be/],
    [{ failureRate: 1.1 }, /^breaker.failureRate must be/],
    [{ failureRate: Number.NaN }, /^breaker.failureRate must be/],
    [{ openFor: -1 }, /^breaker.openFor must be/],
  ])('refuses %o', (breaker, message) => {
    expect(() => tiered('a', { breaker })).toThrow(message)
  })
})

describe('the remote is away, in detail', () => {
  it('a remote that says it is away is not asked, and near values need no promise', async () => {
    const said = new SteeredStoreWithHealth(clock)
    const { store, bus } = tiered('a', { l2: said })
    await store.set('k', entry(1))
    said.away = true
    said.calls.length = 0
    expect(store.get('none')).toBeUndefined()
    expect((await store.getMany(['none'])).found.size).toBe(0)
    bus.lose()
    expect(store.get('k')).toMatchObject({ value: 1 })
    expect(said.calls).toEqual([])
    expect(store.health()).toMatchObject({ available: false, state: 'fallback' })
  })

  it('of a batch, only the keys that failed are journalled', async () => {
    const partial = new SteeredStoreWithHealth(clock)
    const { store } = tiered('a', { l2: partial })
    partial.refused.add('bad')
    const entries = new Map([
      ['good', entry(1)],
      ['bad', entry(2)],
    ])
    expect(await store.setMany(entries)).toMatchObject({ status: 'queued' })
    expect(store.health()).toMatchObject({ journal: 1 })
    expect(await store.get('good')).toMatchObject({ value: 1 })
  })

  it('a clear is made up for: nothing of its scope is read from the remote before', async () => {
    const { store } = tiered('a')
    remote.entries.set('users:1', entry(1))
    remote.entries.set('orders:1', entry(1))
    remote.mode = 'refuse'
    expect(await store.clear('users:')).toMatchObject({ status: 'queued' })
    remote.mode = 'serve'
    expect(await store.get('users:1')).toBeUndefined()
    clock.advance(1_000)
    await store.whenRecovered()
    expect([...remote.entries.keys()]).toEqual(['orders:1'])
  })

  it('a failed attempt to recover is told, and one attempt runs at a time', async () => {
    const { store, bus, events } = tiered('a')
    remote.mode = 'refuse'
    await store.delete('k')
    clock.advance(1_000)
    await settle()
    expect(events).toContainEqual(expect.objectContaining({ type: 'error', operation: 'deleteMany' }))
    remote.mode = 'hold'
    remote.calls.length = 0
    clock.advance(1_000)
    bus.restore()
    await settle()
    expect(remote.calls).toEqual(['delete k'])
    remote.release()
    await store.whenRecovered()
  })

  it('an attempt that throws is made again, and rejects nobody', async () => {
    const { store } = tiered('a')
    remote.mode = 'refuse'
    await store.delete('k')
    remote.mode = 'serve'
    const { delete: working } = remote
    remote.delete = () => {
      throw new CacheError('CLOSED', 'closed for a moment')
    }
    clock.advance(1_000)
    await settle()
    remote.delete = working
    clock.advance(1_000)
    await store.whenRecovered()
    expect(remote.calls.at(-1)).toBe('delete k')
  })

  it('a restored stream starts the recovery at once', async () => {
    const { store, bus } = tiered('a')
    bus.lose()
    remote.mode = 'refuse'
    await store.delete('k')
    remote.mode = 'serve'
    bus.restore()
    await store.whenRecovered()
    expect(remote.calls.at(-1)).toBe('delete k')
  })

  it('tells of a journal that overflows, and of the recovery', async () => {
    const { store, events } = tiered('a', { maxJournalKeys: 2 })
    remote.mode = 'refuse'
    for (const key of ['a', 'b']) await store.delete(key)
    expect(events.map(({ type }) => type)).not.toContain('overflow')
    await store.delete('c')
    remote.mode = 'serve'
    clock.advance(500)
    await store.whenRecovered()
    expect(events).toContainEqual({ type: 'overflow', store: 'steered' })
    expect(events.at(-1)).toEqual({ type: 'recovered', store: 'steered', invalidations: 1, durationMs: 500 })
  })

  it('keys that the remote still refuses hold up no others, of their batch or of the next', async () => {
    const some = new SteeredStoreWithHealth(clock)
    const { store } = tiered('a', { l2: some })
    const keys = Array.from({ length: 150 }, (_, i) => `k${i}`)
    some.mode = 'refuse'
    await store.deleteMany(keys)
    some.mode = 'serve'
    some.refused.add('k7')
    clock.advance(500)
    for (let i = 0; i < 200; i++) await settle()
    expect(store.health()).toMatchObject({ journal: 1 })
    some.refused.clear()
    clock.advance(500)
    await store.whenRecovered()
    // Each once, and not again with those that were refused.
    expect(some.calls.filter(call => call.startsWith('delete')).toSorted()).toEqual(
      ['delete k0', ...keys.map(key => `delete ${key}`)].toSorted(),
    )
  })

  it('an extension that the remote misses is partial, and not made up for', async () => {
    const { store } = tiered('a')
    await store.set('k', entry(1))
    remote.mode = 'refuse'
    expect(await store.touch('k', clock.now() + 1, clock.now() + 1)).toMatchObject({ status: 'partial' })
    expect(store.health()).toMatchObject({ journal: 0 })
  })

  it('an extension of a key that waits for the remote is not sent there, and says so', async () => {
    const { store, l1 } = tiered('a')
    remote.mode = 'refuse'
    await store.set('k', entry(1))
    remote.mode = 'serve'
    remote.calls.length = 0
    const until = clock.now() + 120_000
    expect(await store.touch('k', until, until)).toMatchObject({
      status: 'partial',
      error: { code: 'UNAVAILABLE' },
    })
    expect(remote.calls).toEqual([])
    expect(l1.get('k')).toMatchObject({ freshUntil: until })
  })

  it('waiting to try again does not keep the process alive', async () => {
    const retries: NodeJS.Timeout[] = []
    const real = {
      ...systemClock,
      setTimeout(fn: () => void, ms: number) {
        const timer = setTimeout(fn, ms)
        if (ms === 50) retries.push(timer)
        return timer
      },
    }
    const { store } = tiered('a', { clock: real })
    remote.mode = 'refuse'
    await store.delete('k')
    expect(retries.map(timer => timer.hasRef())).toEqual([false])
    await store.close()
  })

  it('an answered call leaves no timer behind', async () => {
    const own = new ManualClock()
    const { store } = tiered('a', { clock: own })
    await store.set('k', entry(1))
    await store.get('none')
    remote.mode = 'refuse'
    await store.get('none')
    expect(own.pending).toBe(0)
  })
})

describe('tiers that fail in their own ways', () => {
  it('what the remote refuses late does not stay near', async () => {
    const late = new SteeredStoreWithHealth(clock)
    late.set = async () => {
      throw new CacheError('SERIALIZATION', 'found out late')
    }
    const { store, l1 } = tiered('a', { l2: late })
    await expect(store.set('k', entry(1))).rejects.toMatchObject({ code: 'SERIALIZATION' })
    expect(l1.get('k')).toBeUndefined()
  })

  it('a near tier that cannot take a value does not go on with the one before it', async () => {
    const near = new SteeredStore(clock)
    const { store } = tiered('a', { l1: near })
    await store.set('k', entry('old'))
    near.set = async () => {
      throw new Error('no room')
    }
    expect(await store.set('k', entry('new'))).toMatchObject({ status: 'partial', error: { code: 'STORE' } })
    expect(near.entries.has('k')).toBe(false)
    expect(await store.get('k')).toMatchObject({ value: 'new' })
  })

  it('values are kept near again once a write or a clear is over', async () => {
    const { store, l1 } = tiered('a')
    await store.set('k', entry(1))
    await store.clear('users:')
    remote.entries.set('users:1', entry(1))
    l1.clear()
    await store.get('k')
    await store.getMany(['users:1'])
    expect(l1.get('k')).toMatchObject({ value: 1 })
    expect(l1.get('users:1')).toMatchObject({ value: 1 })
  })

  it('a remote that can extends in place', async () => {
    const extending = new SteeredStoreWithHealth(clock)
    const { store } = tiered('a', { l2: extending })
    await store.touch('k', 1, 1)
    expect(extending.calls).toEqual(['touch k'])
  })

  it('a bus that the remote announces on is not announced on twice', async () => {
    const offering = Object.assign(new SteeredStore(clock), { bus: new LocalBus('offered', buses) })
    const heard: unknown[] = []
    new LocalBus('peer', buses).subscribe(message => heard.push(message))
    const { store } = tiered('a', { l2: offering, bus: offering.bus })
    await store.set('k', entry(1))
    expect(heard).toEqual([])
  })
})

describe('the stream of invalidations is broken', () => {
  it('what the remote answers meanwhile is not kept near', async () => {
    const { store, l1, bus } = tiered('a')
    remote.entries.set('k', entry('far'))
    bus.lose()
    remote.mode = 'refuse'
    await store.get('k') // Seen to be away, so that the near tier is asked first.
    remote.mode = 'serve'
    expect(await store.get('k')).toMatchObject({ value: 'far' })
    expect(l1.get('k')).toBeUndefined()
  })

  it('reads go past the near tier while the remote answers, and nothing is kept', async () => {
    const { store, l1, bus } = tiered('a')
    await store.set('k', entry('near'))
    remote.entries.set('k', entry('changed by a peer'))
    bus.lose()
    expect(await store.get('k')).toMatchObject({ value: 'changed by a peer' })
    expect((await store.getMany(['k'])).found.get('k')).toMatchObject({ value: 'changed by a peer' })
    expect(l1.get('k')).toMatchObject({ value: 'near' })
    expect(store.health()).toMatchObject({ state: 'bypass' })
  })

  it('nothing is at hand either, not even while the remote is away: that is for a read to find out', async () => {
    const { store, bus } = tiered('a')
    await store.set('k', entry('near'))
    expect(store.getFresh('k', clock.now())).toMatchObject({ value: 'near' })
    bus.lose()
    expect(store.getFresh('k', clock.now())).toBeUndefined()
    bus.restore()
    expect(store.getFresh('k', clock.now())).toBeUndefined()
  })

  it('the near tier serves when the remote fails too', async () => {
    const { store, bus } = tiered('a')
    await store.set('k', entry('near'))
    bus.lose()
    remote.mode = 'refuse'
    expect(await store.get('k')).toMatchObject({ value: 'near' })
    expect((await store.getMany(['k'])).found.get('k')).toMatchObject({ value: 'near' })
  })

  it('a remote that failed last is not waited for while the near tier has the value', async () => {
    const { store, bus } = tiered('a')
    await store.set('k', entry('near'))
    bus.lose()
    remote.mode = 'refuse'
    await store.get('none')
    remote.mode = 'hang'
    expect(store.get('k')).toMatchObject({ value: 'near' })
  })

  it('the near tier is dropped once when the stream is back, before the next read', async () => {
    const { store, bus, events } = tiered('a')
    await store.set('k', entry('near'))
    remote.entries.delete('k')
    bus.lose()
    bus.restore()
    expect(await store.get('k')).toBeUndefined()
    expect(events.map(({ type }) => type)).toEqual(['gap', 'state', 'gap', 'flush', 'state'])
  })

  it('without a bus, by decision, near values are always served', async () => {
    const { store } = tiered('a', { bus: false })
    await store.set('k', entry('near'))
    expect(store.get('k')).toMatchObject({ value: 'near' })
    expect(store.bus).toBeUndefined()
  })
})

describe('a near tier that takes its time', () => {
  function slowNear() {
    const near = new SteeredStore(clock)
    return { near, ...tiered('a', { l1: near }) }
  }

  it('is not asked while it drops what a restored stream made doubtful', async () => {
    const { near, store, bus } = slowNear()
    await store.set('k', entry('old'))
    remote.entries.set('k', entry('new'))
    near.mode = 'hold'
    bus.lose()
    bus.restore()
    expect(await store.get('k')).toMatchObject({ value: 'new' })
    near.mode = 'serve'
    near.release()
    await settle()
    expect(await store.get('k')).toMatchObject({ value: 'new' })
    expect(store.health().state).toBe('coherent')
  })

  it('is not asked while it drops what a peer wrote', async () => {
    const { near, store, bus } = slowNear()
    await store.set('k', entry('old'))
    remote.entries.set('k', entry('new'))
    near.mode = 'hold'
    bus.deliver({ type: 'keys', keys: ['k'], source: 'peer' })
    expect(await store.get('k')).toMatchObject({ value: 'new' })
    near.release()
  })

  it('is not asked again once it failed to drop something, until all of it could be dropped', async () => {
    const { near, store, bus, events } = slowNear()
    await store.set('k', entry('old'))
    remote.entries.set('k', entry('new'))
    near.mode = 'refuse'
    bus.deliver({ type: 'clear', source: 'peer' })
    await settle()
    near.mode = 'serve'
    expect(await store.get('k')).toMatchObject({ value: 'new' })
    expect(store.health().state).toBe('bypass')
    expect(events).toContainEqual(expect.objectContaining({ type: 'error', operation: 'clear' }))
    bus.lose()
    bus.restore()
    await settle()
    expect(store.health().state).toBe('coherent')
    expect(near.entries.size).toBe(0)
  })
})

describe('after close', () => {
  it('every call rejects its caller and nobody else', async () => {
    const { store, l1 } = tiered('a')
    remote.clear = remote.set = async () => {
      throw new CacheError('CLOSED', 'closed')
    }
    l1.close()
    await expect(store.clear()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(store.set('k', entry(1))).rejects.toMatchObject({ code: 'CLOSED' })
    await settle()
  })
})

describe('a remote whose first connection is being made', () => {
  it('is asked, since a call waits for it', async () => {
    const starting = new SteeredStoreWithHealth(clock)
    starting.away = true
    starting.starting = true
    starting.entries.set('k', entry('far'))
    const { store } = tiered('a', { l2: starting })
    expect(await store.get('k')).toMatchObject({ value: 'far' })
    expect((await store.getMany(['k'])).found.size).toBe(1)
  })
})

describe('options', () => {
  it.each([
    ['l1', { l1: undefined }],
    ['l2', { l2: {} }],
    ['bus', { bus: 'yes' }],
    ['timeouts.read', { timeouts: { read: 0 } }],
    ['timeouts.write', { timeouts: { write: '5 minutes' } }],
    ['timeouts.clear', { timeouts: { clear: Number.NaN } }],
    ['maxJournalKeys', { maxJournalKeys: 0 }],
  ])('a bad %s is refused by name', (name, options) => {
    expect(() => tiered('a', options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  })

  it('the same store as both tiers is refused', () => {
    expect(() => tiered('a', { l1: remote })).toThrow(/l2/)
  })
})

describe('close', () => {
  it('closes both tiers, gives up what waits, and leaves no timer', async () => {
    const pending = clock.pending
    const { store, bus } = tiered('a')
    let closed = false
    bus.close = () => {
      closed = true
    }
    remote.mode = 'refuse'
    await store.delete('k')
    const recovered = store.whenRecovered()
    await store.close()
    await recovered
    expect(clock.pending).toBe(pending)
    expect(closed).toBe(true)
  })
})

describe('a stale value', () => {
  /** What is near and in the remote, stale since a moment ago. */
  async function withStale() {
    const leasing = new LeasingStore(clock)
    const asked: unknown[] = []
    const processes = tiered('a', { l2: leasing })
    const stale = { ...entry('old'), freshUntil: clock.now() - 1 }
    await processes.l1.set('k', stale)
    leasing.getOrLease = async (...call) => {
      asked.push(call)
      if (leasing.mode === 'refuse') throw new CacheError('UNAVAILABLE', 'refused by the test')
      return answer
    }
    let answer: LeaseRead
    return {
      ...processes,
      leasing,
      asked,
      stale,
      answer(read: LeaseRead) {
        answer = read
      },
    }
  }

  it('that is near has the remote asked for a fresh one or a lease, and comes with the lease', async () => {
    const { store, asked, stale, answer } = await withStale()
    answer({ vacant: true, lease: { token: 'a' } })
    expect(await store.getOrLease('k', 1_500)).toEqual({ vacant: true, lease: { token: 'a' }, stale })
    const theirs = { ...stale, value: 'theirs' }
    answer({ vacant: true, lease: undefined, stale: theirs })
    expect(await store.getOrLease('k', 1_500, stale.freshUntil)).toEqual({
      vacant: true,
      lease: undefined,
      stale: theirs,
    })
    expect(asked).toEqual([
      ['k', 1_500, undefined, undefined],
      ['k', 1_500, stale.freshUntil, undefined],
    ])
  })

  it('gives way near to the fresh one of the remote', async () => {
    const { store, l1, answer } = await withStale()
    const fresh = entry('fresh')
    answer(fresh)
    expect(await store.getOrLease('k', 1_500)).toEqual(fresh)
    expect(l1.get('k')).toEqual(fresh)
  })

  it('is all there is while the remote is away, or has nothing', async () => {
    const { store, stale, leasing, answer } = await withStale()
    answer(undefined)
    expect(await store.getOrLease('k', 1_500)).toEqual(stale)
    leasing.mode = 'refuse'
    expect(await store.getOrLease('k', 1_500)).toEqual(stale)
  })

  it('is read as it is by whoever does not ask for a lease', async () => {
    const { store, asked, stale } = await withStale()
    expect(await store.get('k')).toEqual(stale)
    expect(asked).toEqual([])
  })

  it('is asked for ahead of time only, if it does not outlive its freshness: then nothing looks at the clock', async () => {
    const { store, l1, asked, answer } = await withStale()
    const fresh = entry('fresh')
    await l1.set('k', fresh)
    const looks = vi.spyOn(clock, 'now')
    expect(store.getOrLease('k', 1_500)).toEqual(fresh)
    expect(looks.mock.calls.length).toBeLessThanOrEqual(1) // The near tier's own.
    looks.mockRestore()
    answer({ vacant: true, lease: { token: 'a' } })
    expect(await store.getOrLease('k', 1_500, fresh.freshUntil)).toMatchObject({ stale: fresh })
    expect(asked).toHaveLength(1)
  })
})
