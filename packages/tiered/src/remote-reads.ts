import {
  type Awaitable,
  type Batching,
  batched,
  chain,
  type Entry,
  type FillOutcome,
  isLeasing,
  isVacant,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Store,
  type StoreCall,
  type StoreOperation,
  SUPERSEDED,
} from '@cache/core'
import type { Debts } from './debts.ts'
import { outcomeOf } from './invalidations.ts'
import { READ_MS, type Settings } from './options.ts'
import type { Answer } from './remote-guard.ts'
import type { RemoteLine } from './remote-line.ts'

export type Found = ReadonlyMap<string, Entry>

/** Who loads, if there is no value that is fresh at a time; see {@link Leasing.getOrLease}. */
export interface AskForLease {
  readonly leaseMs: number
  readonly freshAt: number | undefined
}

const NOTHING: Answer<undefined> = { ok: true, value: undefined }

/**
 * Reads of the remote, and the leases under which what it lacks is loaded. A key that the remote may not know to be outdated is
 * not read, and what comes all the same is not believed.
 */
export class RemoteReads {
  readonly #store: Store
  readonly #many: Batching
  readonly #leasing: Leasing | undefined
  readonly #settings: Settings
  readonly #line: RemoteLine
  readonly #debts: Debts

  constructor(settings: Settings, line: RemoteLine, debts: Debts) {
    const { l2 } = settings
    this.#store = l2
    this.#many = batched(l2)
    this.#leasing = isLeasing(l2) ? l2 : undefined
    this.#settings = settings
    this.#line = line
    this.#debts = debts
  }

  /**
   * A store that says it is away is not asked: that answer costs nothing.
   *
   * @param ask to be told who loads, by a store that can tell
   */
  get(key: string, ask?: AskForLease, call?: StoreCall): Awaitable<Answer<LeaseRead>> {
    if (this.#debts.concernsKey(key)) return NOTHING
    if (this.#line.saysAway) return this.#line.away()
    const leasing = ask && this.#leasing
    const get = (terms?: StoreCall): Awaitable<LeaseRead> =>
      leasing ? leasing.getOrLease(key, ask.leaseMs, ask.freshAt, terms) : this.#store.get(key, terms)
    return chain(this.#ask('get', get, call), answer => {
      const read = answer.ok ? answer.value : undefined
      const entry = isVacant(read) ? read.stale : read
      return this.#debts.concerns(key, entry) ? NOTHING : this.#heard('get', answer)
    })
  }

  async getMany(keys: readonly string[], call?: StoreCall): Promise<Answer<Found>> {
    const asked = keys.filter(key => !this.#debts.concernsKey(key))
    if (asked.length === 0) return { ok: true, value: new Map() }
    if (this.#line.saysAway) return this.#line.away()
    const answer = await this.#ask('getMany', terms => this.#many.getMany(asked, terms), call)
    if (!answer.ok) return this.#heard('getMany', answer)

    const { found, failures } = answer.value
    const [error] = failures?.values() ?? []
    this.#heard('getMany', error ? { ok: false, error } : answer)
    return {
      ok: true,
      value: new Map([...found].filter(([key, entry]) => !this.#debts.concerns(key, entry))),
    }
  }

  /** Whether values are to be loaded under a lease. */
  get leases(): boolean {
    return this.#leasing !== undefined
  }

  /** Stores what was loaded, if its lease still stands. A failure is nothing to make up for: no invalidation is lost. */
  async fill(key: string, entry: Entry, lease: Lease, call?: StoreCall): Promise<FillOutcome> {
    const leasing = this.#leasing
    if (!leasing || this.#debts.concerns(key, entry)) return SUPERSEDED
    if (this.#line.saysAway) return outcomeOf(this.#line.away())
    const { writeMs } = this.#settings
    const fill = (): Awaitable<FillOutcome> => leasing.fill(key, entry, lease, call)
    const answer = await this.#line.ask('set', writeMs, fill, call)
    return this.#debts.concerns(key, entry) ? SUPERSEDED : outcomeOf(answer)
  }

  async renew(key: string, lease: Lease, leaseMs: number): Promise<boolean> {
    const leasing = this.#leasing
    const { writeMs } = this.#settings
    return (
      leasing !== undefined && this.#line.orThrow('renew', writeMs, () => leasing.renew(key, lease, leaseMs))
    )
  }

  async release(key: string, lease: Lease): Promise<void> {
    const leasing = this.#leasing
    const { writeMs } = this.#settings
    if (leasing) await this.#line.orThrow('release', writeMs, () => leasing.release(key, lease))
  }

  #ask<T>(
    operation: StoreOperation,
    run: (call?: StoreCall) => Awaitable<T>,
    call: StoreCall | undefined,
  ): Awaitable<Answer<T>> {
    const { readMs, retries, clock } = this.#settings
    const once = (): Awaitable<Answer<T>> => this.#line.call(operation, readMs, () => run(call), call)
    if (retries === 0) return once()
    const until = clock.now() + (call?.deadlineMs ?? Math.min(readMs, READ_MS))
    return chain(once(), answer => (answer.ok ? answer : this.#askAgain(operation, run, answer, until)))
  }

  /** As often as it may be, as long as there is time left. */
  async #askAgain<T>(
    operation: StoreOperation,
    run: (call: StoreCall) => Awaitable<T>,
    failed: Answer<T>,
    until: number,
  ): Promise<Answer<T>> {
    const { readMs, retries, clock } = this.#settings
    let answer = failed
    for (let made = 0; made < retries && mayPass(answer); made++) {
      const call = { deadlineMs: until - clock.now() }
      if (call.deadlineMs <= 0 || this.#line.saysAway) break
      answer = await this.#line.call(operation, readMs, () => run(call), call)
    }
    return answer
  }

  /** Failed reads are told here, since their callers are spared; a write tells its caller. */
  #heard<T>(operation: StoreOperation, answer: Answer<T>): Answer<T> {
    if (!answer.ok) this.#line.tell(operation, answer.error)
    return this.#line.heard(answer)
  }
}

/** Whether it failed of something that may be over by now; what took too long has had its time. */
function mayPass(answer: Answer<unknown>): boolean {
  return !answer.ok && (answer.error.code === 'UNAVAILABLE' || answer.error.code === 'STORE')
}
