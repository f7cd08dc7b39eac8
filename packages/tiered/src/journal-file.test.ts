import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CacheError, ManualClock } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Journal, type JournalBatch } from './journal.ts'
import { type Fsync, JournalFile } from './journal-file.ts'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'cache-journal-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function open(file: string, fsync: Fsync = 'never') {
  const journal = new Journal({ maxKeys: 1_000_000, now: () => 0, onOverflow: () => {} })
  const errors: CacheError[] = []
  const clock = new ManualClock()
  const kept = JournalFile.open(journal, { file, fsync, clock, onError: error => errors.push(error) })
  return { journal, errors, clock, kept }
}

/** What a process that starts now finds. */
function found(file: string): JournalBatch[] {
  const { journal, kept } = open(file)
  kept.close()
  return journal.contents()
}

const drain = (journal: Journal, isConfirmed: (batch: JournalBatch) => boolean = () => true) =>
  journal.drain(2, async batch => isConfirmed(batch))

describe('JournalFile', () => {
  it('has everything that was pending, though the process ended without a word', async () => {
    const file = join(directory(), 'journal')
    const { journal, kept } = open(file)
    journal.addKeys(['a', 'b\n"', '\u2028', 'd', 'e'])
    journal.addTags(['t'])
    journal.addScope('users:')
    await drain(journal, batch => !('keys' in batch) || !batch.keys.includes('d'))
    const pending = readFileSync(file)
    kept.close()
    writeFileSync(file, pending)
    expect(found(file)).toEqual([{ keys: ['\u2028', 'd', 'e'] }])
  })

  it('is the journal, whatever happens to it', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'x:1', 'x:2')
    const step = fc.oneof(
      fc.record({ kind: fc.constant('keys' as const), names: fc.array(name, { maxLength: 3 }) }),
      fc.record({ kind: fc.constant('tags' as const), names: fc.array(name, { maxLength: 3 }) }),
      fc.record({ kind: fc.constant('scope' as const), names: fc.constantFrom(['x:'], ['']) }),
      fc.record({ kind: fc.constant('drain' as const), names: fc.array(name, { maxLength: 2 }) }),
    )
    const path = directory()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
        const file = join(path, `${run++}`)
        const { journal, kept } = open(file)
        for (const { kind, names } of steps) {
          if (kind === 'keys') journal.addKeys(names)
          else if (kind === 'tags') journal.addTags(names)
          else if (kind === 'scope') journal.addScope(names[0] as string)
          else {
            await drain(journal, batch => {
              journal.addKeys(names) // Which comes in while another is applied.
              return !('keys' in batch) || !batch.keys.some(key => (names as string[]).includes(key))
            })
          }
        }
        kept.close()
        expect(sorted(found(file))).toEqual(sorted(journal.contents()))
      }),
      { numRuns: 200 },
    )
  })

  const sorted = (contents: readonly JournalBatch[]): string[] =>
    contents
      .flatMap(batch =>
        'keys' in batch
          ? batch.keys.map(key => `key ${key}`)
          : 'tags' in batch
            ? batch.tags.map(tag => `tag ${tag}`)
            : [`scope ${batch.scope}`],
      )
      .sort()

  it('is empty as long as nothing is pending', async () => {
    const file = join(directory(), 'journal')
    const { journal, kept } = open(file)
    journal.addKeys(['a'])
    expect(statSync(file).size).toBeGreaterThan(0)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    await drain(journal)
    expect(statSync(file).size).toBe(0)
    journal.addKeys(['b'])
    kept.close()
    expect(found(file)).toEqual([{ keys: ['b'] }])
  })

  it.each([
    'torn',
    '["+",{"keys":["a"',
    '["+",{"keys":[1]}]',
    '["?",{"keys":["a"]}]',
    '["+",null]',
    '{}',
    '["+",{"scope":7}]',
  ])('takes what it cannot read for everything: %s', line => {
    const file = join(directory(), 'journal')
    writeFileSync(file, `["+",{"keys":["a"]}]\n${line}`)
    expect(found(file)).toEqual([{ scope: '' }])
  })

  it('is written anew when it has grown, with what is pending', async () => {
    const file = join(directory(), 'journal')
    const { journal, kept, errors } = open(file)
    const long = 'x'.repeat(500_000)
    journal.addTags(['kept'])
    for (let i = 0; i < 60; i++) {
      journal.addKeys([`${i}${long}`])
      await drain(journal, batch => 'keys' in batch)
    }
    expect(statSync(file).size).toBeLessThan(20_000_000)
    kept.close()
    expect(sorted(found(file))).toEqual(sorted(journal.contents()))
    expect(errors).toEqual([])
  })

  it('that cannot be written says so once, goes on in memory, and is whole when it can be again', () => {
    const path = directory()
    const file = join(path, 'sub', 'journal')
    mkdirSync(join(path, 'sub'))
    const { journal, kept, errors } = open(file)
    journal.addKeys(['x'.repeat(17_000_000)])
    rmSync(join(path, 'sub'), { recursive: true })
    journal.addKeys(['a'])
    journal.addKeys(['b'])
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['STORE', expect.stringContaining('the journal file cannot be written')],
    ])
    expect(journal.has('b')).toBe(true)
    mkdirSync(join(path, 'sub'))
    journal.addKeys(['c'])
    kept.close()
    expect(sorted(found(file))).toEqual(sorted(journal.contents()))
  })

  it.each(['always', 'everysec'] as const)('is forced to the disk: %s', fsync => {
    const { journal, kept, clock, errors } = open(join(directory(), 'journal'), fsync)
    journal.addKeys(['a'])
    expect(clock.pending).toBe(fsync === 'everysec' ? 1 : 0)
    clock.advance(1_000)
    expect(clock.pending).toBe(0)
    kept.close()
    expect(errors).toEqual([])
  })

  it('is refused if it cannot be opened, or another store of the process has it', () => {
    const path = directory()
    expect(() => open(path)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('journal.file') }),
    )
    const { kept } = open(join(path, 'journal'))
    expect(() => open(join(path, '.', 'journal'))).toThrow('another store of this process')
    kept.close()
    open(join(path, 'journal')).kept.close()
  })
})
