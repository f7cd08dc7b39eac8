/** Keeps calls about one key in order while some of them are being prepared. */
export class Turns {
  /** By key, the latest call that has not started. */
  readonly #waiting = new Map<string, Promise<void>>()

  /** Whether a call about these keys may start at once. */
  areFree(keys: readonly string[]): boolean {
    return this.#waiting.size === 0 || !keys.some(key => this.#waiting.has(key))
  }

  /** Resolves when no call that was made so far is being prepared any more. */
  async whenStarted(): Promise<void> {
    await Promise.all(this.#waiting.values())
  }

  /**
   * Calls `start` once `ready` resolves and every earlier call about these keys has started. One that is sent bit by bit keeps its
   * turn `until` its last bit is on its way.
   *
   * @returns what it returns; rejects with what `ready` rejects with, and lets the others by
   */
  async take<R, T>(
    keys: readonly string[],
    ready: Promise<R>,
    start: (ready: R, until: (sent: Promise<void>) => void) => Promise<T>,
  ): Promise<T> {
    const ahead = keys.flatMap(key => this.#waiting.get(key) ?? [])
    const { promise: started, resolve } = Promise.withResolvers<void>()
    for (const key of keys) this.#waiting.set(key, started)
    let placed: Promise<unknown> | undefined
    try {
      const result = await ready
      await Promise.all(ahead)
      let sent: Promise<void> | undefined
      const outcome = start(result, promise => {
        sent = promise
      })
      // However it ends, there is nothing more to be sent then.
      if (sent) placed = Promise.race([sent, outcome]).catch(() => {})
      return outcome // Not awaited: from here on its place among the others is given.
    } finally {
      // Also of one that could not be prepared: who comes behind it comes behind those ahead as well.
      await Promise.all(ahead)
      await placed
      resolve()
      for (const key of keys) if (this.#waiting.get(key) === started) this.#waiting.delete(key)
    }
  }
}
