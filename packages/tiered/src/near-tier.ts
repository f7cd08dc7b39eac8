import {
  type Awaitable,
  type Batching,
  batched,
  type CacheError,
  type Clock,
  type Entry,
  failed,
  isNear,
  isPending,
  isTagging,
  type Near,
  type Observer,
  type Store,
  toCacheError,
  type WriteOutcome,
} from '@cache/core'
import type { Settings } from './options.ts'
import { touch } from './touch.ts'

/**
 * The near tier as the tiered store sees it: what is kept in it, what is taken out, and whether what is left can be trusted.
 * Until something invalidated is out, and for good if that fails, it may still hold what others have changed.
 */
export class NearTier {
  readonly #store: Store
  readonly #atHand: Near | undefined
  readonly #many: Batching
  /** The longest that an entry stays, in milliseconds. */
  readonly #ttl: number | undefined
  readonly #clock: Clock
  readonly #observer: Required<Pick<Observer, 'event'>>
  /** Invalidations not carried out yet. */
  #drops = 0
  /** One could not be carried out. */
  #stale = false
  #hits = 0
  #misses = 0

  constructor(
    { l1, l1Ttl, clock }: Pick<Settings, 'l1' | 'l1Ttl' | 'clock'>,
    observer: Required<Pick<Observer, 'event'>>,
  ) {
    this.#store = l1
    this.#atHand = isNear(l1) ? l1 : undefined
    this.#many = batched(l1)
    this.#ttl = l1Ttl
    this.#clock = clock
    this.#observer = observer
  }

  get name(): string {
    return this.#store.name
  }

  get hits(): number {
    return this.#hits
  }

  get misses(): number {
    return this.#misses
  }

  /** Whether all that was invalidated is out. */
  get isClean(): boolean {
    return this.#drops === 0 && !this.#stale
  }

  getFresh(key: string, freshAt: number): Entry | undefined {
    const entry = this.#atHand?.getFresh(key, freshAt)
    if (entry !== undefined) this.#hits++
    return entry
  }

  get(key: string): Awaitable<Entry | undefined> {
    const found = this.#store.get(key)
    return isPending(found) ? found.then(entry => this.#counted(entry)) : this.#counted(found)
  }

  async getMany(keys: readonly string[]): Promise<ReadonlyMap<string, Entry>> {
    const { found } = await this.#many.getMany(keys)
    this.#hits += found.size
    this.#misses += keys.length - found.size
    return found
  }

  set(key: string, entry: Entry): Promise<WriteOutcome> {
    return this.#write([key], () => this.#store.set(key, this.#shortened(entry)))
  }

  setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    const kept =
      this.#ttl === undefined
        ? entries
        : new Map(Array.from(entries, ([key, entry]) => [key, this.#shortened(entry)]))
    return this.#write([...entries.keys()], () => this.#many.setMany(kept))
  }

  touch(key: string, freshUntil: number, expiresAt: number): Promise<WriteOutcome> {
    return this.#write([key], () => touch(this.#store, key, freshUntil, this.#soonest(expiresAt)))
  }

  delete(key: string): Promise<WriteOutcome> {
    return this.#write([key], () => this.#store.delete(key))
  }

  deleteMany(keys: readonly string[]): Promise<WriteOutcome> {
    return this.#write(keys, () => this.#many.deleteMany(keys))
  }

  /** Takes out keys that were invalidated. */
  drop(keys: readonly string[]): Promise<WriteOutcome> {
    return this.#out(() => this.#many.deleteMany(keys))
  }

  /** Takes out what has one of the tags; of a store that keeps no tags, everything. */
  dropTagged(tags: readonly string[]): Promise<WriteOutcome> {
    const store = this.#store
    return this.#out(() => (isTagging(store) ? store.invalidateTags(tags) : store.clear()))
  }

  dropScope(scope: string | undefined): Promise<WriteOutcome> {
    return this.#out(() => this.#store.clear(scope))
  }

  /** Takes out everything, also what could not be taken out before. */
  flush(): void {
    this.#stale = false
    void this.#out(() => this.#store.clear())
  }

  close(): Awaitable<void> {
    return this.#store.close()
  }

  #shortened(entry: Entry): Entry {
    const expiresAt = this.#soonest(entry.expiresAt)
    return expiresAt === entry.expiresAt ? entry : { ...entry, expiresAt }
  }

  #soonest(expiresAt: number): number {
    return this.#ttl === undefined ? expiresAt : Math.min(expiresAt, this.#clock.now() + this.#ttl)
  }

  #counted(entry: Entry | undefined): Entry | undefined {
    if (entry) this.#hits++
    else this.#misses++
    return entry
  }

  /** A write; a store that cannot take a value must not go on with the one before it. */
  async #write(keys: readonly string[], write: () => Awaitable<WriteOutcome>): Promise<WriteOutcome> {
    try {
      return await write()
    } catch (thrown) {
      await this.drop(keys)
      return failed(toCacheError(thrown, 'STORE', `${this.#store.name} failed in a write`))
    }
  }

  async #out(drop: () => Awaitable<WriteOutcome>): Promise<WriteOutcome> {
    this.#drops++
    try {
      const dropped = drop()
      const outcome = isPending(dropped) ? await dropped : dropped
      return outcome.status === 'applied' || !outcome.error ? outcome : this.#failed(outcome.error)
    } catch (thrown) {
      return this.#failed(
        toCacheError(thrown, 'STORE', `${this.#store.name} could not drop what was invalidated`),
      )
    } finally {
      this.#drops--
    }
  }

  #failed(error: CacheError): WriteOutcome {
    this.#stale = true
    this.#observer.event({ type: 'error', store: this.#store.name, operation: 'clear', error })
    return failed(error)
  }
}
