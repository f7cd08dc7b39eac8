import {
  type Awaitable,
  type Batching,
  type BatchRead,
  type Checking,
  type Coherent,
  type Entry,
  type FillOutcome,
  type Guaranteeing,
  guarded,
  type Health,
  type InvalidationBus,
  type InvalidationMessage,
  inspectable,
  isChecking,
  isMeasurable,
  isObserved,
  isRemoving,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Measurable,
  type Near,
  type Observed,
  type Observer,
  ObserverSet,
  type Removal,
  type Removing,
  type Store,
  type StoreCall,
  type StoreHealth,
  sizesOf,
  type Tagging,
  type TierStats,
  type Touching,
  type WriteOutcome,
} from '@cache/core'
import { Coherence } from './coherence.ts'
import { type Limit, limitsOf } from './limits.ts'
import { NearTier } from './near-tier.ts'
import { type Settings, settingsOf, type TieredStoreOptions } from './options.ts'
import { Promotions } from './promotions.ts'
import { Remote } from './remote.ts'
import { TierReads } from './tier-reads.ts'
import { TierWatch } from './tier-watch.ts'
import { TierWrites } from './tier-writes.ts'

/**
 * Two stores as one: a near tier in front of a remote one. Reads ask the near tier first and promote what the
 * remote has; writes go to both; peers' writes arrive over the bus and are dropped from the near tier. When the
 * remote is away the near tier serves alone, and invalidations wait in a journal until it is back.
 */
