import type { Hold } from './journal.ts'

/**
 * The writes of values that a store has not settled. One that was given up because it took too long may still take
 * effect, after whatever came later: until it has settled, no invalidation of its key is sure to hold.
 */
export class Unsettled implements Hold {
  readonly #writes = new Map<string, number>()

  /** Keys with writes under way. */
  get size(): number {
    return this.#writes.size
  }

  has(key: string): boolean {
    return this.#writes.has(key)
  }

  hasIn(scope: string): boolean {
    return this.in(scope).length > 0
  }

  /** The keys that begin with `scope`. */
  in(scope: string): string[] {
    return [...this.#writes.keys()].filter(key => key.startsWith(scope))
  }

  /** @param onSettled is called when the write has settled */
  add(keys: readonly string[], write: Promise<unknown>, onSettled: () => void): void {
    for (const key of keys) this.#writes.set(key, (this.#writes.get(key) ?? 0) + 1)
    const settle = (): void => {
      for (const key of keys) this.#settle(key)
      onSettled()
    }
    write.then(settle, settle)
  }

  #settle(key: string): void {
    const left = (this.#writes.get(key) ?? 0) - 1
    if (left > 0) this.#writes.set(key, left)
    else this.#writes.delete(key)
  }
}
