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
  type Invalidation,
  isLeasing,
  isTagging,
  isVacant,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Observer,
  type Store,
  type StoreHealth,
  type StoreOperation,
  SUPERSEDED,
  type Tagging,
  type WriteOutcome,
} from '@cache/core'
import { Breaker, type BreakerState } from './breaker.ts'
import { Journal, type JournalBatch } from './journal.ts'
import type { Settings } from './options.ts'
import { Recovery } from './recovery.ts'
import { type Answer, RemoteGuard } from './remote-guard.ts'
import { touch } from './touch.ts'

type Found = ReadonlyMap<string, Entry>

const NOTHING: Answer<undefined> = { ok: true, value: undefined }

/**
 * The remote tier as the near one sees it: every call bounded in time, every failure an answer, and every
 * invalidation that it did not confirm kept in the journal until it does. A key in the journal is not read.
 */
export class Remote {
  readonly #store: Store
  readonly #many: Batching
  readonly #leasing: Leasing | undefined
  readonly #tagging: Tagging | undefined
  readonly #settings: Settings
  readonly #guard: RemoteGuard
  readonly #journal: Journal
  readonly #recovery: Recovery
  readonly #observer: Required<Pick<Observer, 'event'>>
  /** Whether the last call was answered. */
  #answers = true

  constructor(settings: Settings, observer: Required<Pick<Observer, 'event'>>) {
    this.#store = settings.l2
    this.#many = batched(settings.l2)
    this.#leasing = isLeasing(settings.l2) ? settings.l2 : undefined
    this.#tagging = isTagging(settings.l2) ? settings.l2 : undefined
    this.#settings = settings
    const { breaker, clock, l2 } = settings
    const onChange = (state: BreakerState): void => observer.event({ type: 'breaker', store: l2.name, state })
    this.#guard = new RemoteGuard(l2.name, clock, breaker && new Breaker(breaker, clock, onChange))
    this.#journal = new Journal(settings.maxJournalKeys)
    this.#recovery = new Recovery(this.#journal, settings.clock, batch => this.#apply(batch))
    this.#observer = observer
  }

