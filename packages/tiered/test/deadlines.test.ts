import { Cache, CacheError, type Clock, ManualClock, type StoreCall, type TelemetryEvent } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { beforeEach, describe, expect, it } from 'vitest'
import { TieredStore, type TieredStoreOptions } from '../src/index.ts'
import { SteeredStore } from './stores.ts'

const manual = new ManualClock()
/** How much later than it should our own loop runs its timers. */
let stallMs = 0
const clock: Clock = {
  now: () => manual.now() + stallMs,
  setTimeout: (fn, ms) => manual.setTimeout(fn, ms),
  clearTimeout: handle => manual.clearTimeout(handle),
}
let remote: SteeredStore

beforeEach(() => {
  stallMs = 0
  remote = new SteeredStore(manual)
})

function tiered(options: Partial<TieredStoreOptions> = {}): TieredStore {
  const l1 = new MemoryStore({ maxItems: 100, clock: manual })
  return new TieredStore({ l1, l2: remote, bus: false, clock, ...options })
}

const entry = (value: unknown) => {
  const until = manual.now() + 600_000
  return { value, createdAt: manual.now(), freshUntil: until, expiresAt: until }
}

/** Whether a call has ended. */
async function isOver(call: unknown): Promise<boolean> {
  let over = false
  void Promise.resolve(call).then(() => {
    over = true
  })
  await new Promise(resolve => setImmediate(resolve))
  return over
}

async function readInVain(store: TieredStore, times: number, call?: StoreCall): Promise<void> {
  for (let i = 0; i < times; i++) {
    const read = store.get(`k${i}`, call)
    manual.advance(call?.deadlineMs ?? 100)
    expect(await read).toBeUndefined()
  }
}

describe('a deadline of its own', () => {
  const calls = {
    get: (store: TieredStore, call?: StoreCall) => store.get('k', call),
    getMany: (store: TieredStore, call?: StoreCall) => store.getMany(['k'], call),
    getOrLease: (store: TieredStore, call?: StoreCall) => store.getOrLease('k', 1_500, undefined, call),
    set: (store: TieredStore, call?: StoreCall) => store.set('k', entry(1), call),
    setMany: (store: TieredStore, call?: StoreCall) => store.setMany(new Map([['k', entry(1)]]), call),
    delete: (store: TieredStore, call?: StoreCall) => store.delete('k', call),
    deleteMany: (store: TieredStore, call?: StoreCall) => store.deleteMany(['k'], call),
    fill: (store: TieredStore, call?: StoreCall) => store.fill('k', entry(1), { token: 'a' }, call),
  }

  for (const [name, make] of Object.entries(calls)) {
    it(`bounds a ${name}, be it shorter or longer than the usual one`, async () => {
      remote.mode = 'hang'
      for (const deadlineMs of [20, 2_000]) {
        const pending = make(tiered(), { deadlineMs })
        expect(await isOver(pending)).toBe(false)
        manual.advance(deadlineMs - 1)
        expect(await isOver(pending)).toBe(false)
        manual.advance(1)
        expect(await isOver(pending)).toBe(true)
      }
    })
  }

  it('of a write leaves what it did not wait for in the journal', async () => {
    const store = tiered()
    remote.mode = 'hang'
    const written = store.set('k', entry(1), { deadlineMs: 20 })
    manual.advance(20)
    expect(await written).toMatchObject({ status: 'queued', error: { code: 'TIMEOUT' } })
    expect(store.health().journal).toBe(1)
  })

  it('reaches the tiers from whoever calls the cache', async () => {
    const cache = new Cache({ store: tiered(), clock: manual })
    remote.mode = 'hang'
    const loaded = cache.getOrSet('k', () => 'loaded', { deadline: '30ms' })
    manual.advance(29)
    expect(await isOver(loaded)).toBe(false)
    manual.advance(1)
    expect(await isOver(loaded)).toBe(false)
    manual.advance(30)
    expect(await loaded).toBe('loaded')
  })

  it('does not open the breaker if it is shorter than the usual one, and does if it is not', async () => {
    const store = tiered()
    remote.mode = 'hang'
    await readInVain(store, 30, { deadlineMs: 99 })
    expect(store.health().breaker).toBe('closed')
    await readInVain(store, 5, { deadlineMs: 300 })
    expect(store.health().breaker).toBe('open')
  })

  it('is left to a store that sees to deadlines by itself', async () => {
    const told: (StoreCall | undefined)[] = []
    const timers = manual.pending
    const bounded = Object.assign(remote, { guarantees: { bounded: true } })
    bounded.get = async (_key: string, call?: StoreCall) => {
      told.push(call)
      throw new CacheError('TIMEOUT', 'too late')
    }
    const store = tiered({ l2: bounded })
    for (let i = 0; i < 10; i++) expect(await store.get('k', { deadlineMs: 20 })).toBeUndefined()
    expect(told).toEqual(Array(10).fill({ deadlineMs: 20 }))
    expect(manual.pending).toBe(timers)
    expect(store.health().breaker).toBe('closed')
  })
})

