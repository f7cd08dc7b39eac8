import { CacheError, type Clock } from '@cache/core'

/** Bounds how long calls are waited for. */
export class Deadline {
  readonly #ms: number
  readonly #clock: Clock

  constructor(ms: number, clock: Clock) {
    this.#ms = ms
    this.#clock = clock
  }

  /** What a call gives, if it does in time. @throws CacheError `TIMEOUT`; the call goes on */
  async of<T>(call: Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const error = new CacheError('TIMEOUT', `the Keyv storage did not answer within ${this.#ms} ms`)
    const timer = this.#clock.setTimeout(() => reject(error), this.#ms)
    try {
      return await Promise.race([call, late])
    } finally {
      this.#clock.clearTimeout(timer)
    }
  }
}
