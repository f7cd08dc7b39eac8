import { isGuaranteeing, type Observer, type StoreHealth } from '@cache/core'
import { Debts } from './debts.ts'
import type { Settings } from './options.ts'
import { RemoteLine } from './remote-line.ts'
import { RemoteReads } from './remote-reads.ts'
import { RemoteWrites } from './remote-writes.ts'
import { Unsettled } from './unsettled.ts'

/**
 * The remote tier as the near one sees it: every call bounded in time, every failure an answer, and every
 * invalidation that it did not confirm, or may have lost, kept in the journal until it does. A key in the journal is not read.
 */
export class Remote {
  readonly reads: RemoteReads
  readonly writes: RemoteWrites
  readonly debts: Debts
  readonly #settings: Settings
  readonly #line: RemoteLine

  constructor(settings: Settings, observer: Required<Pick<Observer, 'event'>>) {
    const { l2 } = settings
    const ordered = isGuaranteeing(l2) && l2.guarantees.ordered
    const unsettled = ordered ? undefined : new Unsettled()
    this.#settings = settings
    this.#line = new RemoteLine(settings, observer, () => queueMicrotask(() => void this.debts.settle()))
    this.debts = new Debts({
      settings,
      observer,
      held: unsettled,
      apply: batch => this.writes.apply(batch),
      onRecovered: () => this.writes.recovered(),
      onFileError: error => this.#line.tell('journal', error),
    })
    this.reads = new RemoteReads(settings, this.#line, this.debts)
    this.writes = new RemoteWrites(settings, this.#line, this.debts, unsettled)
  }

  /** Whether it would be asked, and would answer, as far as is known. */
  get available(): boolean {
    return this.#line.available
  }

  health(): StoreHealth {
    const { size, ageMs } = this.debts
    return { ...this.#line.health(), journal: size, ...(size > 0 && { journalAgeMs: ageMs }) }
  }

  /** The remote seems to be back: what waits for it is applied now. */
  recover(): Promise<void> {
    this.#line.probeSoon()
    return this.debts.settle()
  }

  async close(): Promise<void> {
    const { l2, bus, announce } = this.#settings
    this.debts.stop()
    await Promise.all([l2.close(), announce ? bus?.close() : undefined])
    await this.debts.closeFile()
  }
}
