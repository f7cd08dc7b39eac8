import { describe, expect, it } from 'vitest'
import { BareStore, FullStore } from '../test/stores.ts'
import { batched, mergeOutcomes, throwIfRefused } from './batched.ts'
import type { Entry } from './entry.ts'
import { CacheError } from './errors.ts'
import { ManualClock } from './manual-clock.ts'
import { APPLIED, failed } from './outcome.ts'

const late = new CacheError('TIMEOUT', 'late')
const unserializable = new CacheError('SERIALIZATION', 'cycle')
const entry: Entry = { value: 1, createdAt: 0, freshUntil: 1e12, expiresAt: 1e12 }

describe('mergeOutcomes', () => {
  it('is applied only if all parts are', () => {
    expect(mergeOutcomes([])).toBe(APPLIED)
    expect(mergeOutcomes([{ keys: ['a'], outcome: APPLIED }])).toBe(APPLIED)
    const queued = { status: 'queued', error: late } as const
    for (const parts of [
      [APPLIED, queued],
      [queued, APPLIED],
    ]) {
      expect(mergeOutcomes(parts.map((outcome, n) => ({ keys: [`${n}`], outcome })))).toEqual(queued)
    }
  })

  it('names every key of a part that failed whole, and the named ones of a part that failed in part', () => {
    const outcome = mergeOutcomes([
      { keys: ['a', 'b'], outcome: failed(late) },
      { keys: ['c', 'd'], outcome: { status: 'partial', error: late, failures: new Map([['d', late]]) } },
      { keys: ['e'], outcome: APPLIED },
    ])
    expect(outcome.status).toBe('partial')
    expect([...(outcome.failures ?? [])].map(([key]) => key)).toEqual(['a', 'b', 'd'])
  })

  it('does not say failed of the whole when a part failed without a reason', () => {
    const outcome = mergeOutcomes([
      { keys: ['a'], outcome: { status: 'failed' } },
      { keys: ['b'], outcome: APPLIED },
    ])
    expect(outcome).toMatchObject({ status: 'partial', error: { code: 'STORE' } })
    expect([...(outcome.failures ?? [])].map(([key]) => key)).toEqual(['a'])
  })

  it('keeps a part that only one tier has apart from queued', () => {
    const partial = { status: 'partial', error: late } as const
    const queued = { status: 'queued' } as const
    for (const parts of [
      [partial, queued],
      [queued, partial],
    ]) {
      expect(mergeOutcomes(parts.map((outcome, n) => ({ keys: [`${n}`], outcome })))).toEqual(partial)
    }
  })
})

describe('throwIfRefused', () => {
  it('throws a fault of the caller only when nothing was written', () => {
    expect(() => throwIfRefused(failed(unserializable))).toThrow(unserializable)
    expect(throwIfRefused(failed(late)).status).toBe('failed')
    expect(throwIfRefused({ status: 'failed' }).status).toBe('failed')
    const mixed = {
      status: 'failed',
      error: unserializable,
      failures: new Map([
        ['a', unserializable],
        ['b', late],
      ]),
    } as const
    expect(throwIfRefused(mixed)).toBe(mixed)
    const some = {
      status: 'partial',
      error: unserializable,
      failures: new Map([['a', unserializable]]),
    } as const
    expect(throwIfRefused(some)).toBe(some)
  })
})

describe('batched', () => {
  it('uses what the store has', () => {
    const store = new FullStore(new ManualClock())
    expect(batched(store)).toBe(store)
  })

  it('tells of each key what became of it, where it must go key by key', async () => {
    class Fragile extends BareStore {
      override get(key: string): Entry | undefined {
        if (key === 'bad') throw new Error('ECONNRESET')
        return super.get(key)
      }
      override set(key: string, value: Entry): typeof APPLIED {
        if (key === 'bad') throw new Error('ECONNRESET')
        return super.set(key, value)
      }
    }
    const store = new Fragile(new ManualClock())
    const batch = batched(store)
    const outcome = await batch.setMany(
      new Map([
        ['a', entry],
        ['bad', entry],
        ['b', entry],
      ]),
    )
    expect(outcome).toMatchObject({ status: 'partial', error: { code: 'STORE' } })
    expect([...(outcome.failures ?? [])].map(([key]) => key)).toEqual(['bad'])
    expect([...store.entries.keys()]).toEqual(['a', 'b'])

    const read = await batch.getMany(['a', 'bad', 'c', 'b'])
    expect([...read.found.keys()]).toEqual(['a', 'b'])
    expect([...(read.failures ?? [])].map(([key]) => key)).toEqual(['bad'])
    expect(await batch.deleteMany(['a', 'b'])).toBe(APPLIED)
    expect(store.entries.size).toBe(0)
  })

  it('rejects a value that cannot be held only if no other was written', async () => {
    class Strict extends BareStore {
      override set(key: string, value: Entry): typeof APPLIED {
        if (key.startsWith('bad')) throw unserializable
        return super.set(key, value)
      }
    }
    const batch = batched(new Strict(new ManualClock()))
    await expect(
      batch.setMany(
        new Map([
          ['bad', entry],
          ['bad2', entry],
        ]),
      ),
    ).rejects.toBe(unserializable)
    const outcome = await batch.setMany(
      new Map([
        ['bad', entry],
        ['good', entry],
      ]),
    )
    expect(outcome).toEqual({
      status: 'partial',
      error: unserializable,
      failures: new Map([['bad', unserializable]]),
    })
  })

  it('leaves no rejection unhandled when a closed store refuses several keys', async () => {
    const closed = new CacheError('CLOSED', 'closed')
    class Closed extends BareStore {
      override get(): never {
        throw closed
      }
    }
    await expect(batched(new Closed(new ManualClock())).getMany(['a', 'b', 'c'])).rejects.toBe(closed)
  })
})
