import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Journal, type JournalBatch } from './journal.ts'

function bounded(maxKeys: number): Journal {
  return new Journal({ maxKeys, now: () => 0, onOverflow: () => {} })
}

async function drained(journal: Journal, batchSize = 10): Promise<JournalBatch[]> {
  const batches: JournalBatch[] = []
  await journal.drain(batchSize, async batch => {
    batches.push(batch)
    return true
  })
  return batches
}

describe('Journal', () => {
  it('knows the keys and scopes it holds, and only those', () => {
    const journal = bounded(10)
    journal.addKeys(['a'])
    journal.addScope('users:')
    expect(['a', 'b', 'users:1', 'users'].map(key => journal.has(key))).toEqual([true, false, true, false])
  })

  it('applies clears first, then tags and keys by the batch, and is empty afterwards', async () => {
    const journal = bounded(10)
    for (const key of ['a', 'b', 'c']) journal.addKeys([key])
    for (const tag of ['x', 'y', 'z']) journal.addTags([tag])
    journal.addScope('users:')
    expect(await drained(journal, 2)).toEqual([
      { scope: 'users:' },
      { tags: ['x', 'y'] },
      { tags: ['z'] },
      { keys: ['a', 'b'] },
      { keys: ['c'] },
    ])
    expect(journal.size).toBe(0)
  })

  it('knows the tags it holds, until the remote confirmed them', async () => {
    const journal = bounded(10)
    expect(journal.hasTag(['x'])).toBe(false)
    journal.addTags(['x'])
    expect([['a', 'x'], ['a'], [], undefined].map(tags => journal.hasTag(tags))).toEqual([
      true,
      false,
      false,
      false,
    ])
    await journal.drain(10, async () => false)
    expect(journal.hasTag(['x'])).toBe(true)
    await journal.drain(10, async () => {
      journal.addTags(['x'])
      return true
    })
    expect(journal.hasTag(['x'])).toBe(true)
    await drained(journal)
    expect(journal.size).toBe(0)
  })

  it('applies keys though tags are refused', async () => {
    const journal = bounded(10)
    journal.addTags(['x'])
    journal.addKeys(['a'])
    await journal.drain(10, async batch => 'keys' in batch)
    expect([journal.has('a'), journal.hasTag(['x'])]).toEqual([false, true])
  })

  it('counts tags among what it may hold, and a clear of everything covers them', async () => {
    const journal = bounded(2)
    journal.addKeys(['a'])
    for (const tag of ['x', 'y']) journal.addTags([tag])
    expect([journal.size, journal.has('anything'), journal.hasTag(['x'])]).toEqual([1, true, false])
    expect(await drained(journal)).toEqual([{ scope: '' }])
  })

  it('keeps what the remote did not confirm, and stops there', async () => {
    const journal = bounded(10)
    for (const key of ['a', 'b', 'c']) journal.addKeys([key])
    await journal.drain(1, async batch => 'keys' in batch && batch.keys[0] === 'a')
    expect(['a', 'b', 'c'].map(key => journal.has(key))).toEqual([false, true, true])
  })

  it('keeps a key that comes in again while it is being applied', async () => {
    const journal = bounded(10)
    journal.addKeys(['a'])
    await journal.drain(10, async () => {
      journal.addKeys(['a'])
      return true
    })
    expect(journal.has('a')).toBe(true)
  })

  it('keeps a clear that comes in again while it is being applied', async () => {
    const journal = bounded(10)
    journal.addScope('users:')
    await journal.drain(10, async () => {
      journal.addScope('users:')
      return true
    })
    expect(journal.has('users:1')).toBe(true)
  })

  it('never forgets: whatever is added is held until a confirmed batch covers it, within the bound', async () => {
    const key = fc.constantFrom('a', 'b', 'users:1', 'users:2', 'users:eu:1', 'orders:1')
    const action = fc.oneof(
      key.map(added => ({ key: added })),
      fc.constantFrom('users:', 'users:eu:', 'orders:').map(scope => ({ scope })),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        async (actions, max) => {
          const journal = bounded(max)
          const probes = ['a', 'b', 'users:1', 'users:2', 'users:eu:1', 'orders:1', 'orders:2', 'users:3']
          const owed = new Set<string>()
          for (const added of actions) {
            if ('key' in added) journal.addKeys([added.key])
            else journal.addScope(added.scope)
            for (const probe of probes) {
              if ('key' in added ? probe === added.key : probe.startsWith(added.scope)) owed.add(probe)
            }
            for (const probe of owed) expect(journal.has(probe)).toBe(true)
            expect(journal.size).toBeLessThanOrEqual(max + 4)
          }
          const applied = await drained(journal, 2)
          for (const probe of owed) {
            const covered = applied.some(batch =>
              'scope' in batch
                ? probe.startsWith(batch.scope)
                : 'keys' in batch && batch.keys.includes(probe),
            )
            expect(covered).toBe(true)
          }
        },
      ),
    )
  })

  it('becomes one clear of everything when keys or scopes outgrow their bound', () => {
    const keys = bounded(3)
    for (const key of ['a', 'b', 'c', 'd']) keys.addKeys([key])
    expect([keys.size, keys.has('never added')]).toEqual([1, true])

    const scopes = bounded(3)
    for (let index = 0; index <= 100; index++) scopes.addScope(`s${index}:`)
    expect([scopes.size, scopes.has('never added')]).toEqual([1, true])
  })

  it('knows how long the first has waited, also of what came in again', () => {
    let now = 1_000
    const journal = new Journal({ maxKeys: 10, now: () => now, onOverflow: () => {} })
    expect(journal.ageMs).toBe(0)
    journal.addKeys(['a', 'b'])
    now += 50
    journal.addKeys(['a'])
    journal.addScope('x:')
    journal.addScope('x:')
    expect(journal.ageMs).toBe(50)
  })
})
