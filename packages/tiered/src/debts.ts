import { type CacheError, type Entry, type InvalidationMessage, isMarking, type Observer } from '@cache/core'
import { type Apply, type Hold, Journal, type JournalBatch } from './journal.ts'
import { JournalFile } from './journal-file.ts'
import type { Settings } from './options.ts'
import { Recovery } from './recovery.ts'
import { Setbacks } from './setbacks.ts'

export interface DebtsOptions {
  readonly settings: Settings
  readonly observer: Required<Pick<Observer, 'event'>>
  /** What may not be applied yet. */
  readonly held: Hold | undefined
  readonly apply: Apply
  readonly onRecovered: () => void
  readonly onFileError: (error: CacheError) => void
}

/**
 * The invalidations that the remote does not know of, or may have lost: kept until it has confirmed them. What one of them
 * concerns is not read from it.
 */
export class Debts {
  readonly #journal: Journal
  readonly #file: JournalFile | undefined
  readonly #recovery: Recovery
  readonly #setbacks: Setbacks | undefined

  constructor({ settings, observer, held, apply, onRecovered, onFileError }: DebtsOptions) {
    const { clock, l2, maxJournalKeys, journal, readMs } = settings
    const store = l2.name
    this.#journal = new Journal({
      maxKeys: maxJournalKeys,
      now: () => clock.now(),
      onOverflow: () => observer.event({ type: 'overflow', store }),
    })
    this.#file = journal && JournalFile.open(this.#journal, { ...journal, clock, onError: onFileError })
    this.#recovery = new Recovery({
      journal: this.#journal,
      clock,
      held,
      apply,
      onRecovered: recovered => {
        onRecovered()
        observer.event({ type: 'recovered', store, ...recovered })
      },
    })
    this.#setbacks = isMarking(l2)
      ? new Setbacks({
          store: l2,
          clock,
          readMs,
          onSetback: reason => observer.event({ type: 'setback', store, reason }),
          onLost: lost => this.#invalidateAgain(lost),
        })
      : undefined
    this.#recovery.schedule() // What an earlier process left in the file.
  }

  get size(): number {
    return this.#journal.size
  }

  /** How long the oldest has waited, in milliseconds. */
  get ageMs(): number {
    return this.#journal.ageMs
  }

  /** Whether an invalidation of the key waits, or may have to. */
  concernsKey(key: string): boolean {
    return this.#journal.has(key) || this.#setbacks?.settling === true
  }

  /** The same for an entry, which its tags may outdate too. */
  concerns(key: string, entry: Entry | undefined): boolean {
    return this.concernsKey(key) || this.#journal.hasTag(entry?.tags)
  }

  /** Whether the key itself waits, and not only all keys with it. */
  keeps(key: string): boolean {
    return this.#journal.keeps(key)
  }

  add(invalidation: JournalBatch): void {
    this.#journal.add(invalidation)
  }

  /** Sees to it that what was added is applied, later. */
  schedule(): void {
    this.#recovery.schedule()
  }

  /** Confirmed, here or for a peer: if the server loses that, somebody has to know. */
  confirmed(invalidation: JournalBatch): void {
    this.#setbacks?.confirmed(invalidation)
  }

  heard(message: InvalidationMessage): void {
    if (message.type === 'clear') this.confirmed({ scope: message.scope ?? '' })
    else this.confirmed(message.type === 'tags' ? { tags: message.tags } : { keys: message.keys })
  }

  /** Applies what waits now. */
  settle(): Promise<void> {
    return this.#recovery.run()
  }

  async whenSettled(): Promise<void> {
    await this.#setbacks?.whenSettled()
    return this.#recovery.whenRecovered()
  }

  /** Nothing is applied any more; what is added still goes into the file, until that is closed. */
  stop(): void {
    this.#recovery.close()
    this.#setbacks?.close()
  }

  async closeFile(): Promise<void> {
    if (!this.#file) return
    // What the calls that ended with the store have to say goes into the file first.
    await new Promise(resolve => setImmediate(resolve))
    this.#file.close()
  }

  /** @param lost `undefined`: more than can be told */
  #invalidateAgain(lost: readonly JournalBatch[] | undefined): void {
    if (lost) for (const invalidation of lost) this.#journal.add(invalidation)
    else this.#journal.addScope('')
    void this.#recovery.run()
  }
}
