import {
  APPLIED,
  type Awaitable,
  type Batching,
  batched,
  failed,
  type Invalidation,
  isTagging,
  type StoreOperation,
  type Tagging,
  type WriteOutcome,
} from '@cache/core'
import type { JournalBatch } from './journal.ts'
import type { Settings } from './options.ts'
import type { Answer } from './remote-guard.ts'

/** Asks the remote within a deadline, and learns from the answer. */
export type Ask = <T>(
  operation: StoreOperation,
  deadlineMs: number,
  run: () => Awaitable<T>,
) => Awaitable<Answer<T>>

/** Makes the remote, and the peers, drop what counts no more. */
export class Invalidations {
  readonly #settings: Settings
  readonly #ask: Ask
  readonly #many: Batching
  readonly #tagging: Tagging | undefined

  constructor(settings: Settings, ask: Ask) {
    this.#settings = settings
    this.#ask = ask
    this.#many = batched(settings.l2)
    this.#tagging = isTagging(settings.l2) ? settings.l2 : undefined
  }

  /** Whether the remote can invalidate by tag. */
  get byTag(): boolean {
    return this.#tagging !== undefined
  }

  keys(keys: readonly string[]): Promise<WriteOutcome> {
    const { writeMs } = this.#settings
    return this.#tell(
      { type: 'keys', keys },
      this.#ask('deleteMany', writeMs, () => this.#many.deleteMany(keys)),
    )
  }

  clear(scope: string): Promise<WriteOutcome> {
    const { l2, clearMs } = this.#settings
    const run = () => (scope === '' ? l2.clear() : l2.clear(scope))
    const invalidation: Invalidation = scope === '' ? { type: 'clear' } : { type: 'clear', scope }
    return this.#tell(invalidation, this.#ask('clear', clearMs, run))
  }

  tags(tags: readonly string[]): Promise<WriteOutcome> {
    const tagging = this.#tagging
    if (!tagging) return this.clear('')
    const { writeMs } = this.#settings
    const run = () => tagging.invalidateTags(tags)
    return this.#tell({ type: 'tags', tags }, this.#ask('invalidateTags', writeMs, run))
  }

  apply(batch: JournalBatch): Promise<WriteOutcome> {
    if ('scope' in batch) return this.clear(batch.scope)
    return 'tags' in batch ? this.tags(batch.tags) : this.keys(batch.keys)
  }

  /** Tells the peers, where the remote does not tell them with the write itself. */
  async announce(invalidation: Invalidation): Promise<WriteOutcome> {
    const { bus, announce, writeMs } = this.#settings
    if (!bus || !announce) return APPLIED
    return outcomeOf(await this.#ask('publish', writeMs, () => bus.publish(invalidation)))
  }

  async #tell(invalidation: Invalidation, asked: Awaitable<Answer<WriteOutcome>>): Promise<WriteOutcome> {
    const outcome = outcomeOf(await asked)
    return outcome.status === 'applied' ? this.announce(invalidation) : outcome
  }
}

export function outcomeOf<T>(answer: Answer<T>): T | WriteOutcome {
  return answer.ok ? answer.value : failed(answer.error)
}
