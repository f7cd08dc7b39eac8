/** What is left to apply: some keys, some tags, or a scope (prefix), among them `''` for everything. */
export type JournalBatch =
  | { readonly keys: readonly string[] }
  | { readonly tags: readonly string[] }
  | { readonly scope: string }

/** Hears of everything that comes in, and of what was confirmed, in order: to keep it beyond the life of the process. */
export interface JournalLog {
  added(entry: JournalBatch): void
  confirmed(entry: JournalBatch): void
  /** Nothing is pending any more. */
  emptied(): void
}

/** What the remote confirmed of a batch: all of it, nothing, or all but some names. */
export type Confirmation = boolean | { readonly except: ReadonlySet<string> }

/** Applies a batch to the remote. */
export type Apply = (batch: JournalBatch) => Promise<Confirmation>

/** What may not be applied yet, because a write before it may still take effect. */
export interface Hold {
  has(key: string): boolean
  hasIn(scope: string): boolean
}

/** One pending invalidation. The number tells it from the next of the same name, which may come in while it is applied. */
interface Pending {
  readonly number: number
  /** Epoch milliseconds. */
  readonly since: number
}

export interface JournalBounds {
  /** Keys and tags that are kept one by one. */
  readonly maxKeys: number
  readonly now: () => number
  readonly onOverflow: () => void
}

/** More pending clears than this become one clear of everything. */
const MAX_SCOPES = 100

const NOTHING_HELD: Hold = { has: () => false, hasIn: () => false }
const NO_LOG: JournalLog = { added: () => {}, confirmed: () => {}, emptied: () => {} }

/**
 * The invalidations that the remote has not confirmed. While a key is in here, this process does not read it
 * from the remote, and while a tag is, nothing that has it. Bounded: what does not fit any more becomes "everything", which is coarse but never wrong.
 */
export class Journal {
  readonly #options: JournalBounds
  readonly #keys = new Map<string, Pending>()
  readonly #tags = new Map<string, Pending>()
  readonly #scopes = new Map<string, Pending>()
  #log = NO_LOG
  #next = 0

  constructor(options: JournalBounds) {
    this.#options = options
  }

  /** From here on `log` hears of everything. */
  keep(log: JournalLog): void {
    this.#log = log
  }

  /** Pending keys, tags and clears. */
  get size(): number {
    return this.#keys.size + this.#tags.size + this.#scopes.size
  }