describe('our own event loop stands still', () => {
  it('and the remote is not blamed for it', async () => {
    const store = tiered()
    remote.mode = 'hang'
    stallMs = 0
    for (let i = 0; i < 30; i++) {
      const read = store.get(`k${i}`)
      stallMs += 60
      manual.advance(100)
      expect(await read).toBeUndefined()
    }
    expect(store.health().breaker).toBe('closed')
    await readInVain(store, 5)
    expect(store.health().breaker).toBe('open')
  })

  it('and an answer that came meanwhile counts', async () => {
    remote.entries.set('k', entry('here'))
    remote.mode = 'hold'
    const read = tiered().get('k')
    stallMs = 60
    manual.advance(100)
    remote.release()
    expect(await read).toMatchObject({ value: 'here' })
  })
})

it('an answer that comes too late does not make up for the timeout', async () => {
  const store = tiered()
  for (let i = 0; i < 5; i++) {
    remote.mode = 'hold'
    await readInVain(store, 1)
    remote.release()
    expect(await isOver(Promise.resolve())).toBe(true)
  }
  expect(store.health().breaker).toBe('open')
})

describe('a read that failed', () => {
  /** Refuses so many reads, then serves. */
  function refusing(times: number, code: 'UNAVAILABLE' | 'STORE' | 'CONFIGURATION' | 'TIMEOUT', tookMs = 0) {
    const told: (StoreCall | undefined)[] = []
    const serve = remote.get.bind(remote)
    remote.entries.set('k', entry('there'))
    remote.get = (key: string, call?: StoreCall) => {
      told.push(call)
      manual.advance(tookMs)
      return told.length <= times ? Promise.reject(new CacheError(code, 'no')) : serve(key)
    }
    return told
  }

  it('is not made again, unless it is asked for', async () => {
    const told = refusing(1, 'UNAVAILABLE')
    expect(await tiered().get('k')).toBeUndefined()
    expect(told).toHaveLength(1)
  })

  it('is made again as often as it may be, and tells its failure once', async () => {
    const told = refusing(2, 'UNAVAILABLE')
    expect(await tiered({ retries: 1, breaker: false }).get('k')).toBeUndefined()
    expect(told).toHaveLength(2)
    const store = tiered({ retries: 2 })
    const events: TelemetryEvent[] = []
    store.observe({ event: event => events.push(event) })
    told.length = 0
    expect(await store.get('k')).toMatchObject({ value: 'there' })
    expect((await store.getMany(['k'])).found.get('k')).toMatchObject({ value: 'there' })
    expect(told).toHaveLength(3)
    expect(events.filter(({ type }) => type === 'error')).toEqual([])
  })

  it('is made again within its own deadline only', async () => {
    const told = refusing(9, 'STORE', 40)
    expect(await tiered({ retries: 9 }).get('k')).toBeUndefined()
    expect(told).toEqual([undefined, { deadlineMs: 60 }, { deadlineMs: 20 }])
    told.length = 0
    expect(await tiered({ retries: 9 }).get('k', { deadlineMs: 50 })).toBeUndefined()
    expect(told).toEqual([{ deadlineMs: 50 }, { deadlineMs: 10 }])
  })

  it.each(['TIMEOUT', 'CONFIGURATION'] as const)('of %s is not made again', async code => {
    const told = refusing(9, code)
    expect(await tiered({ retries: 3 }).get('k')).toBeUndefined()
    expect(told).toHaveLength(1)
  })

  it('refuses a number of retries that is none', () => {
    expect(() => tiered({ retries: -1 })).toThrow(/^retries must be/)
  })
})
