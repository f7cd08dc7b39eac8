import type { Engine } from './engine.ts'
import type { WarmUpFailure, WarmUpProgress, WarmUpTerms } from './warm-options.ts'
import { type BatchResult, Progress } from './warm-progress.ts'
import { withSignal } from './with-signal.ts'

/** What a warm-up does with the items of its source. */
export interface WarmUpWork<Item> {
  /** The key of an item as the source gave it, for a failure to be known by. */
  keyOf(item: Item): string | undefined
  begin(): WarmUpBatch<Item>
}

/** Items that are dealt with together. */
export interface WarmUpBatch<Item> {
  /** At once: from here on an invalidation finds the item here. @throws for one that is not valid */
  add(item: Item): void
  /** Rejects only if the cache was closed or the warm-up was called off. */
  finish(): Promise<BatchResult>
  /** Forgets what was added. */
  drop(): void
}

/** A batch while it is filled. */
interface Filling<Item> {
  readonly batch: WarmUpBatch<Item>
  readonly invalid: WarmUpFailure[]
  taken: number
}

/**
 * Takes what a source gives, batch by batch, and as many batches at a time as it may: however long the source is, no more than
 * that and one more are held.
 *
 * @throws CacheError `CLOSED`; whatever the source throws; the reason of the signal
 */
export class WarmUp<Item> {
  readonly #engine: Engine
  readonly #work: WarmUpWork<Item>
  readonly #terms: WarmUpTerms
  readonly #progress: Progress
  readonly #running = new Set<Promise<void>>()
  #filling: Filling<Item> | undefined
  #started = 0

  constructor(engine: Engine, work: WarmUpWork<Item>, terms: WarmUpTerms) {
    this.#engine = engine
    this.#work = work
    this.#terms = terms
    this.#progress = new Progress(engine.clock, terms)
  }

  async run(source: Iterable<Item> | AsyncIterable<Item>): Promise<WarmUpProgress> {
    try {
      this.#terms.signal?.throwIfAborted()
      if (Symbol.asyncIterator in source) await this.#takeAsLateAsItComes(source[Symbol.asyncIterator]())
      else await this.#takeAtOnce(source)
      if (this.#filling) this.#start(this.#filling)
      await Promise.all(this.#running)
      return this.#progress.report()
    } finally {
      this.#filling?.batch.drop()
      await Promise.allSettled(this.#running)
    }
  }

  /** Not `for await` for both: it would leave a moment in which an item is neither at its source nor held. */
  async #takeAtOnce(source: Iterable<Item>): Promise<void> {
    for (const item of source) {
      const full = this.#take(item)
      if (full) await this.#startWhenFree(full)
    }
  }

  /** Not `for await`: a source that does not answer must not keep a warm-up from ending. */
  async #takeAsLateAsItComes(items: AsyncIterator<Item>): Promise<void> {
    let exhausted = false
    try {
      for (;;) {
        const next = await withSignal(items.next(), this.#terms.signal)
        exhausted = next.done === true
        if (next.done) return
        const full = this.#take(next.value)
        if (full) await this.#startWhenFree(full)
      }
    } finally {
      if (!exhausted) items.return?.().catch(() => {})
    }
  }

  /** @returns the batch, if that makes it full */
  #take(item: Item): Filling<Item> | undefined {
    this.#filling ??= { batch: this.#work.begin(), invalid: [], taken: 0 }
    const filling = this.#filling
    filling.taken++
    try {
      filling.batch.add(item)
    } catch (error) {
      filling.invalid.push({ key: this.#work.keyOf(item), error })
    }
    return filling.taken >= this.#terms.batchSize ? filling : undefined
  }

  /** Goes on in a turn of its own: the event loop is not held up, however fast source and store are. */
  async #startWhenFree(full: Filling<Item>): Promise<void> {
    this.#start(full)
    if (this.#running.size >= this.#terms.concurrency) await Promise.race(this.#running)
    await new Promise(resolve => setImmediate(resolve))
    this.#terms.signal?.throwIfAborted()
    this.#engine.life.assertOpen()
  }

  #start(filling: Filling<Item>): void {
    this.#filling = undefined
    const index = this.#started++
    const running = this.#finish(index, filling)
    this.#running.add(running)
    const ended = (): unknown => this.#running.delete(running)
    running.then(ended, () => {}) // One that failed stays, for whoever waits next to hear of it.
  }

  async #finish(index: number, { batch, invalid, taken }: Filling<Item>): Promise<void> {
    const { done, failures } = await batch.finish()
    const { warmUps } = this.#engine.tallies
    warmUps.done += done
    warmUps.failed += invalid.length + failures.length
    this.#progress.settle(index, taken, { done, failures: [...invalid, ...failures] })
  }
}