export class TieredStore
  implements
    Store,
    AsyncDisposable,
    Near,
    Batching,
    Leasing,
    Touching,
    Checking,
    Measurable,
    Health,
    Observed,
    Removing,
    Coherent,
    Guaranteeing
{
  readonly name = 'tiered'
  readonly guarantees = { bounded: true, ordered: true, durable: true }
  /** What the stores given cannot do, and what is lost by it; empty over memory and Redis. */
  readonly limits: readonly Limit[]
  readonly #settings: Settings
  readonly #near: NearTier
  readonly #remote: Remote
  readonly #coherence: Coherence
  readonly #watch: TierWatch
  readonly #reads: TierReads
  readonly #writes: TierWrites
  readonly #promotions = new Promotions()
  readonly #observers = new ObserverSet()
  /** Outdates what has one of the tags; not there if the remote keeps none. */
  readonly invalidateTags: Tagging['invalidateTags'] | undefined

  /** @throws CacheError `INVALID_OPTION` */
  constructor(options: TieredStoreOptions) {
    const settings = settingsOf(options)
    this.#settings = settings
    this.limits = limitsOf(settings)
    this.#near = new NearTier(settings, this.#observers)
    this.#remote = new Remote(settings, this.#observers)
    this.#coherence = new Coherence(settings.bus, {
      onMessage: message => this.#onMessage(message),
      onLost: reason => this.#onLost(reason),
      onRestored: reason => this.#onRestored(reason),
    })
    const [near, remote, promotions, { clock }] = [this.#near, this.#remote, this.#promotions, settings]
    this.#watch = new TierWatch({
      name: this.name,
      near,
      remote,
      coherence: this.#coherence,
      observer: this.#observers,
      clock,
    })
    this.#reads = new TierReads({ near, remote, promotions, watch: this.#watch, clock })
    const writes = new TierWrites({ near, remote, promotions, watch: this.#watch, settings })
    this.#writes = writes
    this.invalidateTags = remote.writes.byTag ? tags => writes.invalidateTags(tags) : undefined
    // What its tiers hold and how they are; neither keys nor values.
    inspectable(TieredStore, store => ({ tiers: sizesOf(store.measure()), health: store.health() }))
  }

  get bus(): InvalidationBus | undefined {
    return this.#settings.bus
  }

  getFresh(key: string, freshAt: number): Entry | undefined {
    return this.#watch.trusted ? this.#near.getFresh(key, freshAt) : undefined
  }

  get(key: string, call?: StoreCall): Awaitable<Entry | undefined> {
    return this.#reads.get(key, undefined, call) as Awaitable<Entry | undefined>
  }

  getOrLease(key: string, leaseMs: number, freshAt?: number, call?: StoreCall): Awaitable<LeaseRead> {
    return this.#reads.get(key, { leaseMs, freshAt }, call)
  }

  getMany(keys: readonly string[], call?: StoreCall): Promise<BatchRead> {
    return this.#reads.getMany(keys, call)
  }

  /** Without a lease (the remote is away, or another process loads too long) it is kept here alone. */
  fill(key: string, entry: Entry, lease: Lease | undefined, call?: StoreCall): Promise<FillOutcome> {
    return this.#writes.fill(key, entry, lease, call)
  }

  renew(key: string, lease: Lease, leaseMs: number): Promise<boolean> {
    return this.#remote.reads.renew(key, lease, leaseMs)
  }

  release(key: string, lease: Lease): Promise<void> {
    return this.#remote.reads.release(key, lease)
  }

  set(key: string, entry: Entry, call?: StoreCall): Promise<WriteOutcome> {
    return this.#writes.set(key, entry, call)
  }

  setMany(entries: ReadonlyMap<string, Entry>, call?: StoreCall): Promise<WriteOutcome> {
    return this.#writes.setMany(entries, call)
  }

  delete(key: string, call?: StoreCall): Promise<WriteOutcome> {
    return this.#writes.delete(key, call)
  }

  deleteMany(keys: readonly string[], call?: StoreCall): Promise<WriteOutcome> {
    return this.#writes.deleteMany(keys, call)
  }

  touch(key: string, freshUntil: number, expiresAt: number, tags?: readonly string[]): Promise<WriteOutcome> {
    return this.#writes.touch(key, freshUntil, expiresAt, tags)
  }

  clear(scope?: string): Promise<WriteOutcome> {
    return this.#writes.clear(scope)
  }

  check(key: string, entry: Entry): void {
    const { l1, l2 } = this.#settings
    for (const store of [l1, l2]) if (isChecking(store)) store.check(key, entry)
  }

  /** Resolves when every invalidation that waited for the remote has been applied; at once when none waits. */
  whenRecovered(): Promise<void> {
    return this.#remote.debts.whenSettled()
  }

  measure(): readonly TierStats[] {
    const { farHits, farMisses, promotedEntries } = this.#reads
    const near = { hits: this.#near.hits, misses: this.#near.misses, promotions: promotedEntries }
    const far = { hits: farHits, misses: farMisses, supersededFills: this.#writes.supersededFills }
    return [...tiersOf(this.#settings.l1, near), ...tiersOf(this.#settings.l2, far)]
  }

  health(): StoreHealth {
    const remote = this.#remote.health()
    return { ...remote, ...this.#watch.health(remote.starting) }
  }

  observe(observer: Observer): () => void {
    const { l1, l2 } = this.#settings
    const safe = guarded(observer)
    const stop = [this.#observers.add(safe)]
    for (const store of [l1, l2]) if (isObserved(store)) stop.push(store.observe(safe))
    return () => {
      for (const end of stop) end()
    }
  }

  /** As far as the tiers tell. */
  onRemoval(listener: (removal: Removal) => void): () => void {
    const { l1, l2 } = this.#settings
    const stop = [l1, l2].map(store => (isRemoving(store) ? store.onRemoval(listener) : undefined))
    return () => {
      for (const end of stop) end?.()
    }
  }

  async close(): Promise<void> {
    this.#coherence.stop()
    await Promise.all([this.#near.close(), this.#remote.close()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #onMessage(message: InvalidationMessage): void {
    this.#remote.debts.heard(message)
    if (message.type === 'clear') {
      this.#promotions.invalidateScope(message.scope ?? '')
      void this.#near.dropScope(message.scope)
    } else if (message.type === 'tags') {
      this.#promotions.tags.invalidate(message.tags)
      void this.#near.dropTagged(message.tags)
    } else {
      for (const key of message.keys) this.#promotions.invalidate(key)
      void this.#near.drop(message.keys)
    }
  }

  /** From here on nothing is promoted; reads under way are spoilt when the stream is restored. */
  #onLost(reason: string): void {
    this.#observers.event({ type: 'gap', store: this.name, reason })
    this.#watch.note()
  }

  #onRestored(reason: string): void {
    this.#promotions.invalidateScope('')
    this.#near.flush()
    this.#observers.event({ type: 'gap', store: this.name, reason })
    this.#observers.event({ type: 'flush', store: this.#near.name })
    this.#watch.note()
    void this.#remote.recover()
  }
}

/** What a tier tells of itself, and what was counted of it; of tiers of its own, what they tell. */
function tiersOf(store: Store, counted: Partial<TierStats>): readonly TierStats[] {
  const tiers = isMeasurable(store) ? store.measure() : [{ tier: store.name }]
  const [only, ...others] = tiers
  return only && others.length === 0 ? [{ ...only, ...counted }] : tiers
}
