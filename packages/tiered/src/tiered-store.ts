import {
  type Awaitable,
  type Batching,
  type BatchRead,
  type Checking,
  type Coherent,
  chain,
  type Entry,
  type FillOutcome,
  type Guaranteeing,
  type Health,
  type InvalidationBus,
  type InvalidationMessage,
  inspectable,
  isChecking,
  isMeasurable,
  isObserved,
  isPending,
  isRemoving,
  isVacant,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Measurable,
  type Observed,
  type Observer,
  ObserverSet,
  type Removal,
  type Removing,
  type Store,
  type StoreHealth,
  sizesOf,
  type Tagging,
  type TierState,
  type TierStats,
  type Touching,
  type WriteOutcome,
} from '@cache/core'
import { Coherence } from './coherence.ts'
import { type Limit, limitsOf } from './limits.ts'
import { NearTier } from './near-tier.ts'
import { type Settings, settingsOf, type TieredStoreOptions } from './options.ts'
import { Promotions } from './promotions.ts'
import { type AskForLease, Remote } from './remote.ts'

/**
 * Two stores as one: a near tier in front of a remote one. Reads ask the near tier first and promote what the
 * remote has; writes go to both; peers' writes arrive over the bus and are dropped from the near tier. When the
 * remote is away the near tier serves alone, and invalidations wait in a journal until it is back.
 */
