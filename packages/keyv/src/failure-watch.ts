import type { KeyvStorage } from './keyv-storage.ts'

/**
 * Many adapters tell of a failure by an `error` event only, and answer as if there were nothing: a call during which one was told
 * counts as failed. It may be another call's; to take a good answer for a failure costs a load, the opposite an invalidation.
 */
export class FailureWatch {
  #count = 0
  #last: unknown

  constructor(storage: KeyvStorage) {
    // Without a listener an event of this name would end the process.
    storage.on?.('error', (error?: unknown) => {
      this.#count++
      this.#last = error
    })
  }

  async watch<T>(call: () => Promise<T>): Promise<T> {
    const before = this.#count
    const answer = await call()
    if (this.#count !== before) throw this.#last ?? new Error('the storage told of an error')
    return answer
  }
}
