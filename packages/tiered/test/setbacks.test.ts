import { type Entry, ManualClock, type TelemetryEvent } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { TieredStore } from '../src/index.ts'
import { LocalBus, RewindableStore } from './stores.ts'

let clock: ManualClock
let remote: RewindableStore
let buses: LocalBus[]

beforeEach(() => {
  clock = new ManualClock()
  remote = new RewindableStore(clock)
  buses = []
})

const settle = () => new Promise<void>(resolve => setImmediate(resolve))

function entry(value: unknown): Entry {
  const now = clock.now()
  return { value, createdAt: now, freshUntil: now + 600_000, expiresAt: now + 600_000 }
}

/** A process that knows the server as it is now. */
async function tiered(id = 'a'): Promise<{ store: TieredStore; events: TelemetryEvent[] }> {
  const l1 = new MemoryStore({ clock })
  const store = new TieredStore({ l1, l2: remote, bus: new LocalBus(id, buses), clock })
  const events: TelemetryEvent[] = []
  store.observe({ event: event => events.push(event) })
  await settle()
  return { store, events }
}

/** Until what was confirmed has a mark behind it. */
async function marked(): Promise<void> {
  clock.advance(1_000)
  await settle()
}

describe('a server that comes back with older data', () => {
  it('is told again what was invalidated since, by key, tag and scope, and nothing else', async () => {
    const { store, events } = await tiered()
    await store.set('before', entry(1))
    await marked()
    await store.set('k', entry('old'))
    await store.set('users:1', entry('old'))
    const rewind = remote.snapshot()
    await store.delete('k')
    await store.clear('users:')
    await marked()
    remote.calls.length = 0
    rewind()
    await settle()
    await store.whenRecovered()
    expect(remote.calls.filter(call => call !== 'mark')).toEqual(['clear users:', 'delete k'])
    expect([...remote.entries.keys()]).toEqual(['before'])
    expect(events).toContainEqual({ type: 'setback', store: 'steered', reason: 'rewound by the test' })
  })

  it('is not read before it has been told, nor before that is known', async () => {
    const { store } = await tiered()
    await store.set('k', entry('old'))
    await store.set('other', entry('other'))
    await marked()
    const rewind = remote.snapshot()
    await store.delete('k')
    let answer = (_survived: number): void => {}
    rewind(
      new Promise(resolve => {
        answer = resolve
      }),
    )
    await settle()
    remote.calls.length = 0
    const fresh = new TieredStore({ l1: new MemoryStore({ clock }), l2: remote, bus: false, clock })
    expect((await fresh.get('other'))?.value).toBe('other')
    expect(await store.get('k')).toBeUndefined()
    expect(remote.calls).not.toContain('get k')
    remote.mode = 'hold'
    answer(1)
    await settle()
    expect(await store.get('k')).toBeUndefined()
    expect(remote.calls).not.toContain('get k')
    remote.mode = 'serve'
    remote.release()
    await store.whenRecovered()
    expect(await store.get('k')).toBeUndefined()
    expect(remote.calls).toContain('get k')
  })

  it('is told what peers invalidated, though they are gone', async () => {
    const [{ store: a }, { store: b }] = [await tiered('a'), await tiered('b')]
    await b.set('k', entry('old'))
    await marked()
    const rewind = remote.snapshot()
    await b.delete('k')
    await b.close()
    rewind()
    await settle()
    await a.whenRecovered()
    expect(remote.entries.has('k')).toBe(false)
  })

  it('loses everything if it is older than this process', async () => {
    remote.entries.set('unknown', entry('old'))
    const rewind = remote.snapshot()
    const { store } = await tiered()
    await marked()
    await expectAllLost(store, rewind)
  })

  it('loses everything if it does not say how old its data are', async () => {
    const { store } = await tiered()
    await store.set('k', entry(1))
    await marked()
    const rewind = remote.snapshot()
    await expectAllLost(store, () => rewind(Promise.reject(new Error('no answer'))))
  })

  it('loses everything if more was invalidated since than is remembered', async () => {
    const { store } = await tiered()
    await store.set('k', entry(1))
    await marked()
    const rewind = remote.snapshot()
    await store.deleteMany(Array.from({ length: 10_001 }, (_, i) => `key ${i}`))
    await store.delete('one more')
    await expectAllLost(store, rewind)
  })

  async function expectAllLost(store: TieredStore, rewind: () => void): Promise<void> {
    remote.calls.length = 0
    rewind()
    await settle()
    await store.whenRecovered()
    expect(remote.calls).toContain('clear ')
    expect(remote.entries.size).toBe(0)
  }

  it('is told all that is remembered if it cannot say how old its data are', async () => {
    const { store } = await tiered()
    await store.set('a', entry(1))
    await marked()
    await store.delete('b')
    remote.calls.length = 0
    remote.snapshot()(Promise.resolve(undefined))
    await settle()
    await store.whenRecovered()
    expect(remote.calls.filter(call => call !== 'mark')).toEqual(['delete a', 'delete b'])
  })

  it('costs a mark a second at most, and none while nothing is invalidated', async () => {
    const { store } = await tiered()
    const marks = (): number => remote.calls.filter(call => call === 'mark').length
    expect(marks()).toBe(1)
    for (let i = 0; i < 10; i++) await store.delete('k')
    await marked()
    expect(marks()).toBe(2)
    await marked()
    await marked()
    expect(marks()).toBe(2)
  })

  it('twice in a row is made up for once it is known', async () => {
    const { store } = await tiered()
    await store.set('k', entry('old'))
    await marked()
    const rewind = remote.snapshot()
    await store.delete('k')
    rewind(new Promise(() => {}))
    rewind()
    await settle()
    await store.whenRecovered()
    expect(remote.entries.has('k')).toBe(false)
  })

  it('is not believed for a mark that it got after it had been set back', async () => {
    const { store } = await tiered()
    await store.set('k', entry('old'))
    await marked()
    const rewind = remote.snapshot()
    await store.delete('k')
    remote.mode = 'hold'
    await marked() // Under way.
    rewind(
      settle().then(() => {
        remote.mode = 'serve'
        remote.release()
        return settle().then(() => remote.mark())
      }),
    )
    await settle()
    await settle()
    await settle()
    await store.whenRecovered()
    expect(remote.entries.has('k')).toBe(false)
  })

  it('is not read on the word of an earlier one', async () => {
    const { store } = await tiered()
    await store.set('k', entry('old'))
    await marked()
    const rewind = remote.snapshot()
    await store.delete('k')
    await marked()
    rewind(Promise.resolve(Number.MAX_SAFE_INTEGER))
    rewind(new Promise(() => {}))
    await settle()
    expect(await store.get('k')).toBeUndefined()
  })

  it('is told again what was confirmed in a recovery', async () => {
    const { store } = await tiered()
    await store.set('k', entry('old'))
    await marked()
    const rewind = remote.snapshot()
    remote.mode = 'refuse'
    await store.delete('k')
    remote.mode = 'serve'
    clock.advance(500)
    await store.whenRecovered()
    rewind()
    await settle()
    await store.whenRecovered()
    expect(remote.entries.has('k')).toBe(false)
  })

  it('holds nothing older than the last write afterwards, whatever was lost', async () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      kind: fc.constantFrom('set', 'delete', 'mark', 'snapshot', 'rewind'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
        clock = new ManualClock()
        remote = new RewindableStore(clock)
        const { store } = await tiered()
        const last = new Map<string, number>()
        let rewind: (() => void) | undefined
        for (const [version, { key, kind }] of steps.entries()) {
          if (kind === 'set') await store.set(key, entry(version))
          else if (kind === 'delete') await store.delete(key)
          else if (kind === 'mark') await marked()
          else if (kind === 'snapshot') rewind = remote.snapshot()
          else rewind?.()
          if (kind === 'set' || kind === 'delete') last.set(key, version)
          await settle()
        }
        for (let i = 0; i < 4; i++) await marked()
        expect(store.health()).toMatchObject({ journal: 0 })
        for (const [key, { value }] of remote.entries) expect(value).toBe(last.get(key))
      }),
      { numRuns: 200 },
    )
  })
})
