import {
  Cache,
  CacheError,
  type CacheSource,
  failed,
  ManualClock,
  type TelemetryEvent,
  WarmUpQueue,
  type WriteOutcome,
} from '@cache/core'
import { describe, expect, test } from 'vitest'
import { LeasingStore, Server } from './leasing-store.ts'
import { BareStore, settled } from './stores.ts'
import { ControlledLoader } from './support.ts'

describe('writes', () => {
  const error = new CacheError('UNAVAILABLE', 'away')

  test.each([
    ['queued', { status: 'queued', error }],
    ['partial', { status: 'partial', error }],
    ['failed', failed(error)],
  ] as const)('count by what became of them: %s', async (status, outcome: WriteOutcome) => {
    const clock = new ManualClock()
    const store = new BareStore(clock)
    const cache = new Cache({ store, clock })
    await cache.set('a', 1)
    await cache.getOrSet('b', () => 2)
    store.set = () => outcome
    await cache.set('c', 3)
    const { writes } = cache.stats()
    expect(writes).toEqual({ applied: 2, queued: 0, partial: 0, failed: 0, [status]: 1 })
  })

  test('that a store throws at have failed; those that are the caller’s fault are none', async () => {
    const clock = new ManualClock()
    const store = new BareStore(clock)
    const cache = new Cache({ store, clock })
    store.set = () => {
      throw new Error('broken')
    }
    await cache.set('a', 1)
    store.set = () => {
      throw new CacheError('SERIALIZATION', 'not that')
    }
    await cache.set('a', 1).catch(() => {})
    expect(cache.stats().writes).toEqual({ applied: 0, queued: 0, partial: 0, failed: 1 })
  })

  test('are a snapshot: what was handed out does not change', async () => {
    const clock = new ManualClock()
    const cache = new Cache({ store: new BareStore(clock), clock })
    const before = cache.stats()
    await cache.set('a', 1)
    expect(before.writes.applied).toBe(0)
    expect(cache.stats().writes.applied).toBe(1)
  })
})

describe('leases', () => {
  function two() {
    const clock = new ManualClock()
    const server = new Server()
    const caches = [0, 1].map(() => new Cache<string>({ store: new LeasingStore(server, clock), clock }))
    return { clock, caches: caches as [Cache<string>, Cache<string>] }
  }

  test('are granted to one process and denied to the other, once however often it looks again', async () => {
    const { clock, caches } = two()
    const [first, second] = caches
    const loader = new ControlledLoader<string>()
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    const waiting = second.getOrSet('k', () => 'never')
    for (let i = 0; i < 10; i++) {
      clock.advance(50)
      await settled()
    }
    loader.calls[0]?.resolve('v')
    await loaded
    clock.advance(500)
    expect(await waiting).toBe('v')
    expect(first.stats().leases).toEqual({ granted: 1, denied: 0, expired: 0 })
    expect(second.stats().leases).toEqual({ granted: 0, denied: 1, expired: 0 })
  })

  test('that a waiter gets in the end count as granted', async () => {
    const { clock, caches } = two()
    const [first, second] = caches
    const loader = new ControlledLoader<string>()
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    const waiting = second.getOrSet('k', () => 'mine')
    await settled()
    loader.calls[0]?.reject(new Error('no'))
    await expect(loaded).rejects.toThrow('no')
    clock.advance(500)
    expect(await waiting).toBe('mine')
    expect(second.stats().leases).toEqual({ granted: 1, denied: 1, expired: 0 })
  })

  test('of many keys at once count each', async () => {
    const { caches } = two()
    await caches[0].getOrSetMany(['a', 'b', 'c'], keys => new Map(keys.map(key => [key, key])))
    expect(caches[0].stats().leases.granted).toBe(3)
  })

  test('that are renewed in time do not expire; those whose process stood still do', async () => {
    const { clock, caches } = two()
    const [first] = caches
    const slow = new ControlledLoader<string>()
    const loaded = first.getOrSet('slow', slow.load)
    await settled()
    for (let i = 0; i < 8; i++) {
      clock.advance(500)
      await settled()
    }
    slow.calls[0]?.resolve('v')
    await loaded
    expect(first.stats().leases.expired).toBe(0)

    // All at once: the timer that would have renewed it comes too late.
    await first.getOrSet('blocked', () => {
      clock.advance(2_500)
      return 'v'
    })
    expect(first.stats().leases.expired).toBe(1)
  })

  test('that a write took away have not expired', async () => {
    const { clock, caches } = two()
    const [first, second] = caches
    const loader = new ControlledLoader<string>()
    const loaded = first.getOrSet('k', loader.load)
    await settled()
    await second.set('k', 'newer')
    clock.advance(500)
    await settled()
    loader.calls[0]?.resolve('older')
    await loaded
    expect(first.stats().leases).toEqual({ granted: 1, denied: 0, expired: 0 })
  })
})

describe('warm-ups', () => {
  test('count what was written and what could not be, and what waits in the queues', async () => {
    const clock = new ManualClock()
    const cache = new Cache({ store: new BareStore(clock), clock })
    await cache.warm([
      { key: 'a', value: 1 },
      { key: '', value: 2 },
    ])
    expect(cache.stats().warmUps).toEqual({ queued: 0, done: 1, failed: 1 })
    const queue = new WarmUpQueue(cache.namespace('n'))
    queue.push({ key: 'b', value: 3 })
    queue.push({ key: 'c', value: 4 })
    expect(cache.stats().warmUps).toEqual({ queued: 2, done: 1, failed: 1 })
    await queue.whenIdle()
    expect(cache.stats().warmUps).toEqual({ queued: 0, done: 3, failed: 1 })
    queue.push({ key: 'd', value: 5 })
    queue.close()
    expect(cache.stats().warmUps.queued).toBe(0)
  })
})

test('an observer is told which cache an event happened in', async () => {
  const clock = new ManualClock()
  const heard: [string, string | undefined][] = []
  const observer = {
    event: (event: TelemetryEvent, source?: CacheSource) => void heard.push([event.type, source?.name]),
  }
  for (const name of ['a', 'b']) {
    await new Cache({ store: new BareStore(clock), clock, name, observer }).getOrSet('k', () => 1)
  }
  expect(heard).toEqual([
    ['load', 'a'],
    ['load', 'b'],
  ])
})
