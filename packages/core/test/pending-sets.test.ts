import { Cache, ManualClock, type Schema } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { settled, TaggingStore } from './stores.ts'

/** A schema that validates when the test lets it; -1 does not match. */
function controlled() {
  const waiting: (() => void)[] = []
  const schema: Schema<number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async value => {
        await new Promise<void>(resolve => waiting.push(resolve))
        return value === -1 ? { issues: [{ message: 'no' }] } : { value: value as number }
      },
    },
  }
  /** Lets the one at a place go on, and what comes of it happen. */
  const release = async (at: number): Promise<void> => {
    waiting.splice(at, 1)[0]?.()
    await settled()
  }
  return { schema, waiting, release }
}

function setUp() {
  const clock = new ManualClock()
  const store = new TaggingStore(clock)
  const cache = new Cache<number>({ store, clock, jitter: 0, batchSize: 2 })
  const { schema, ...control } = controlled()
  /** What is stored, whatever a schema says of it. */
  const stored = () => Object.fromEntries([...store.entries].map(([key, { value }]) => [key, value]))
  return { cache, slow: new Cache<number>({ store, clock, jitter: 0, schema }), stored, ...control }
}

describe('writes while a schema takes its time', () => {
  it('take effect in the order of their calls, however long each takes', async () => {
    const { slow, stored, release } = setUp()
    const calls = [slow.set('k', 1), slow.set('k', 2), slow.setMany({ k: 3, other: 3 })]
    await release(2)
    await release(2)
    await release(1)
    expect(stored()).toEqual({})
    await release(0)
    await Promise.all(calls)
    expect(stored()).toEqual({ k: 3, other: 3 })
  })

  it('lose to whatever removes their key meanwhile, which does not wait for them', async () => {
    const { slow, stored, release, waiting } = setUp()
    const calls = [slow.set('a', 1), slow.set('b', 1), slow.setMany({ c: 1, d: 1 }), slow.set('n:x', 1)]
    expect(await slow.delete('a')).toEqual({ status: 'applied' })
    expect(await slow.deleteMany(['b', 'c'])).toEqual({ status: 'applied' })
    expect(await slow.namespace('n').clear()).toEqual({ status: 'applied' })
    while (waiting.length > 0) await release(0)
    expect(await Promise.all(calls)).toEqual(Array(4).fill({ status: 'applied' }))
    expect(stored()).toEqual({ d: 1 })
  })

  it('lose to the invalidation of one of their tags', async () => {
    const { slow, stored, release, waiting } = setUp()
    const calls = [slow.set('a', 1, { tags: ['t'] }), slow.set('b', 1, { tags: ['u'] })]
    await slow.invalidateTags(['t'])
    while (waiting.length > 0) await release(0)
    await Promise.all(calls)
    expect(stored()).toEqual({ b: 1 })
  })

  it('are not held up by one that is refused, nor overtake what it waited for', async () => {
    const { slow, stored, release } = setUp()
    const first = slow.set('k', 1)
    const refused = slow.set('k', -1)
    const last = slow.set('k', 2)
    const rejection = expect(refused).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    await release(1)
    await release(1)
    expect(stored()).toEqual({})
    await release(0)
    await Promise.all([first, last, rejection])
    expect(stored()).toEqual({ k: 2 })
  })
})

test('any calls end as if each had been validated at once', async () => {
  const key = fc.constantFrom('a', 'b', 'n:a')
  const value = fc.integer({ min: -1, max: 3 })
  const call = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, value }),
    fc.record({ kind: fc.constant('setMany' as const), keys: fc.uniqueArray(key, { minLength: 1 }), value }),
    fc.record({ kind: fc.constant('delete' as const), key }),
    fc.record({ kind: fc.constant('deleteMany' as const), keys: fc.uniqueArray(key, { minLength: 1 }) }),
    fc.record({ kind: fc.constant('clear' as const), scoped: fc.boolean() }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 12 }), fc.infiniteStream(fc.nat()), async (calls, order) => {
      const { slow, stored, release, waiting } = setUp()
      const model = new Map<string, number>()
      const made = calls.map(step => {
        if (step.kind === 'set') {
          if (step.value !== -1) model.set(step.key, step.value)
          return slow.set(step.key, step.value)
        }
        if (step.kind === 'setMany') {
          if (step.value !== -1) for (const each of step.keys) model.set(each, step.value)
          return slow.setMany(Object.fromEntries(step.keys.map(each => [each, step.value])))
        }
        if (step.kind === 'clear') {
          for (const each of [...model.keys()]) if (!step.scoped || each.startsWith('n:')) model.delete(each)
          return (step.scoped ? slow.namespace('n') : slow).clear()
        }
        const keys = step.kind === 'delete' ? [step.key] : step.keys
        for (const each of keys) model.delete(each)
        return step.kind === 'delete' ? slow.delete(step.key) : slow.deleteMany(keys)
      })
      const settling = Promise.allSettled(made)
      for (const at of order) {
        if (waiting.length === 0) break
        await release(at % waiting.length)
      }
      await settling
      expect(stored()).toEqual(Object.fromEntries(model))
    }),
    { numRuns: 150 },
  )
})
