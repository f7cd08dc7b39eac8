import {
  type Awaitable,
  CacheError,
  hasHealth,
  type Observer,
  type Store,
  type StoreCall,
  type StoreHealth,
  type StoreOperation,
} from '@cache/core'
import { Breaker, type BreakerState } from './breaker.ts'
import type { Settings } from './options.ts'
import { type Answer, RemoteGuard } from './remote-guard.ts'

/** Where to ask the remote: every call bounded in time, every failure an answer, and whether it is there at all. */
export class RemoteLine {
  readonly #store: Store
  readonly #guard: RemoteGuard
  readonly #observer: Required<Pick<Observer, 'event'>>
  /** Whether the last call was answered. */
  #answers = true

  /** @param onClosed the breaker closed: there may be more calls than one */
  constructor(
    { breaker, clock, l2 }: Settings,
    observer: Required<Pick<Observer, 'event'>>,
    onClosed: () => void,
  ) {
    const store = l2.name
    this.#store = l2
    this.#observer = observer
    const onChange = (state: BreakerState): void => {
      observer.event({ type: 'breaker', store, state })
      if (state === 'closed') onClosed()
    }
    this.#guard = new RemoteGuard(store, clock, breaker && new Breaker(breaker, clock, onChange))
  }

  /** Whether the store says it is there, where it can say; else whether it answered last. Not while the breaker is open. */
  get available(): boolean {
    if (!this.#guard.isOpenForCalls) return false
    return hasHealth(this.#store) ? this.#store.health().available : this.#answers
  }

  /** While a first connection is being made, a call waits for it: that is not away. */
  get saysAway(): boolean {
    if (!this.#guard.isOpenForCalls) return true
    if (!hasHealth(this.#store)) return false
    const { available, starting } = this.#store.health()
    return !available && !starting
  }

  health(): StoreHealth {
    const own = hasHealth(this.#store) ? this.#store.health() : { available: this.#answers }
    const breaker = this.#guard.breakerState
    return { ...own, available: this.available, ...(breaker && { breaker }) }
  }

  /** As {@link RemoteGuard.call}. Whoever gets the answer passes it on to {@link heard}. */
  call<T>(
    operation: StoreOperation,
    deadlineMs: number,
    run: () => Awaitable<T>,
    call?: StoreCall,
  ): Awaitable<Answer<T>> {
    return this.#guard.call(operation, deadlineMs, run, call)
  }

  /** A call whose caller is told of its failure. */
  async ask<T>(
    operation: StoreOperation,
    deadlineMs: number,
    run: () => Awaitable<T>,
    call?: StoreCall,
  ): Promise<Answer<T>> {
    return this.heard(await this.#guard.call(operation, deadlineMs, run, call))
  }

  /** A call of which nothing is made up for, nor told otherwise. @throws CacheError if it fails */
  async orThrow<T>(operation: StoreOperation, deadlineMs: number, run: () => Awaitable<T>): Promise<T> {
    const answer = await this.ask(operation, deadlineMs, run)
    if (answer.ok) return answer.value
    throw answer.error
  }

  /** Learns from an answer whether the remote is there. */
  heard<T>(answer: Answer<T>): Answer<T> {
    this.#answers = answer.ok
    return answer
  }

  /** The answer of a call that is not made. */
  away(): Answer<never> {
    this.#answers = false
    return { ok: false, error: new CacheError('UNAVAILABLE', `${this.#store.name} is away`) }
  }

  /** The remote seems to be back. */
  probeSoon(): void {
    this.#guard.probeSoon()
  }

  /** Tells of a failure that the caller is spared. */
  tell(operation: StoreOperation, error: CacheError): void {
    this.#observer.event({ type: 'error', store: this.#store.name, operation, error })
  }
}
