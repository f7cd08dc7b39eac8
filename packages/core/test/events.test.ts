import { Cache, type CacheEvents, ManualClock, type Removal, type TelemetryEvent } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { BareStore, FullStore } from './stores.ts'

/** A store that tells what it removes, as the test has it. */
class RemovingStore extends BareStore {
  readonly listeners = new Set<(removal: Removal) => void>()

  onRemoval(listener: (removal: Removal) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  remove(cause: Removal['cause']): void {
    for (const listener of this.listeners) listener({ key: 'k', tier: 'memory', cause })
  }
}

describe('events', () => {
  it.each<TelemetryEvent & { type: keyof CacheEvents }>([
    { type: 'state', store: 's', state: 'bypass' },
    { type: 'gap', store: 's', reason: 'stream broke' },
    { type: 'flush', store: 's' },
    { type: 'breaker', store: 's', state: 'open' },
    { type: 'recovered', store: 's', invalidations: 3, durationMs: 5 },
    { type: 'overflow', store: 's' },
    { type: 'setback', store: 's', reason: 'another server' },
  ])('pass on what a store tells: $type', event => {
    const store = new FullStore(new ManualClock())
    const cache = new Cache({ store })
    const heard: unknown[] = []
    const leave = cache.on(event.type, told => heard.push(told))
    store.observers.event(event)
    leave()
    store.observers.event(event)
    expect(heard).toEqual([event])
  })

  it('do not pass on what is not theirs', () => {
    const store = new FullStore(new ManualClock())
    const cache = new Cache({ store })
    const heard: unknown[] = []
    cache.on('load', told => heard.push(told))
    cache.on('remote' as never, told => heard.push(told))
    store.observers.event({ type: 'load', outcome: 'ok', durationMs: 1 })
    store.observers.event({ type: 'remote', store: 's', operation: 'get', outcome: 'ok', durationMs: 1 })
    expect(heard).toEqual([])
  })

  it('tell what a store removes of its own accord, which is asked for only while somebody listens', async () => {
    const store = new RemovingStore(new ManualClock())
    const cache = new Cache({ store })
    const heard: unknown[] = []
    expect(store.listeners.size).toBe(0)
    const leaveFirst = cache.on('evict', event => heard.push(['evict', event]))
    const leaveSecond = cache.namespace('n').on('expire', event => heard.push(['expire', event]))
    expect(store.listeners.size).toBe(1)
    store.remove('evicted')
    store.remove('expired')
    leaveFirst()
    leaveFirst()
    store.remove('evicted')
    leaveSecond()
    expect(store.listeners.size).toBe(0)
    expect(heard).toEqual([
      ['evict', { key: 'k', tier: 'memory' }],
      ['expire', { key: 'k', tier: 'memory' }],
    ])
    cache.on('evict', () => {})
    expect(store.listeners.size).toBe(1)
    await cache.close()
    expect(store.listeners.size).toBe(0)
  })

  it('of removals can be listened to over any store', () => {
    const cache = new Cache({ store: new BareStore(new ManualClock()) })
    cache.on('evict', () => expect.fail('heard'))()
  })
})
