/**
 * Keeps the writes of a key in the order of the calls: one starts when those of its keys that were called before have ended,
 * whoever still waits for them. A write of everything starts after all, and before all that follow.
 */
export class WriteQueue {
  /** The last write of each key that has not ended. */
  readonly #last = new Map<string, Promise<unknown>>()
  /** The last write of everything. */
  #all: Promise<unknown> | undefined

  /** Runs a write of some keys in its turn. */
  run<T>(keys: readonly string[], write: () => Promise<T>): Promise<T> {
    const ahead = [this.#all, ...keys.map(key => this.#last.get(key))]
    const done = settled(ahead).then(write)
    for (const key of keys) {
      this.#last.set(key, done)
      this.#forget(done, () => this.#last.get(key) === done && this.#last.delete(key))
    }
    return done
  }

  /** Runs a write of everything in its turn. */
  runAlone<T>(write: () => Promise<T>): Promise<T> {
    const done = settled([this.#all, ...this.#last.values()]).then(write)
    this.#all = done
    this.#forget(done, () => {
      if (this.#all === done) this.#all = undefined
    })
    return done
  }

  /** Resolves when no write is under way. */
  async whenIdle(): Promise<void> {
    await settled([this.#all, ...this.#last.values()])
  }

  #forget(done: Promise<unknown>, forget: () => void): void {
    done.then(forget, forget)
  }
}

async function settled(ahead: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  const pending = ahead.filter(each => each !== undefined)
  if (pending.length > 0) await Promise.allSettled(pending)
}
