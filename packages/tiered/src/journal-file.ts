import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { resolve } from 'node:path'
import { CacheError, type Clock, type TimerHandle, toCacheError } from '@cache/core'
import type { Journal, JournalBatch, JournalLog } from './journal.ts'

/** When what was written is forced to the disk. A process that is killed loses nothing either way; a machine that loses power does. */
export type Fsync = 'always' | 'everysec' | 'never'

export interface JournalFileOptions {
  readonly file: string
  readonly fsync: Fsync
  readonly clock: Clock
  readonly onError: (error: CacheError) => void
}

/** One line: what came in, or what was confirmed. */
type Line = readonly ['+' | '-', JournalBatch]

const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = constants
const SYNC_MS = 1_000
/** A file of so many bytes is written anew, with what is still pending, before it grows further. */
const COMPACT_BYTES = 16 * 1024 * 1024

/** The files that this process writes: two stores must not share one. */
const inUse = new Set<string>()

/**
 * Keeps a journal beyond the life of the process: a line for everything that comes in and for what was confirmed, appended as
 * it happens. Nothing is written as long as nothing is pending.
 */
export class JournalFile implements JournalLog {
  readonly #options: JournalFileOptions
  readonly #file: string
  readonly #journal: Journal
  #descriptor: number
  #bytes = 0
  #compactAt = COMPACT_BYTES
  /** The file lacks something, since a write failed. */
  #torn = false
  #timer: TimerHandle | undefined

  /**
   * Opens a file, puts what is pending there into a journal, and from then on keeps what happens to that.
   *
   * @throws CacheError `INVALID_OPTION` if the file cannot be read and written, or another store of this process has it
   */
  static open(journal: Journal, options: JournalFileOptions): JournalFile {
    const file = resolve(options.file)
    if (inUse.has(file)) throw unusable(options.file, 'another store of this process writes it')
    try {
      return new JournalFile(journal, options, file)
    } catch (thrown) {
      throw unusable(options.file, (thrown as NodeJS.ErrnoException).code ?? 'it cannot be opened')
    }
  }

  private constructor(journal: Journal, options: JournalFileOptions, file: string) {
    this.#options = options
    this.#file = file
    this.#journal = journal
    restore(journal, file)
    this.#descriptor = this.#written()
    inUse.add(file)
    journal.keep(this)
  }

  added(batch: JournalBatch): void {
    this.#append(['+', batch])
  }

  confirmed(batch: JournalBatch): void {
    this.#append(['-', batch])
  }

  emptied(): void {
    this.#attempt(() => {
      if (this.#bytes > 0) ftruncateSync(this.#descriptor, 0)
      this.#bytes = 0
      this.#compactAt = COMPACT_BYTES
      this.#torn = false
    })
  }

  /** What is pending stays in the file, for the process that opens it next. */
  close(): void {
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer)
    inUse.delete(this.#file)
    this.#attempt(() => {
      if (this.#bytes > 0 && this.#options.fsync !== 'never') fdatasyncSync(this.#descriptor)
      closeSync(this.#descriptor)
    })
  }

  #append(line: Line): void {
    this.#attempt(() => {
      if (this.#torn || this.#bytes > this.#compactAt) return this.#compact()
      this.#bytes += writeLine(this.#descriptor, line)
      this.#sync()
    })
  }

  /** What came in or was confirmed last is in the journal already. */
  #compact(): void {
    const written = this.#written()
    closeSync(this.#descriptor)
    this.#descriptor = written
    this.#compactAt = Math.max(COMPACT_BYTES, 2 * this.#bytes)
    this.#torn = false
  }

  /** A file with what is pending and nothing else, in place of the one there was. @returns its descriptor */
  #written(): number {
    const beside = `${this.#file}.new`
    const descriptor = openSync(beside, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600)
    try {
      let bytes = 0
      for (const batch of this.#journal.contents()) bytes += writeLine(descriptor, ['+', batch])
      if (this.#options.fsync !== 'never') fdatasyncSync(descriptor)
      renameSync(beside, this.#file)
      this.#bytes = bytes
      return descriptor
    } catch (thrown) {
      closeSync(descriptor)
      throw thrown
    }
  }

  #sync(): void {
    const { fsync, clock } = this.#options
    if (fsync === 'always') fdatasyncSync(this.#descriptor)
    if (fsync !== 'everysec' || this.#timer) return
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined
      fdatasync(this.#descriptor, error => error && this.#fail(error))
    }, SYNC_MS)
    this.#timer.unref?.()
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  /** The journal goes on in memory; the next that comes in has the file written anew. */
  #fail(thrown: unknown): void {
    if (!this.#torn)
      this.#options.onError(toCacheError(thrown, 'STORE', 'the journal file cannot be written'))
    this.#torn = true
  }
}

function writeLine(descriptor: number, line: Line): number {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  let written = 0
  while (written < bytes.length) written += writeSync(descriptor, bytes, written)
  return written
}

/** A line that cannot be read, as the last one of a machine that lost power may be, stands for anything: then everything is pending. */
function restore(journal: Journal, file: string): void {
  for (const text of linesOf(file)) {
    const line = parse(text)
    if (!line) journal.addScope('')
    else if (line[0] === '+') journal.add(line[1])
    else journal.forget(line[1])
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw thrown
  }
}

function parse(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text)
    if (!Array.isArray(line) || (line[0] !== '+' && line[0] !== '-')) return undefined
    return isBatch(line[1]) ? [line[0], line[1]] : undefined
  } catch {
    return undefined
  }
}

function isBatch(value: unknown): value is JournalBatch {
  if (typeof value !== 'object' || value === null) return false
  const { keys, tags, scope } = value as Record<string, unknown>
  const names = keys ?? tags
  return names === undefined ? typeof scope === 'string' : isNames(names)
}

function isNames(names: unknown): boolean {
  return Array.isArray(names) && names.every(name => typeof name === 'string')
}

function unusable(file: string, why: string): CacheError {
  return new CacheError(
    'INVALID_OPTION',
    `journal.file must be a file that this process alone reads and writes; received ${JSON.stringify(file)}: ${why}`,
  )
}
