import {
  APPLIED,
  type Awaitable,
  type Batching,
  batched,
  CacheError,
  chain,
  type Entry,
  type FillOutcome,
  failed,
  hasHealth,
  type InvalidationMessage,
  isGuaranteeing,
  isLeasing,
  isMarking,
  isPending,
  isReplacing,
  isVacant,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Observer,
  type Store,
  type StoreHealth,
  type StoreOperation,
  SUPERSEDED,
  type WriteOutcome,
} from '@cache/core'
import { Breaker, type BreakerState } from './breaker.ts'
import { Invalidations, outcomeOf } from './invalidations.ts'
import { type Confirmation, Journal, type JournalBatch } from './journal.ts'
import { JournalFile } from './journal-file.ts'
import type { Settings } from './options.ts'
import { Recovery } from './recovery.ts'
import { type Answer, RemoteGuard } from './remote-guard.ts'
import { Replays } from './replays.ts'
import { Setbacks } from './setbacks.ts'
import { touch } from './touch.ts'
import { Unsettled } from './unsettled.ts'

type Found = ReadonlyMap<string, Entry>

/** Who loads, if there is no value that is fresh at a time; see {@link Leasing.getOrLease}. */
export interface AskForLease {
  readonly leaseMs: number
  readonly freshAt: number | undefined
}

const NOTHING: Answer<undefined> = { ok: true, value: undefined }

/**
 * The remote tier as the near one sees it: every call bounded in time, every failure an answer, and every
 * invalidation that it did not confirm, or may have lost, kept in the journal until it does. A key in the journal is not read.
 */
export class Remote {
  readonly #store: Store
  readonly #many: Batching
  readonly #leasing: Leasing | undefined
  readonly #settings: Settings
  readonly #guard: RemoteGuard
  readonly #invalidations: Invalidations
  readonly #journal: Journal
  readonly #file: JournalFile | undefined
  readonly #recovery: Recovery
  /** Where values are to be written back. */
  readonly #replays: Replays | undefined
  readonly #setbacks: Setbacks | undefined
  /** Of a store that does not keep the writes of a key in order by itself. */
  readonly #unsettled: Unsettled | undefined
  readonly #observer: Required<Pick<Observer, 'event'>>
  /** Whether the last call was answered. */
  #answers = true

