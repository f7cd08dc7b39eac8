import {
  type Awaitable,
  type Batching,
  batched,
  CacheError,
  type Entry,
  failed,
  isPending,
  isReplacing,
  type Store,
  type StoreCall,
  type StoreOperation,
  type WriteOutcome,
} from '@cache/core'
import type { Debts } from './debts.ts'
import { Invalidations, outcomeOf } from './invalidations.ts'
import type { Confirmation, JournalBatch } from './journal.ts'
import type { Settings } from './options.ts'
import type { Answer } from './remote-guard.ts'
import type { RemoteLine } from './remote-line.ts'
import { Replays } from './replays.ts'
import { touch } from './touch.ts'
import type { Unsettled } from './unsettled.ts'

/** Writes to the remote. What it did not confirm, or may yet undo, becomes a debt. */
export class RemoteWrites {
  readonly #store: Store
  readonly #many: Batching
  readonly #settings: Settings
  readonly #line: RemoteLine
  readonly #debts: Debts
  readonly #invalidations: Invalidations
  /** Where values are to be written back. */
  readonly #replays: Replays | undefined
  /** Of a store that does not keep the writes of a key in order by itself. */
  readonly #unsettled: Unsettled | undefined

  constructor(settings: Settings, line: RemoteLine, debts: Debts, unsettled: Unsettled | undefined) {
    const { l2, replays, writeMs } = settings
    this.#store = l2
    this.#many = batched(l2)
    this.#settings = settings
    this.#line = line
    this.#debts = debts
    this.#unsettled = unsettled
    this.#invalidations = new Invalidations(settings, (...call) => line.ask(...call))
    this.#replays =
      replays && isReplacing(l2)
        ? new Replays(async (...call) => outcomeOf(await line.ask('set', writeMs, () => l2.replace(...call))))
        : undefined
  }

  /** @param before what was near */
  set(key: string, entry: Entry, before?: Entry, call?: StoreCall): Promise<WriteOutcome> {
    const written = this.#writeValues('set', [key], () => this.#store.set(key, entry, call), call)
    return this.#noting([key], written, replays => replays.add(key, entry, before))
  }

  setMany(entries: ReadonlyMap<string, Entry>, call?: StoreCall): Promise<WriteOutcome> {
    const keys = [...entries.keys()]
    const written = this.#writeValues('setMany', keys, () => this.#many.setMany(entries, call), call)
    return this.#noting(keys, written, (replays, key) => replays.bar(key))
  }

  delete(key: string, call?: StoreCall): Promise<WriteOutcome> {
    const written = this.#write('delete', [key], () => this.#store.delete(key, call), call)
    return this.#noting([key], written, replays => replays.bar(key))
  }

  deleteMany(keys: readonly string[], call?: StoreCall): Promise<WriteOutcome> {
    const written = this.#write('deleteMany', keys, () => this.#many.deleteMany(keys, call), call)
    return this.#noting(keys, written, (replays, key) => replays.bar(key))
  }

  /** Whether the remote can invalidate by tag. */
  get byTag(): boolean {
    return this.#invalidations.byTag
  }

