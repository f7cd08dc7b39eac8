import { APPLIED, type Entry, ManualClock, type WriteOutcome } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { TieredStore } from '../src/index.ts'
import { SteeredStore } from './stores.ts'

const WRITE_MS = 250

let clock: ManualClock
let remote: SteeredStore
let store: TieredStore

beforeEach(() => {
  clock = new ManualClock()
  remote = new SteeredStore(clock)
  store = new TieredStore({ l1: new MemoryStore({ clock }), l2: remote, clock, breaker: false })
})

const settle = () => new Promise<void>(resolve => setImmediate(resolve))

function entry(value: unknown): Entry {
  const now = clock.now()
  return { value, createdAt: now, freshUntil: now + 600_000, expiresAt: now + 600_000 }
}

/** Calls that the remote does not settle before their deadline. */
async function late(call: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
  remote.mode = 'hold'
  const outcome = call()
  await settle()
  clock.advance(WRITE_MS)
  remote.mode = 'serve'
  return outcome
}

async function recover(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    clock.advance(500)
    await settle()
  }
}

describe('a write of a value that took too long, over a store that promises no order', () => {
  it('is invalidated once it has settled, and not before', async () => {
    expect(await late(() => store.set('k', entry('late')))).toMatchObject({ status: 'queued' })
    await recover()
    expect(remote.calls).not.toContain('delete k')
    expect(store.health()).toMatchObject({ journal: 1 })
    remote.release()
    await store.whenRecovered()
    expect(remote.calls.at(-1)).toBe('delete k')
    expect(remote.entries.size).toBe(0)
  })

  it.each([
    ['a delete', () => store.delete('k')],
    ['a later value', () => store.set('k', entry('later'))],
    ['many', () => store.deleteMany(['k', 'l'])],
    ['a clear', () => store.clear()],
    ['a clear of its scope', () => store.clear('k')],
  ])('does not undo %s that came after it', async (_what, invalidate) => {
    await late(() => store.set('k', entry('late')))
    await recover()
    expect(await invalidate()).toMatchObject({ status: 'queued' })
    remote.release()
    await store.whenRecovered()
    expect(remote.entries.get('k')).toBeUndefined()
  })

  it('does not undo a clear that the remote refused at first', async () => {
    await late(() => store.set('k', entry('late')))
    remote.mode = 'refuse'
    await store.clear()
    remote.mode = 'serve'
    await recover()
    expect(remote.calls.filter(call => call === 'clear ').length).toBe(1)
    remote.release()
    await store.whenRecovered()
    expect(remote.entries.get('k')).toBeUndefined()
  })

  it('does not undo an invalidation of tags that came after it', async () => {
    class Tagged extends SteeredStore {
      invalidateTags(): Promise<WriteOutcome> {
        return this.run('tags', () => APPLIED)
      }
    }
    remote = new Tagged(clock)
    store = new TieredStore({ l1: new MemoryStore({ clock }), l2: remote, clock, breaker: false })
    await late(() => store.set('k', { ...entry('late'), tags: ['t'] }))
    await recover()
    expect(await store.invalidateTags?.(['t'])).toMatchObject({ status: 'queued' })
    remote.release()
    await store.whenRecovered()
    expect(remote.entries.get('k')).toBeUndefined()
  })

  it('holds up nothing else', async () => {
    await late(() => store.set('k', entry('late')))
    expect(await store.delete('other')).toEqual({ status: 'applied' })
    remote.mode = 'refuse'
    await store.delete('one more')
    remote.mode = 'serve'
    await recover()
    expect(remote.calls).toContain('delete one more')
  })

  it('counts while it is under way, too', async () => {
    remote.mode = 'hold'
    const slow = store.set('k', entry('slow'))
    await settle()
    remote.mode = 'serve'
    expect(await store.delete('k')).toEqual({ status: 'queued' })
    remote.release()
    expect(await slow).toEqual({ status: 'applied' })
    await store.whenRecovered()
    expect(remote.entries.get('k')).toBeUndefined()
  })

  it('is refused when too many others have not settled', async () => {
    store = new TieredStore({
      l1: new MemoryStore({ clock }),
      l2: remote,
      clock,
      breaker: false,
      maxJournalKeys: 2,
    })
    for (const key of ['a', 'b']) await late(() => store.set(key, entry(key)))
    const calls = remote.calls.length
    expect(await store.set('c', entry('c'))).toMatchObject({
      status: 'queued',
      error: { code: 'UNAVAILABLE' },
    })
    expect(remote.calls.length).toBe(calls)
    remote.release()
    await store.whenRecovered()
    expect(await store.set('c', entry('c'))).toEqual({ status: 'applied' })
  })

  it('leaves nothing older than the last write, in whatever order they settle', async () => {
    const write = fc.record({
      key: fc.constantFrom('a', 'b'),
      kind: fc.constantFrom('set', 'delete', 'clear'),
      held: fc.boolean(),
      wait: fc.boolean(),
      releases: fc.array(fc.nat(5), { maxLength: 2 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 12 }), async writes => {
        clock = new ManualClock()
        remote = new SteeredStore(clock)
        store = new TieredStore({ l1: new MemoryStore({ clock }), l2: remote, clock, breaker: false })
        const last = new Map<string, number>()
        for (const [version, { key, kind, held, wait, releases }] of writes.entries()) {
          remote.mode = held ? 'hold' : 'serve'
          if (kind === 'set') void store.set(key, entry(version))
          else if (kind === 'delete') void store.delete(key)
          else void store.clear()
          for (const written of kind === 'clear' ? ['a', 'b'] : [key]) last.set(written, version)
          await settle()
          if (wait) clock.advance(WRITE_MS)
          for (const index of releases) remote.releaseOne(index)
          await settle()
        }
        remote.mode = 'serve'
        for (let i = 0; i < 3; i++) {
          remote.release()
          clock.advance(30_000)
          await settle()
        }
        await recover()
        expect(store.health()).toMatchObject({ journal: 0 })
        for (const [key, { value }] of remote.entries) expect(value).toBe(last.get(key))
      }),
      { numRuns: 300 },
    )
  })
})

describe('a store that bounds its calls by itself, and orders them', () => {
  class Sound extends SteeredStore {
    readonly guarantees = { bounded: true, ordered: true }
  }

  beforeEach(() => {
    remote = new Sound(clock)
    store = new TieredStore({ l1: new MemoryStore({ clock }), l2: remote, clock })
  })

  it('is waited for as long as it takes, without a timer', async () => {
    remote.mode = 'hold'
    const timers = vi.spyOn(clock, 'setTimeout')
    const value = store.set('k', entry(1))
    await settle()
    expect(timers.mock.calls.map(([, ms]) => ms)).not.toContain(Number.POSITIVE_INFINITY)
    clock.advance(60_000)
    remote.release()
    expect(await value).toEqual({ status: 'applied' })
  })

  it('confirms a write whatever came before it', async () => {
    remote.mode = 'hold'
    const slow = store.set('k', entry(1))
    const next = store.delete('k')
    await settle()
    remote.release()
    expect([await slow, await next]).toEqual([{ status: 'applied' }, { status: 'applied' }])
  })

  it('is bounded all the same if a timeout is given', async () => {
    store = new TieredStore({
      l1: new MemoryStore({ clock }),
      l2: remote,
      clock,
      timeouts: { write: '20ms' },
    })
    remote.mode = 'hold'
    const value = store.set('k', entry(1))
    await settle()
    clock.advance(20)
    expect(await value).toMatchObject({ status: 'queued', error: { code: 'TIMEOUT' } })
    remote.release()
  })
})
