import { type Awaitable, CacheError, type Clock, isCallersFault, isPending, toCacheError } from '@cache/core'

/** What came back from the remote within its deadline, or why nothing did. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: CacheError }

/**
 * The one place where two tiers meet the faults of the remote: every call to it goes through here, ends within its
 * deadline whatever the remote does, and gives an answer rather than an exception.
 */
export class RemoteGuard {
  readonly #name: string
  readonly #clock: Clock

  constructor(name: string, clock: Clock) {
    this.#name = name
    this.#clock = clock
  }

  /** @throws only what is the caller's fault */
  call<T>(operation: string, deadlineMs: number, run: () => Awaitable<T>): Awaitable<Answer<T>> {
    try {
      const result = run()
      if (!isPending(result)) return { ok: true, value: result }
      return this.#bounded(operation, deadlineMs, result)
    } catch (thrown) {
      return this.#refused(operation, thrown)
    }
  }

  #bounded<T>(operation: string, deadlineMs: number, pending: Promise<T>): Promise<Answer<T>> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => {
        const message = `${this.#name} did not answer ${operation} within ${deadlineMs} ms`
        resolve({ ok: false, error: new CacheError('TIMEOUT', message) })
      }, deadlineMs)
      pending.then(
        value => {
          this.#clock.clearTimeout(timer)
          resolve({ ok: true, value })
        },
        thrown => {
          this.#clock.clearTimeout(timer)
          try {
            resolve(this.#refused(operation, thrown))
          } catch (fault) {
            reject(fault)
          }
        },
      )
    })
  }

  #refused(operation: string, thrown: unknown): { ok: false; error: CacheError } {
    if (isCallersFault(thrown)) throw thrown
    return { ok: false, error: toCacheError(thrown, 'STORE', `${this.#name} failed in ${operation}`) }
  }
}