  async invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    const contested = this.#unsettled?.in('') ?? []
    return this.#confirmed({ tags }, contested, await this.#invalidations.tags(tags))
  }

  async clear(scope: string): Promise<WriteOutcome> {
    const contested = this.#unsettled?.in(scope) ?? []
    return this.#confirmed({ scope }, contested, await this.#invalidations.clear(scope))
  }

  /** An extension that gets lost is no invalidation: it is not made up for. */
  async touch(
    key: string,
    freshUntil: number,
    expiresAt: number,
    tags?: readonly string[],
  ): Promise<WriteOutcome> {
    if (this.#debts.concernsKey(key)) return failed(new CacheError('UNAVAILABLE', WAITS))
    const { writeMs } = this.#settings
    const run = () => touch(this.#store, key, freshUntil, expiresAt, tags)
    return outcomeOf(await this.#line.ask('touch', writeMs, run))
  }

  /** Applies what waited: values that are to be written back are, where nobody knows better; all else is invalidated. */
  async apply(batch: JournalBatch): Promise<Confirmation> {
    if (this.#replays && 'keys' in batch) {
      const keys = await this.#replays.apply(batch.keys)
      return keys !== undefined && (keys.length === 0 || this.#invalidate({ keys }))
    }
    return this.#invalidate(batch)
  }

  /** Nothing waits any more. */
  recovered(): void {
    this.#replays?.clear()
  }

  /** Notes, of the keys that wait for the remote, what is to become of them. */
  #noting(
    keys: readonly string[],
    written: Promise<WriteOutcome>,
    note: (replays: Replays, key: string) => void,
  ): Promise<WriteOutcome> {
    const replays = this.#replays
    if (!replays) return written
    return written.then(outcome => {
      for (const key of keys) if (this.#debts.keeps(key)) note(replays, key)
      return outcome
    })
  }

  /** A write of values: one that takes too long may yet take effect, unless the store sees to the order by itself. */
  #writeValues(
    operation: StoreOperation,
    keys: readonly string[],
    run: () => Awaitable<WriteOutcome>,
    call: StoreCall | undefined,
  ): Promise<WriteOutcome> {
    const unsettled = this.#unsettled
    if (!unsettled) return this.#write(operation, keys, run, call)
    if (unsettled.size >= this.#settings.maxJournalKeys) return this.#confirm(keys, [], this.#line.away())
    const noted = (): Awaitable<WriteOutcome> => {
      const result = run()
      if (isPending(result)) unsettled.add(keys, result, () => void this.#debts.settle())
      return result
    }
    return this.#write(operation, keys, noted, call)
  }

  /** Refuses a fault of the caller at once, before the near tier has anything. */
  #write(
    operation: StoreOperation,
    keys: readonly string[],
    run: () => Awaitable<WriteOutcome>,
    call: StoreCall | undefined,
  ): Promise<WriteOutcome> {
    const contested = this.#unsettled ? keys.filter(key => this.#unsettled?.has(key)) : []
    return this.#confirm(keys, contested, this.#line.call(operation, this.#settings.writeMs, run, call))
  }

  async #confirm(
    keys: readonly string[],
    contested: readonly string[],
    pending: Awaitable<Answer<WriteOutcome>>,
  ): Promise<WriteOutcome> {
    const written = outcomeOf(this.#line.heard(await pending))
    const outcome =
      written.status === 'applied' ? await this.#invalidations.announce({ type: 'keys', keys }) : written
    return this.#confirmed({ keys }, contested, outcome)
  }

  /**
   * What the remote did not confirm is queued, and so is what may be undone by an earlier write of the same key.
   *
   * @param contested keys with writes that had not settled when this one began
   */
  #confirmed(invalidation: JournalBatch, contested: readonly string[], outcome: WriteOutcome): WriteOutcome {
    const applied = outcome.status === 'applied'
    if (applied) this.#debts.confirmed(invalidation)
    else this.#debts.add('keys' in invalidation ? failuresOf(invalidation, outcome) : invalidation)
    if (applied && contested.length === 0) return outcome
    this.#debts.add({ keys: contested })
    this.#debts.schedule()
    return outcome.error ? { status: 'queued', error: outcome.error } : { status: 'queued' }
  }

  async #invalidate(batch: JournalBatch): Promise<Confirmation> {
    const { status, error, failures } = await this.#invalidations.apply(batch)
    if (error) {
      this.#line.tell('keys' in batch ? 'deleteMany' : 'tags' in batch ? 'invalidateTags' : 'clear', error)
    }
    if (status === 'applied') this.#debts.confirmed(batch)
    if (status === 'applied' || !failures || !('keys' in batch)) return status === 'applied'
    const confirmed = batch.keys.filter(key => !failures.has(key))
    if (confirmed.length === 0) return false
    this.#debts.confirmed({ keys: confirmed })
    return { except: new Set(failures.keys()) }
  }
}

const WAITS = 'the key waits to be invalidated in the remote: nothing is to be extended there'

/** Of a batch, only what failed; all of it where that is not told apart. */
function failuresOf({ keys }: { keys: readonly string[] }, { failures }: WriteOutcome): JournalBatch {
  return { keys: failures ? [...failures.keys()] : keys }
}
