/** Who wants to be told: each hears everything, whatever another one throws. */
export class ListenerSet<T> {
  readonly #listeners = new Set<(message: T) => void>()

  /** @returns what ends it */
  add(listener: (message: T) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(message: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(message)
      } catch {
        // Its own fault; the others must not miss the message for it.
      }
    }
  }
}