export class TieredStore
  implements
    Store,
    AsyncDisposable,
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
  readonly #promotions = new Promotions()
  readonly #observers = new ObserverSet()
  /** Outdates what has one of the tags; not there if the remote keeps none. */
  readonly invalidateTags: Tagging['invalidateTags'] | undefined
  #state: TierState
  #farHits = 0
  #promotedEntries = 0
  #supersededFills = 0

  static {
    // util.inspect shows what its tiers hold and how they are; neither keys nor values.
    inspectable(TieredStore, store => ({ tiers: sizesOf(store.measure()), health: store.health() }))
  }

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
    this.invalidateTags = this.#remote.tags ? tags => this.#invalidateTags(tags) : undefined
    this.#state = this.#currentState()
  }

  get bus(): InvalidationBus | undefined {
    return this.#settings.bus
  }

  get(key: string): Awaitable<Entry | undefined> {
    return this.#get(key) as Awaitable<Entry | undefined>
  }

  getOrLease(key: string, leaseMs: number, freshAt?: number): Awaitable<LeaseRead> {
    return this.#get(key, { leaseMs, freshAt })
  }

  #get(key: string, ask?: AskForLease): Awaitable<LeaseRead> {
    if (!this.#trusted && this.#remote.available) return this.#getPastNear(key, ask)
    const near = this.#near.get(key)
    if (isPending(near)) return near.then(entry => this.#orFar(key, entry, ask))
    return this.#orFar(key, near, ask)
  }

  /** What is near will do if it is fresh, or nobody asked for a fresh value. */
  #orFar(key: string, near: Entry | undefined, ask: AskForLease | undefined): Awaitable<LeaseRead> {
    if (!near) return this.#getFar(key, ask)
    if (!ask || this.#isFresh(near, ask.freshAt)) return near
    return chain(this.#getFar(key, ask), far =>
      isVacant(far) && !far.stale ? { ...far, stale: near } : (far ?? near),
    )
  }

  /** Without a lease (the remote is away, or another process loads too long) it is kept here alone. */
  async fill(key: string, entry: Entry, lease: Lease | undefined): Promise<FillOutcome> {
    if (!this.#remote.leases) return this.set(key, entry)
    if (!lease) return this.#near.set(key, entry)
    const placeholder = this.#promotions.startRead(key)
    let far: FillOutcome
    try {
      far = await this.#remote.fill(key, entry, lease)
    } finally {
      this.#promotions.endRead(key, placeholder)
    }
    this.#noteState()
    if (far.status === 'superseded') this.#supersededFills++
    // Of a fill that failed nobody knows whether the lease still stood.
    if (far.status === 'superseded' || far.status === 'failed') return far
    if (!this.#promotions.mayKeep(placeholder, entry)) return far
    return both(await this.#near.set(key, entry), far)
  }

  renew(key: string, lease: Lease, leaseMs: number): Promise<boolean> {
    return this.#remote.renew(key, lease, leaseMs)
  }

  release(key: string, lease: Lease): Promise<void> {
    return this.#remote.release(key, lease)
  }

  async getMany(keys: readonly string[]): Promise<BatchRead> {
    const pastNear = !this.#trusted && this.#remote.available
    const near = pastNear ? new Map<string, Entry>() : await this.#near.getMany(keys)
    const missing = keys.filter(key => !near.has(key))
    const far = await this.#getManyFar(missing)
    if (far) return { found: new Map([...near, ...far]) }
    return { found: pastNear ? await this.#near.getMany(keys) : near }
  }

  set(key: string, entry: Entry): Promise<WriteOutcome> {
    const before = this.#settings.replays ? this.#settings.l1.get(key) : undefined
    return this.#writeBoth(
      [key],
      () => this.#near.set(key, entry),
      () => this.#remote.set(key, entry, isPending(before) ? undefined : before),
    )
  }

  setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    return this.#writeBoth(
      [...entries.keys()],
      () => this.#near.setMany(entries),
      () => this.#remote.setMany(entries),
    )
  }

  delete(key: string): Promise<WriteOutcome> {
    return this.#writeBoth(
      [key],
      () => this.#near.delete(key),
      () => this.#remote.delete(key),
    )
  }

  deleteMany(keys: readonly string[]): Promise<WriteOutcome> {
    return this.#writeBoth(
      keys,
      () => this.#near.deleteMany(keys),
      () => this.#remote.deleteMany(keys),
    )
  }

  async touch(
    key: string,
    freshUntil: number,
    expiresAt: number,
    tags?: readonly string[],
  ): Promise<WriteOutcome> {
    const [far, near] = await Promise.all([
      this.#remote.touch(key, freshUntil, expiresAt, tags),
      this.#near.touch(key, freshUntil, expiresAt),
    ])
    return both(near, far)
  }

  check(key: string, entry: Entry): void {
    const { l1, l2 } = this.#settings
    for (const store of [l1, l2]) if (isChecking(store)) store.check(key, entry)
  }

  async clear(scope?: string): Promise<WriteOutcome> {
    const prefix = scope ?? ''
    this.#promotions.startClear(prefix)
    try {
      const [far, near] = await Promise.all([this.#remote.clear(prefix), this.#near.dropScope(scope)])
      return both(near, far)
    } finally {
      this.#promotions.endClear(prefix)
      this.#noteState()
    }
  }

  async #invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    this.#promotions.tags.invalidate(tags)
    const [far, near] = await Promise.all([this.#remote.invalidateTags(tags), this.#near.dropTagged(tags)])
    // What was read meanwhile may be from before, and near by now.
    this.#promotions.tags.invalidate(tags)
    await this.#near.dropTagged(tags)
    this.#noteState()
    return both(near, far)
  }

  /** Resolves when every invalidation that waited for the remote has been applied; at once when none waits. */
  whenRecovered(): Promise<void> {
    return this.#remote.whenRecovered()
  }

  measure(): readonly TierStats[] {
    const near = { hits: this.#near.hits, promotions: this.#promotedEntries }
    const far = { hits: this.#farHits, supersededFills: this.#supersededFills }
    return [...tiersOf(this.#settings.l1, near), ...tiersOf(this.#settings.l2, far)]
  }

  health(): StoreHealth {
    return { ...this.#remote.health(), state: this.#currentState() }
  }

  observe(observer: Observer): () => void {
    const { l1, l2 } = this.#settings
    const stop = [this.#observers.add(observer)]
    for (const store of [l1, l2]) if (isObserved(store)) stop.push(store.observe(observer))
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

  /** Asks the remote, and keeps the answer near unless the key was written meanwhile. A failure is a miss. */
  #getFar(key: string, ask: AskForLease | undefined): Awaitable<LeaseRead> {
    const placeholder = this.#promotions.startRead(key)
    return chain(this.#remote.read(key, ask), answer => {
      this.#promotions.endRead(key, placeholder)
      this.#noteState()
      const entry = answer.ok ? answer.value : undefined
      if (!entry || isVacant(entry)) return entry
      this.#farHits++
      if (!this.#promotions.mayKeep(placeholder, entry) || !this.#trusted) return entry
      this.#promotedEntries++
      return chain(this.#near.set(key, entry), () => entry)
    })
  }

  /**
   * The stream is broken but the remote is there: what it says is true, what is near may not be, and nothing is
   * kept. Only when the remote fails after all does the near tier answer.
   */
  #getPastNear(key: string, ask: AskForLease | undefined): Awaitable<LeaseRead> {
    return chain(this.#remote.read(key, ask), answer => {
      this.#noteState()
      if (!answer.ok) return this.#near.get(key)
      if (answer.value && !isVacant(answer.value)) this.#farHits++
      return answer.value
    })
  }

  /** @returns `undefined` when the remote failed */
  async #getManyFar(keys: readonly string[]): Promise<ReadonlyMap<string, Entry> | undefined> {
    if (keys.length === 0) return new Map()
    const placeholders = keys.map(key => this.#promotions.startRead(key))
    const answer = await this.#remote.readMany(keys)
    this.#noteState()
    const promoted = new Map<string, Entry>()
    for (const [index, placeholder] of placeholders.entries()) {
      const key = keys[index] as string
      this.#promotions.endRead(key, placeholder)
      const entry = answer.ok ? answer.value.get(key) : undefined
      if (entry && this.#promotions.mayKeep(placeholder, entry)) promoted.set(key, entry)
    }
    if (!answer.ok) return undefined
    this.#farHits += answer.value.size
    if (promoted.size > 0 && this.#trusted) {
      this.#promotedEntries += promoted.size
      await this.#near.setMany(promoted)
    }
    return answer.value
  }

  /** Sends a write to the remote, makes it near without waiting, and says what became of it. */
  async #writeBoth(
    keys: readonly string[],
    near: () => Promise<WriteOutcome>,
    far: () => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    for (const key of keys) this.#promotions.startWrite(key)
    try {
      const sent = far()
      const [outcome, kept] = await Promise.all([this.#orForget(keys, sent), near()])
      return both(kept, outcome)
    } finally {
      for (const key of keys) this.#promotions.endWrite(key)
      this.#noteState()
    }
  }

  /** What the remote's serializer refuses, if only late, must not stay near. */
  async #orForget(keys: readonly string[], sent: Promise<WriteOutcome>): Promise<WriteOutcome> {
    try {
      return await sent
    } catch (fault) {
      await this.#near.drop(keys)
      throw fault
    }
  }

  #onMessage(message: InvalidationMessage): void {
    this.#remote.heard(message)
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
    this.#noteState()
  }

  #onRestored(reason: string): void {
    this.#promotions.invalidateScope('')
    this.#near.flush()
    this.#observers.event({ type: 'gap', store: this.name, reason })
    this.#observers.event({ type: 'flush', store: this.#near.name })
    this.#noteState()
    void this.#remote.recover()
  }

  /** As the near tier hands out nothing that has expired, what expires no later than it goes stale is fresh: no look at the clock. */
  #isFresh({ freshUntil, expiresAt }: Entry, freshAt: number | undefined): boolean {
    if (freshAt !== undefined) return freshUntil > freshAt
    return freshUntil >= expiresAt || freshUntil > this.#settings.clock.now()
  }

  /** Whether what is near may be served: the stream arrives, and all it brought has been carried out. */
  get #trusted(): boolean {
    return this.#coherence.trusted && this.#near.isClean
  }

  #currentState(): TierState {
    if (!this.#remote.available) return 'fallback'
    return this.#trusted ? 'coherent' : 'bypass'
  }

  #noteState(): void {
    const state = this.#currentState()
    if (state === this.#state) return
    this.#state = state
    this.#observers.event({ type: 'state', store: this.name, state })
  }
}

/** One outcome for both tiers: the remote's, unless the near tier failed. */
function both(near: WriteOutcome, far: WriteOutcome): WriteOutcome {
  if (near.status === 'applied') return far.status === 'failed' ? { ...far, status: 'partial' } : far
  return { ...near, status: 'partial' }
}

/** What a tier tells of itself, and what was counted of it; of tiers of its own, what they tell. */
function tiersOf(store: Store, counted: Partial<TierStats>): readonly TierStats[] {
  const tiers = isMeasurable(store) ? store.measure() : [{ tier: store.name }]
  const [only, ...others] = tiers
  return only && others.length === 0 ? [{ ...only, ...counted }] : tiers
}
