/** What is left to apply: some keys, or scopes (prefixes), among them `''` for everything. */
export interface JournalBatch {
  readonly keys: readonly string[]
  readonly scope?: string
}

/** More pending clears than this become one clear of everything. */
const MAX_SCOPES = 100

/**
 * The invalidations that the remote has not confirmed. While a key is in here, this process does not read it
 * from the remote. Bounded: what does not fit any more becomes "everything", which is coarse but never wrong.
 */
export class Journal {
  readonly #maxKeys: number
  /** Each key with the number of its entry: one that came in again while it was being applied stays. */
  readonly #keys = new Map<string, number>()
  readonly #scopes = new Map<string, number>()
  #next = 0

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  /** Pending keys and clears. */
  get size(): number {
    return this.#keys.size + this.#scopes.size
  }

  has(key: string): boolean {
    if (this.size === 0) return false
    if (this.#keys.has(key)) return true
    for (const scope of this.#scopes.keys()) if (key.startsWith(scope)) return true
    return false
  }

  addKey(key: string): void {
    if (this.#keys.size >= this.#maxKeys || this.#scopes.has('')) this.addScope('')
    else this.#keys.set(key, this.#next++)
  }

  addScope(scope: string): void {
    const wider = this.#scopes.size >= MAX_SCOPES ? '' : scope
    for (const key of this.#keys.keys()) if (key.startsWith(wider)) this.#keys.delete(key)
    for (const inner of this.#scopes.keys()) if (inner.startsWith(wider)) this.#scopes.delete(inner)
    this.#scopes.set(wider, this.#next++)
  }

  /**
   * Applies everything that is in here now, clears first, keys by the batch. What could not be applied, and what
   * came in meanwhile, stays.
   *
   * @param apply tells whether the remote confirmed a batch; the first that it did not ends the run
   */
  async drain(batchSize: number, apply: (batch: JournalBatch) => Promise<boolean>): Promise<void> {
    for (const [scope, number] of [...this.#scopes]) {
      if (!(await apply({ keys: [], scope }))) return
      if (this.#scopes.get(scope) === number) this.#scopes.delete(scope)
    }
    const pending = [...this.#keys]
    for (let start = 0; start < pending.length; start += batchSize) {
      const batch = pending.slice(start, start + batchSize)
      if (!(await apply({ keys: batch.map(([key]) => key) }))) return
      for (const [key, number] of batch) if (this.#keys.get(key) === number) this.#keys.delete(key)
    }
  }
}
