import {
  type Awaitable,
  CacheError,
  type Clock,
  isCallersFault,
  isPending,
  type StoreOperation,
  toCacheError,
} from '@cache/core'
import type { Breaker, BreakerState, Pass, Verdict } from './breaker.ts'

/** What came back from the remote within its deadline, or why nothing did. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: CacheError }

/** A deadline noticed so much later than it passed, in milliseconds, is a stall of our own event loop. */
const STALL_MS = 50

const READS: ReadonlySet<StoreOperation> = new Set(['get', 'getMany'])

/**
 * The one place where two tiers meet the faults of the remote: every call to it goes through here, ends within its
 * deadline whatever the remote does, and gives an answer rather than an exception; and while the breaker is open it is
 * not made at all.
 */
export class RemoteGuard {
  readonly #name: string
  readonly #clock: Clock
  readonly #breaker: Breaker | undefined

  constructor(name: string, clock: Clock, breaker: Breaker | undefined) {
    this.#name = name
    this.#clock = clock
    this.#breaker = breaker
  }

  /** Whether a call would be made now. */
  get isOpenForCalls(): boolean {
    return this.#breaker?.wouldAllow ?? true
  }

  get breakerState(): BreakerState | undefined {
    return this.#breaker?.state
  }

  /** The remote seems to be back. */
  probeSoon(): void {
    this.#breaker?.probeSoon()
  }

  /** @param deadlineMs `Infinity` if the store sees to it by itself. @throws only what is the caller's fault */
  call<T>(operation: StoreOperation, deadlineMs: number, run: () => Awaitable<T>): Awaitable<Answer<T>> {
    const pass = this.#breaker ? this.#breaker.enter() : NO_BREAKER
    if (!pass) return this.#notMade()
    try {
      const result = run()
      if (isPending(result)) {
        return deadlineMs === Number.POSITIVE_INFINITY
          ? this.#answered(operation, result, pass)
          : this.#bounded(operation, deadlineMs, result, pass)
      }
      this.#ended(pass, 'ok')
      return { ok: true, value: result }
    } catch (thrown) {
      return this.#refused(operation, thrown, pass)
    }
  }

  #answered<T>(operation: StoreOperation, pending: Promise<T>, pass: Pass): Promise<Answer<T>> {
    return pending.then(
      value => {
        this.#ended(pass, 'ok')
        return { ok: true, value }
      },
      thrown => this.#refused(operation, thrown, pass),
    )
  }

  #bounded<T>(
    operation: StoreOperation,
    deadlineMs: number,
    pending: Promise<T>,
    pass: Pass,
  ): Promise<Answer<T>> {
    return new Promise((resolve, reject) => {
      const deadline = this.#clock.now() + deadlineMs
      const timer = this.#clock.setTimeout(() => {
        const stalled = this.#clock.now() - deadline > STALL_MS
        this.#ended(pass, stalled ? 'unknown' : 'timeout')
        const message = `${this.#name} did not answer ${operation} within ${deadlineMs} ms`
        resolve({ ok: false, error: new CacheError('TIMEOUT', message) })
      }, deadlineMs)
      pending.then(
        value => {
          this.#clock.clearTimeout(timer)
          this.#ended(pass, 'ok')
          resolve({ ok: true, value })
        },
        thrown => {
          this.#clock.clearTimeout(timer)
          try {
            resolve(this.#refused(operation, thrown, pass))
          } catch (fault) {
            reject(fault)
          }
        },
      )
    })
  }

  #refused(operation: StoreOperation, thrown: unknown, pass: Pass): { ok: false; error: CacheError } {
    if (isCallersFault(thrown)) {
      this.#ended(pass, 'unknown')
      throw thrown
    }
    const error = toCacheError(thrown, 'STORE', `${this.#name} failed in ${operation}`)
    this.#ended(pass, verdictOf(operation, error))
    return { ok: false, error }
  }

  #ended(pass: Pass, verdict: Verdict): void {
    this.#breaker?.ended(pass, verdict)
  }

  #notMade(): { ok: false; error: CacheError } {
    return {
      ok: false,
      error: new CacheError('UNAVAILABLE', `${this.#name} was not asked: its breaker is open`),
    }
  }
}

const NO_BREAKER: Pass = {}

/**
 * What an error tells of the remote. One that is set up wrongly answers, and every call says what is wrong; a write that is
 * refused (for want of memory, say) leaves reads what they were.
 */
function verdictOf(operation: StoreOperation, { code }: CacheError): Verdict {
  if (code === 'TIMEOUT') return 'timeout'
  if (code === 'UNAVAILABLE') return 'failed'
  return code === 'STORE' && READS.has(operation) ? 'failed' : 'ok'
}