  /** How long the one that has waited longest does, in milliseconds. */
  get ageMs(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const pending of [this.#keys, this.#tags, this.#scopes]) {
      const [first] = pending.values()
      if (first) oldest = Math.min(oldest, first.since)
    }
    return Math.max(0, this.#options.now() - oldest)
  }

  has(key: string): boolean {
    if (this.size === 0) return false
    if (this.#keys.has(key)) return true
    for (const scope of this.#scopes.keys()) if (key.startsWith(scope)) return true
    return false
  }

  /** Whether the key is in here by itself. */
  keeps(key: string): boolean {
    return this.#keys.has(key)
  }

  hasTag(tags: readonly string[] | undefined): boolean {
    return this.#tags.size > 0 && tags !== undefined && tags.some(tag => this.#tags.has(tag))
  }

  addKeys(keys: Iterable<string>): void {
    this.#addEach(this.#keys, keys, names => ({ keys: names }))
  }

  addTags(tags: Iterable<string>): void {
    this.#addEach(this.#tags, tags, names => ({ tags: names }))
  }

  addScope(scope: string): void {
    const wider = this.#scopes.size >= MAX_SCOPES ? '' : scope
    const before = this.#scopes.get(wider)
    const size = this.size
    for (const key of this.#keys.keys()) if (key.startsWith(wider)) this.#keys.delete(key)
    if (wider === '') this.#tags.clear()
    for (const inner of this.#scopes.keys()) if (inner.startsWith(wider)) this.#scopes.delete(inner)
    this.#scopes.set(wider, this.#pending(before))
    if (!before || this.size !== size) this.#log.added({ scope: wider })
  }

  add(batch: JournalBatch): void {
    if ('keys' in batch) this.addKeys(batch.keys)
    else if ('tags' in batch) this.addTags(batch.tags)
    else this.addScope(batch.scope)
  }

  /** What was confirmed. */
  forget(batch: JournalBatch): void {
    if ('scope' in batch) this.#scopes.delete(batch.scope)
    else if ('tags' in batch) for (const tag of batch.tags) this.#tags.delete(tag)
    else for (const key of batch.keys) this.#keys.delete(key)
  }

  /** All that is pending. */
  contents(): JournalBatch[] {
    const contents: JournalBatch[] = [...this.#scopes.keys()].map(scope => ({ scope }))
    if (this.#tags.size > 0) contents.push({ tags: [...this.#tags.keys()] })
    if (this.#keys.size > 0) contents.push({ keys: [...this.#keys.keys()] })
    return contents
  }

  /**
   * Applies everything that is in here now, clears first, tags and keys by the batch. What could not be applied, what is
   * held, and what came in meanwhile, stays.
   *
   * @param apply the first batch of which nothing was confirmed ends the run
   */
  async drain(batchSize: number, apply: Apply, held: Hold = NOTHING_HELD): Promise<void> {
    for (const [scope, { number }] of [...this.#scopes]) {
      if (held.hasIn(scope)) continue
      if ((await apply({ scope })) !== true) return
      if (this.#scopes.get(scope)?.number === number) this.#confirm(this.#scopes, [scope], { scope })
    }
    // Tags that are refused, for reasons of their own, must not hold up the keys.
    await this.#drainEach(this.#tags, batchSize, tags => ({ tags }), apply)
    await this.#drainEach(
      this.#keys,
      batchSize,
      keys => ({ keys }),
      apply,
      key => !held.has(key),
    )
    if (this.size === 0) this.#log.emptied()
  }

  /** Takes out what was applied and has not come in again meanwhile; ends at the first batch of which nothing was. */
  async #drainEach(
    pending: Map<string, Pending>,
    batchSize: number,
    batchOf: (names: readonly string[]) => JournalBatch,
    apply: Apply,
    mayApply: (name: string) => boolean = () => true,
  ): Promise<void> {
    const all = [...pending]
    for (let start = 0; start < all.length; start += batchSize) {
      const batch = all.slice(start, start + batchSize).filter(([name]) => mayApply(name))
      if (batch.length === 0) continue
      const confirmed = await apply(batchOf(batch.map(([name]) => name)))
      if (confirmed === false) return
      const except = confirmed === true ? undefined : confirmed.except
      const done = batch.filter(
        ([name, { number }]) => !except?.has(name) && pending.get(name)?.number === number,
      )
      const names = done.map(([name]) => name)
      this.#confirm(pending, names, batchOf(names))
    }
  }

  #confirm(pending: Map<string, Pending>, names: readonly string[], batch: JournalBatch): void {
    for (const name of names) pending.delete(name)
    this.#log.confirmed(batch)
  }

  #addEach(
    pending: Map<string, Pending>,
    names: Iterable<string>,
    batchOf: (names: readonly string[]) => JournalBatch,
  ): void {
    if (this.#scopes.has('')) {
      this.addScope('')
      return
    }
    const added: string[] = []
    for (const name of names) {
      const before = pending.get(name)
      if (!before) added.push(name)
      if (!before && this.#keys.size + this.#tags.size >= this.#options.maxKeys) {
        this.#options.onOverflow()
        this.addScope('')
        return
      }
      pending.set(name, this.#pending(before))
    }
    if (added.length > 0) this.#log.added(batchOf(added))
  }

  #pending(before: Pending | undefined): Pending {
    return { number: this.#next++, since: before?.since ?? this.#options.now() }
  }
}