  constructor(settings: Settings, observer: Required<Pick<Observer, 'event'>>) {
    const { breaker, clock, l2, readMs } = settings
    const store = l2.name
    this.#store = l2
    this.#many = batched(l2)
    this.#leasing = isLeasing(l2) ? l2 : undefined
    this.#settings = settings
    this.#observer = observer
    const onChange = (state: BreakerState): void => {
      observer.event({ type: 'breaker', store, state })
      // Only now are there more calls than one.
      if (state === 'closed') queueMicrotask(() => void this.#recovery.run())
    }
    this.#guard = new RemoteGuard(store, clock, breaker && new Breaker(breaker, clock, onChange))
    this.#invalidations = new Invalidations(settings, async (operation, ms, run) =>
      this.#heard(await this.#guard.call(operation, ms, run)),
    )
    this.#journal = new Journal({
      maxKeys: settings.maxJournalKeys,
      now: () => clock.now(),
      onOverflow: () => observer.event({ type: 'overflow', store }),
    })
    this.#file =
      settings.journal &&
      JournalFile.open(this.#journal, {
        ...settings.journal,
        clock,
        onError: error => this.#tell('journal', error),
      })
    this.#unsettled = isGuaranteeing(l2) && l2.guarantees.ordered ? undefined : new Unsettled()
    this.#replays =
      settings.replays && isReplacing(l2)
        ? new Replays(async (...call) =>
            outcomeOf(
              this.#heard(await this.#guard.call('set', settings.writeMs, () => l2.replace(...call))),
            ),
          )
        : undefined
    this.#recovery = new Recovery({
      journal: this.#journal,
      clock,
      held: this.#unsettled,
      apply: batch => this.#apply(batch),
      onRecovered: recovered => {
        this.#replays?.clear()
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

  /** Whether the store says it is there, where it can say; else whether it answered last. Not while the breaker is open. */
  get available(): boolean {
    if (!this.#guard.isOpenForCalls) return false
    return hasHealth(this.#store) ? this.#store.health().available : this.#answers
  }

  health(): StoreHealth {
    const own = hasHealth(this.#store) ? this.#store.health() : { available: this.#answers }
    const { size, ageMs } = this.#journal
    const breaker = this.#guard.breakerState
    return {
      ...own,
      available: this.available,
      journal: size,
      ...(size > 0 && { journalAgeMs: ageMs }),
      ...(breaker && { breaker }),
    }
  }

  /**
   * A store that says it is away is not asked: that answer costs nothing.
   *
   * @param ask to be told who loads, by a store that can tell
   */
  read(key: string, ask?: AskForLease): Awaitable<Answer<LeaseRead>> {
    if (this.#owesKey(key)) return NOTHING
    if (this.#saysAway()) return this.#away()
    const leasing = ask && this.#leasing
    const get = (): Awaitable<LeaseRead> =>
      leasing ? leasing.getOrLease(key, ask.leaseMs, ask.freshAt) : this.#store.get(key)
    const asked = this.#guard.call('get', this.#settings.readMs, get)
    return chain(asked, answer => {
      const read = answer.ok ? answer.value : undefined
      return this.#owes(key, isVacant(read) ? read.stale : read) ? NOTHING : this.#heardRead('get', answer)
    })
  }

  async readMany(keys: readonly string[]): Promise<Answer<Found>> {
    const asked = keys.filter(key => !this.#owesKey(key))
    if (asked.length === 0) return { ok: true, value: new Map() }
    if (this.#saysAway()) return this.#away()
    const answer = await this.#guard.call('getMany', this.#settings.readMs, () => this.#many.getMany(asked))
    if (!answer.ok) return this.#heardRead('getMany', answer)

    const { found, failures } = answer.value
    const [error] = failures?.values() ?? []
    this.#heardRead('getMany', error ? { ok: false, error } : answer)
    return { ok: true, value: new Map([...found].filter(([key, entry]) => !this.#owes(key, entry))) }
  }

  /** @param before what was near */
  set(key: string, entry: Entry, before?: Entry): Promise<WriteOutcome> {
    const written = this.#writeValues('set', [key], () => this.#store.set(key, entry))
    return this.#noting([key], written, replays => replays.add(key, entry, before))
  }

  setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    const keys = [...entries.keys()]
    const written = this.#writeValues('setMany', keys, () => this.#many.setMany(entries))
    return this.#noting(keys, written, (replays, key) => replays.bar(key))
  }

  delete(key: string): Promise<WriteOutcome> {
    const written = this.#write('delete', [key], () => this.#store.delete(key))
    return this.#noting([key], written, replays => replays.bar(key))
  }

  deleteMany(keys: readonly string[]): Promise<WriteOutcome> {
    const written = this.#write('deleteMany', keys, () => this.#many.deleteMany(keys))
    return this.#noting(keys, written, (replays, key) => replays.bar(key))
  }

  /** Whether values are to be loaded under a lease. */
  get leases(): boolean {
    return this.#leasing !== undefined
  }

  /** Stores what was loaded, if its lease still stands. A failure is nothing to make up for: no invalidation is lost. */
  async fill(key: string, entry: Entry, lease: Lease): Promise<FillOutcome> {
    const leasing = this.#leasing
    if (!leasing) return this.set(key, entry)
    const { writeMs } = this.#settings
    if (this.#owes(key, entry)) return SUPERSEDED
    if (this.#saysAway()) return outcomeOf(this.#away())
    const answer = this.#heard(await this.#guard.call('set', writeMs, () => leasing.fill(key, entry, lease)))
    if (this.#owes(key, entry)) return SUPERSEDED
    return answer.ok ? answer.value : failed(answer.error)
  }

  async renew(key: string, lease: Lease, leaseMs: number): Promise<boolean> {
    const leasing = this.#leasing
    return leasing !== undefined && this.#orThrow('renew', () => leasing.renew(key, lease, leaseMs))
  }

  async release(key: string, lease: Lease): Promise<void> {
    const leasing = this.#leasing
    if (leasing) await this.#orThrow('release', () => leasing.release(key, lease))
  }

  /** Whether the remote can invalidate by tag. */
  get tags(): boolean {
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
    if (this.#owesKey(key)) return APPLIED
    const { writeMs } = this.#settings
    const answer = await this.#guard.call('touch', writeMs, () =>
      touch(this.#store, key, freshUntil, expiresAt, tags),
    )
    return outcomeOf(this.#heard(answer))
  }

  /** A peer invalidated something: if the server loses that, somebody has to know. */
  heard(message: InvalidationMessage): void {
    if (message.type === 'clear') this.#setbacks?.confirmed({ scope: message.scope ?? '' })
    else this.#setbacks?.confirmed(message.type === 'tags' ? { tags: message.tags } : { keys: message.keys })
  }

  /** The remote seems to be back: what waits for it is applied now. */
  recover(): Promise<void> {
    this.#guard.probeSoon()
    return this.#recovery.run()
  }

  async whenRecovered(): Promise<void> {
    await this.#setbacks?.whenSettled()
    return this.#recovery.whenRecovered()
  }

  async close(): Promise<void> {
    const { bus, announce } = this.#settings
    this.#recovery.close()
    this.#setbacks?.close()
    await Promise.all([this.#store.close(), announce ? bus?.close() : undefined])
    if (!this.#file) return
    // What the calls that ended with the store have to say goes into the file first.
    await new Promise(resolve => setImmediate(resolve))
    this.#file.close()
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
      for (const key of keys) if (this.#journal.keeps(key)) note(replays, key)
      return outcome
    })
  }

  /** A write of values: one that takes too long may yet take effect, unless the store sees to the order by itself. */
  #writeValues(
    operation: StoreOperation,
    keys: readonly string[],
    run: () => Awaitable<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const unsettled = this.#unsettled
    if (!unsettled) return this.#write(operation, keys, run)
    if (unsettled.size >= this.#settings.maxJournalKeys) return this.#confirm(keys, [], this.#away())
    return this.#write(operation, keys, () => {
      const result = run()
      if (isPending(result)) unsettled.add(keys, result, () => void this.#recovery.run())
      return result
    })
  }

  /** Refuses a fault of the caller at once, before the near tier has anything. */
  #write(
    operation: StoreOperation,
    keys: readonly string[],
    run: () => Awaitable<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const contested = this.#unsettled ? keys.filter(key => this.#unsettled?.has(key)) : []
    return this.#confirm(keys, contested, this.#guard.call(operation, this.#settings.writeMs, run))
  }

  async #confirm(
    keys: readonly string[],
    contested: readonly string[],
    pending: Awaitable<Answer<WriteOutcome>>,
  ): Promise<WriteOutcome> {
    const written = outcomeOf(this.#heard(await pending))
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
    if (applied) this.#setbacks?.confirmed(invalidation)
    else if ('keys' in invalidation) this.#journal.addKeys(outcome.failures?.keys() ?? invalidation.keys)
    else this.#journal.add(invalidation)
    if (applied && contested.length === 0) return outcome
    this.#journal.addKeys(contested)
    this.#recovery.schedule()
    return outcome.error ? { status: 'queued', error: outcome.error } : { status: 'queued' }
  }

  /** @param lost `undefined`: more than can be told */
  #invalidateAgain(lost: readonly JournalBatch[] | undefined): void {
    if (lost) for (const invalidation of lost) this.#journal.add(invalidation)
    else this.#journal.addScope('')
    void this.#recovery.run()
  }

  async #apply(batch: JournalBatch): Promise<Confirmation> {
    if (this.#replays && 'keys' in batch) {
      const keys = await this.#replays.apply(batch.keys)
      return keys !== undefined && (keys.length === 0 || this.#invalidate({ keys }))
    }
    return this.#invalidate(batch)
  }

  async #invalidate(batch: JournalBatch): Promise<Confirmation> {
    const { status, error, failures } = await this.#invalidations.apply(batch)
    if (error)
      this.#tell('keys' in batch ? 'deleteMany' : 'tags' in batch ? 'invalidateTags' : 'clear', error)
    if (status === 'applied') this.#setbacks?.confirmed(batch)
    if (status === 'applied' || !failures || !('keys' in batch)) return status === 'applied'
    const confirmed = batch.keys.filter(key => !failures.has(key))
    if (confirmed.length === 0) return false
    this.#setbacks?.confirmed({ keys: confirmed })
    return { except: new Set(failures.keys()) }
  }

  /** Whether an invalidation of the key waits in the journal, or may have to: the remote does not know of it. */
  #owesKey(key: string): boolean {
    return this.#journal.has(key) || this.#setbacks?.settling === true
  }

  /** The same for an entry, which its tags may outdate too. */
  #owes(key: string, entry: Entry | undefined): boolean {
    return this.#owesKey(key) || this.#journal.hasTag(entry?.tags)
  }

  /** While a first connection is being made, a call waits for it: that is not away. */
  #saysAway(): boolean {
    if (!this.#guard.isOpenForCalls) return true
    if (!hasHealth(this.#store)) return false
    const { available, starting } = this.#store.health()
    return !available && !starting
  }

  #away(): Answer<never> {
    this.#answers = false
    return { ok: false, error: new CacheError('UNAVAILABLE', `${this.#store.name} is away`) }
  }

  /** Of a call whose caller deals with failures. */
  async #orThrow<T>(operation: StoreOperation, run: () => Awaitable<T>): Promise<T> {
    const answer = this.#heard(await this.#guard.call(operation, this.#settings.writeMs, run))
    if (answer.ok) return answer.value
    throw answer.error
  }

  /** Learns from an answer whether the remote is there. */
  #heard<T>(answer: Answer<T>): Answer<T> {
    this.#answers = answer.ok
    return answer
  }

  /** Failed reads are told here, since their callers are spared; a write tells its caller. */
  #heardRead<T>(operation: StoreOperation, answer: Answer<T>): Answer<T> {
    if (!answer.ok) this.#tell(operation, answer.error)
    return this.#heard(answer)
  }

  #tell(operation: StoreOperation, error: CacheError): void {
    this.#observer.event({ type: 'error', store: this.#store.name, operation, error })
  }
}