  /** Whether the store says it is there, where it can say; else whether it answered last. Not while the breaker is open. */
  get available(): boolean {
    if (!this.#guard.isOpenForCalls) return false
    return hasHealth(this.#store) ? this.#store.health().available : this.#answers
  }

  health(): StoreHealth {
    const own = hasHealth(this.#store) ? this.#store.health() : { available: this.#answers }
    return { ...own, available: this.available, journal: this.#journal.size }
  }

  /**
   * A store that says it is away is not asked: that answer costs nothing.
   *
   * @param leaseMs to be told who loads, by a store that can tell
   */
  read(key: string, leaseMs?: number): Awaitable<Answer<LeaseRead>> {
    if (this.#journal.has(key)) return NOTHING
    if (this.#saysAway()) return this.#away()
    const leasing = leaseMs === undefined ? undefined : this.#leasing
    const get = (): Awaitable<LeaseRead> =>
      leasing ? leasing.getOrLease(key, leaseMs as number) : this.#store.get(key)
    const asked = this.#guard.call('get', this.#settings.readMs, get)
    return chain(asked, answer =>
      this.#isJournalled(key, answer) ? NOTHING : this.#heardRead('get', answer),
    )
  }

  /** Whether what was read is, by now, known not to count. */
  #isJournalled(key: string, answer: Answer<LeaseRead>): boolean {
    if (this.#journal.size === 0) return false
    const entry = answer.ok && !isVacant(answer.value) ? answer.value : undefined
    return this.#journal.has(key) || this.#journal.hasTag(entry?.tags)
  }

  async readMany(keys: readonly string[]): Promise<Answer<Found>> {
    const asked = keys.filter(key => !this.#journal.has(key))
    if (asked.length === 0) return { ok: true, value: new Map() }
    if (this.#saysAway()) return this.#away()
    const answer = await this.#guard.call('getMany', this.#settings.readMs, () => this.#many.getMany(asked))
    if (!answer.ok) return this.#heardRead('getMany', answer)

    const { found, failures } = answer.value
    const [error] = failures?.values() ?? []
    this.#heardRead('getMany', error ? { ok: false, error } : answer)
    if (this.#journal.size === 0) return { ok: true, value: found }
    const value = [...found].filter(
      ([key, { tags }]) => !this.#journal.has(key) && !this.#journal.hasTag(tags),
    )
    return { ok: true, value: new Map(value) }
  }

  set(key: string, entry: Entry): Promise<WriteOutcome> {
    return this.#write('set', [key], () => this.#store.set(key, entry))
  }

  setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    return this.#write('setMany', [...entries.keys()], () => this.#many.setMany(entries))
  }

  delete(key: string): Promise<WriteOutcome> {
    return this.#write('delete', [key], () => this.#store.delete(key))
  }

  deleteMany(keys: readonly string[]): Promise<WriteOutcome> {
    return this.#write('deleteMany', keys, () => this.#many.deleteMany(keys))
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

  /** Whether an invalidation of the entry waits in the journal: the remote, and its lease, do not know of it. */
  #owes(key: string, { tags }: Entry): boolean {
    return this.#journal.has(key) || this.#journal.hasTag(tags)
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
    return this.#tagging !== undefined
  }

  async invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    const outcome = await this.#invalidateTags(tags)
    if (outcome.status === 'applied') return outcome
    for (const tag of tags) this.#journal.addTag(tag)
    return this.#queued(outcome)
  }

  async clear(scope: string): Promise<WriteOutcome> {
    const outcome = await this.#clear(scope)
    if (outcome.status === 'applied') return outcome
    this.#journal.addScope(scope)
    return this.#queued(outcome)
  }

  /** An extension that gets lost is no invalidation: it is not made up for. */
  async touch(
    key: string,
    freshUntil: number,
    expiresAt: number,
    tags?: readonly string[],
  ): Promise<WriteOutcome> {
    if (this.#journal.has(key)) return APPLIED
    const { writeMs } = this.#settings
    const answer = await this.#guard.call('touch', writeMs, () =>
      touch(this.#store, key, freshUntil, expiresAt, tags),
    )
    return outcomeOf(this.#heard(answer))
  }

  /** The remote seems to be back: what waits for it is applied now. */
  recover(): Promise<void> {
    return this.#recovery.run()
  }

  whenRecovered(): Promise<void> {
    return this.#recovery.whenRecovered()
  }

  async close(): Promise<void> {
    const { bus, announce } = this.#settings
    this.#recovery.close()
    await Promise.all([this.#store.close(), announce ? bus?.close() : undefined])
  }

  /** Refuses a fault of the caller at once, before the near tier has anything. */
  #write(
    operation: StoreOperation,
    keys: readonly string[],
    run: () => Awaitable<WriteOutcome>,
  ): Promise<WriteOutcome> {
    return this.#confirm(keys, this.#guard.call(operation, this.#settings.writeMs, run))
  }

  async #confirm(keys: readonly string[], pending: Awaitable<Answer<WriteOutcome>>): Promise<WriteOutcome> {
    const written = outcomeOf(this.#heard(await pending))
    const outcome = written.status === 'applied' ? await this.#announce({ type: 'keys', keys }) : written
    if (outcome.status === 'applied') return outcome
    for (const key of outcome.failures?.keys() ?? keys) this.#journal.addKey(key)
    return this.#queued(outcome)
  }

  async #clear(scope: string): Promise<WriteOutcome> {
    const { clearMs } = this.#settings
    const run = () => (scope === '' ? this.#store.clear() : this.#store.clear(scope))
    const outcome = outcomeOf(this.#heard(await this.#guard.call('clear', clearMs, run)))
    if (outcome.status !== 'applied') return outcome
    return this.#announce(scope === '' ? { type: 'clear' } : { type: 'clear', scope })
  }

  async #invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    const tagging = this.#tagging
    if (!tagging) return this.#clear('')
    const { writeMs } = this.#settings
    const outcome = outcomeOf(
      this.#heard(await this.#guard.call('invalidateTags', writeMs, () => tagging.invalidateTags(tags))),
    )
    return outcome.status === 'applied' ? this.#announce({ type: 'tags', tags }) : outcome
  }

  #queued({ error }: WriteOutcome): WriteOutcome {
    this.#recovery.schedule()
    return error ? { status: 'queued', error } : { status: 'queued' }
  }

  /** Tells the peers, where the remote does not tell them with the write itself. */
  async #announce(invalidation: Invalidation): Promise<WriteOutcome> {
    const { bus, announce, writeMs } = this.#settings
    if (!bus || !announce) return APPLIED
    return outcomeOf(await this.#guard.call('publish', writeMs, () => bus.publish(invalidation)))
  }

  async #apply(batch: JournalBatch): Promise<boolean> {
    if ('scope' in batch) return this.#applied('clear', await this.#clear(batch.scope))
    if ('tags' in batch) return this.#applied('invalidateTags', await this.#invalidateTags(batch.tags))
    return this.#applied('deleteMany', await this.#invalidate(batch.keys))
  }

  #applied(operation: StoreOperation, { status, error }: WriteOutcome): boolean {
    if (error) this.#tell(operation, error)
    return status === 'applied'
  }

  async #invalidate(keys: readonly string[]): Promise<WriteOutcome> {
    const { writeMs } = this.#settings
    const run = () => this.#many.deleteMany(keys)
    const outcome = outcomeOf(this.#heard(await this.#guard.call('deleteMany', writeMs, run)))
    return outcome.status === 'applied' ? this.#announce({ type: 'keys', keys }) : outcome
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

function outcomeOf(answer: Answer<WriteOutcome>): WriteOutcome {
  return answer.ok ? answer.value : failed(answer.error)
}
