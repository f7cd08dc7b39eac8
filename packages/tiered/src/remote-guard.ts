import {
  type Awaitable,
  CacheError,
  type Clock,
  isCallersFault,
  isPending,
  type StoreCall,
  type StoreOperation,
  toCacheError,
} from '@cache/core'
import type { Breaker, BreakerState, Pass, Verdict } from './breaker.ts'
import { READ_MS, WRITE_MS } from './options.ts'

/** What came back from the remote within its deadline, or why nothing did. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: CacheError }

/** A deadline noticed so much later than it passed, in milliseconds, is a stall of our own event loop. */
const STALL_MS = 50

/** A call under way. */
interface Terms {
  readonly operation: StoreOperation
  readonly pass: Pass
  readonly isShort: boolean
}

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

  /**
   * @param deadlineMs `Infinity` if the store sees to it by itself, also to what the call asks for
   * @param own what the caller asked for; the store has been told
   * @throws only what is the caller's fault
   */
  call<T>(
    operation: StoreOperation,
    deadlineMs: number,
    run: () => Awaitable<T>,
    own?: StoreCall,
  ): Awaitable<Answer<T>> {
    const pass = this.#breaker ? this.#breaker.enter() : NO_BREAKER
    if (!pass) return this.#notMade()
    const terms: Terms = {
      operation,
      pass,
      isShort: own !== undefined && isShort(operation, deadlineMs, own),
    }
    try {
      const result = run()
      if (isPending(result)) {
        return deadlineMs === Number.POSITIVE_INFINITY
          ? this.#answered(terms, result)
          : this.#bounded(terms, own?.deadlineMs ?? deadlineMs, result)
      }
      this.#ended(pass, 'ok')
      return { ok: true, value: result }
    } catch (thrown) {
      return this.#refused(terms, thrown)
    }
  }

  #answered<T>(terms: Terms, pending: Promise<T>): Promise<Answer<T>> {
    return pending.then(
      value => {
        this.#ended(terms.pass, 'ok')
        return { ok: true, value }
      },
      thrown => this.#refused(terms, thrown),
    )
  }

  #bounded<T>(terms: Terms, deadlineMs: number, pending: Promise<T>): Promise<Answer<T>> {
    const { operation, pass, isShort: short } = terms
    return new Promise((resolve, reject) => {
      const deadline = this.#clock.now() + deadlineMs
      let over = false
      const giveUp = (verdict: Verdict): void => {
        if (over) return
        over = true
        this.#ended(pass, verdict)
        const message = `${this.#name} did not answer ${operation} within ${deadlineMs} ms`
        resolve({ ok: false, error: new CacheError('TIMEOUT', message) })
      }
      const timer = this.#clock.setTimeout(() => {
        // The answer may be here already, unread: sockets are read before immediates run.
        if (this.#clock.now() - deadline > STALL_MS) setImmediate(() => giveUp('unknown'))
        else giveUp(short ? 'unknown' : 'timeout')
      }, deadlineMs)
      const answered = (end: () => void): void => {
        if (over) return
        over = true
        this.#clock.clearTimeout(timer)
        end()
      }
      pending.then(
        value =>
          answered(() => {
            this.#ended(pass, 'ok')
            resolve({ ok: true, value })
          }),
        thrown =>
          answered(() => {
            try {
              resolve(this.#refused(terms, thrown))
            } catch (fault) {
              reject(fault)
            }
          }),
      )
    })
  }

  #refused({ operation, pass, isShort: short }: Terms, thrown: unknown): { ok: false; error: CacheError } {
    if (isCallersFault(thrown)) {
      this.#ended(pass, 'unknown')
      throw thrown
    }
    const error = toCacheError(thrown, 'STORE', `${this.#name} failed in ${operation}`)
    const verdict = verdictOf(operation, error)
    this.#ended(pass, verdict === 'timeout' && short ? 'unknown' : verdict)
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

/** Whether a call gives the remote less time than it usually has: that it did not answer says nothing then. */
function isShort(operation: StoreOperation, deadlineMs: number, { deadlineMs: own }: StoreCall): boolean {
  return own < Math.min(deadlineMs, READS.has(operation) ? READ_MS : WRITE_MS)
}

/**
 * What an error tells of the remote. One that is set up wrongly answers, and every call says what is wrong; a write that is
 * refused (for want of memory, say) leaves reads what they were.
 */
function verdictOf(operation: StoreOperation, { code }: CacheError): Verdict {
  if (code === 'TIMEOUT') return 'timeout'
  if (code === 'UNAVAILABLE') return 'failed'
  return code === 'STORE' && READS.has(operation) ? 'failed' : 'ok'
}
