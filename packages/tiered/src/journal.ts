/** What is left to apply: some keys, some tags, or a scope (prefix), among them `''` for everything. */
export type JournalBatch =
  | { readonly keys: readonly string[] }
  | { readonly tags: readonly string[] }
  | { readonly scope: string }

/** More pending clears than this become one clear of everything. */
const MAX_SCOPES = 100

/**
 * The invalidations that the remote has not confirmed. While a key is in here, this process does not read it
 * from the remote, and while a tag is, nothing that has it. Bounded: what does not fit any more becomes "everything", which is coarse but never wrong.
 */
export class Journal {
  readonly #maxKeys: number
  /** Each key with the number of its entry: one that came in again while it was being applied stays. */
  readonly #keys = new Map<string, number>()
  readonly #tags = new Map<string, number>()
  readonly #scopes = new Map<string, number>()
  #next = 0

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  /** Pending keys, tags and clears. */
  get size(): number {
    return this.#keys.size + this.#tags.size + this.#scopes.size
  }

  has(key: string): boolean {
    if (this.size === 0) return false
    if (this.#keys.has(key)) return true
    for (const scope of this.#scopes.keys()) if (key.startsWith(scope)) return true
    return false
  }

  hasTag(tags: readonly string[] | undefined): boolean {
    return this.#tags.size > 0 && tags !== undefined && tags.some(tag => this.#tags.has(tag))
  }

  addKey(key: string): void {
    if (this.#isFull() || this.#scopes.has('')) this.addScope('')
    else this.#keys.set(key, this.#next++)
  }

  addTag(tag: string): void {
    if (this.#isFull() || this.#scopes.has('')) this.addScope('')
    else this.#tags.set(tag, this.#next++)
  }

  addScope(scope: string): void {
    const wider = this.#scopes.size >= MAX_SCOPES ? '' : scope
    for (const key of this.#keys.keys()) if (key.startsWith(wider)) this.#keys.delete(key)
    if (wider === '') this.#tags.clear()
    for (const inner of this.#scopes.keys()) if (inner.startsWith(wider)) this.#scopes.delete(inner)
    this.#scopes.set(wider, this.#next++)
  }

  /**
   * Applies everything that is in here now, clears first, tags and keys by the batch. What could not be applied, and what
   * came in meanwhile, stays.
   *
   * @param apply tells whether the remote confirmed a batch; the first that it did not ends the run
   */
  async drain(batchSize: number, apply: (batch: JournalBatch) => Promise<boolean>): Promise<void> {
    for (const [scope, number] of [...this.#scopes]) {
      if (!(await apply({ scope }))) return
      if (this.#scopes.get(scope) === number) this.#scopes.delete(scope)
    }
    // Tags that are refused, for reasons of their own, must not hold up the keys.
    await drainEach(this.#tags, batchSize, tags => apply({ tags }))
    await drainEach(this.#keys, batchSize, keys => apply({ keys }))
  }

  #isFull(): boolean {
    return this.#keys.size + this.#tags.size >= this.#maxKeys
  }
}

/** Takes out of `pending` what was applied and has not come in again meanwhile; ends at the first that was not applied. */
async function drainEach(
  pending: Map<string, number>,
  batchSize: number,
  apply: (names: readonly string[]) => Promise<boolean>,
): Promise<void> {
  const all = [...pending]
  for (let start = 0; start < all.length; start += batchSize) {
    const batch = all.slice(start, start + batchSize)
    if (!(await apply(batch.map(([name]) => name)))) return
    for (const [name, number] of batch) if (pending.get(name) === number) pending.delete(name)
  }
}
