import {
  APPLIED,
  type Awaitable,
  type Batching,
  type BatchRead,
  batchOutcome,
  CacheError,
  type Checking,
  type Clock,
  type Coherent,
  type Entry,
  type Enumerable,
  type FillOutcome,
  type Gap,
  type Health,
  type Invalidation,
  type InvalidationBus,
  type InvalidationMessage,
  isExpired,
  isFreshAt,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Marking,
  type Measurable,
  type Near,
  type Observed,
  type Observer,
  ObserverSet,
  type Replacing,
  type Store,
  type StoreHealth,
  SUPERSEDED,
  type Tagging,
  TagLog,
  type TierStats,
  type Touching,
  type WriteOutcome,
} from '@cache/core'

/** What the processes of a test share: entries with the place of their writing in the order of tags, leases, and the bus. */
export class Place {
  readonly entries: Map<string, { readonly entry: Entry; readonly writtenAt: number }> = new Map()
  readonly leases: Map<string, { readonly token: string; readonly until: number }> = new Map()
  readonly tags: TagLog = new TagLog()
  readonly buses: Set<ReferenceBus> = new Set()
  tokens = 0
  marks = 0
  /** What becomes of calls: they are carried out, refused, or never answered. */
  mode: 'serve' | 'refuse' | 'hang' = 'serve'
}

let buses = 0

/** A bus within one process. */
export class ReferenceBus implements InvalidationBus {
  readonly id: string = `bus ${buses++}`
  connected = true
  readonly #place: Place
  readonly #listeners = new Set<(message: InvalidationMessage) => void>()
  readonly #gapListeners = new Set<(gap: Gap) => void>()

  constructor(place: Place) {
    this.#place = place
    place.buses.add(this)
  }

  publish(invalidation: Invalidation): WriteOutcome {
    for (const bus of this.#place.buses) if (bus.connected) bus.receive({ ...invalidation, source: this.id })
    return APPLIED
  }

  receive(message: InvalidationMessage): void {
    for (const listener of this.#listeners) listener(message)
  }

  break(): void {
    this.connected = false
    this.tellGap({ connected: false, reason: 'broken by the test' })
  }

  mend(): void {
    this.tellGap({ connected: true, reason: 'mended by the test' })
    this.connected = true
  }

  tellGap(gap: Gap): void {
    for (const listener of this.#gapListeners) listener(gap)
  }

  subscribe(listener: (message: InvalidationMessage) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onGap(listener: (gap: Gap) => void): () => void {
    this.#gapListeners.add(listener)
    return () => this.#gapListeners.delete(listener)
  }

  close(): Awaitable<void> {
    this.connected = false
    this.#place.buses.delete(this)
  }
}

/** A store that does all that the contract knows of, in the plainest way: what the suite is tried on. */
export class ReferenceStore
  implements
    Store,
    Batching,
    Checking,
    Coherent,
    Enumerable,
    Health,
    Leasing,
    Marking,
    Measurable,
    Near,
    Observed,
    Replacing,
    Tagging,
    Touching
{
  readonly name: string = 'reference'
  readonly bus: ReferenceBus
  readonly place: Place
  readonly clock: Clock
  readonly observers: ObserverSet = new ObserverSet()
  hits = 0

  constructor(place: Place, clock: Clock) {
    this.place = place
    this.clock = clock
    this.bus = new ReferenceBus(place)
  }

  async get(key: string): Promise<Entry | undefined> {
    await this.reach()
    const entry = this.look(key)
    if (entry) this.hits++
    return entry
  }

  getFresh(key: string, freshAt: number): Entry | undefined {
    const entry = this.look(key)
    if (!entry || !isFreshAt(entry, freshAt)) return undefined
    this.hits++
    return entry
  }

  async set(key: string, entry: Entry): Promise<WriteOutcome> {
    this.check(key, entry)
    return this.write([key], () => this.put(key, entry))
  }

  async delete(key: string): Promise<WriteOutcome> {
    return this.write([key], () => this.remove(key))
  }

  async clear(scope = ''): Promise<WriteOutcome> {
    const { entries, leases, mode } = this.place
    const keys = [...entries.keys(), ...leases.keys()].filter(key => key.startsWith(scope))
    if (mode === 'serve') for (const key of keys) this.remove(key)
    await this.reach()
    this.bus.publish({ type: 'clear', scope })
    return APPLIED
  }

  async getMany(keys: readonly string[]): Promise<BatchRead> {
    await this.reach()
    const found = new Map<string, Entry>()
    for (const key of keys) {
      const entry = this.look(key)
      if (entry) found.set(key, entry)
    }
    return { found }
  }

  async setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    const failures = new Map<string, CacheError>()
    const good = [...entries].filter(([key, { value }]) => {
      if (isJson(value)) return true
      failures.set(key, refusal())
      return false
    })
    await this.write(
      good.map(([key]) => key),
      () => {
        for (const [key, entry] of good) this.put(key, entry)
      },
    )
    return batchOutcome(entries.size, failures)
  }

  async deleteMany(keys: readonly string[]): Promise<WriteOutcome> {
    return this.write(keys, () => {
      for (const key of keys) this.remove(key)
    })
  }

  check(_key: string, { value }: Entry): void {
    if (!isJson(value)) throw refusal()
  }

  async touch(key: string, freshUntil: number, expiresAt: number): Promise<WriteOutcome> {
    const found = this.look(key)
    const held = this.place.entries.get(key)
    if (!found || !held) return APPLIED
    const later = {
      freshUntil: Math.max(found.freshUntil, freshUntil),
      expiresAt: Math.max(found.expiresAt, expiresAt),
    }
    this.place.entries.set(key, { ...held, entry: { ...found, ...later } })
    return APPLIED
  }

  async replace(key: string, entry: Entry, expected: Entry): Promise<FillOutcome> {
    if (this.look(key)?.createdAt !== expected.createdAt) return SUPERSEDED
    return this.set(key, entry)
  }

  async invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    this.place.tags.invalidate(tags)
    this.bus.publish({ type: 'tags', tags })
    return APPLIED
  }

  async *keys(scope = ''): AsyncGenerator<string> {
    for (const key of this.place.entries.keys()) if (key.startsWith(scope)) yield key
  }

  measure(): readonly TierStats[] {
    return [{ tier: this.name, items: this.place.entries.size, hits: this.hits }]
  }

  health(): StoreHealth {
    return { available: true }
  }

  observe(observer: Observer): () => void {
    return this.observers.add(observer)
  }

  async mark(): Promise<number> {
    return ++this.place.marks
  }

  onSetback(): () => void {
    return () => {}
  }

  async getOrLease(key: string, leaseMs: number, freshAt: number = this.clock.now()): Promise<LeaseRead> {
    const entry = this.look(key)
    if (entry && entry.freshUntil > freshAt) return entry
    const vacancy = { vacant: true, ...(entry && { stale: entry }) } as const
    const { leases, tags } = this.place
    if ((leases.get(key)?.until ?? 0) > this.clock.now()) return { ...vacancy, lease: undefined }
    const token = `${++this.place.tokens}`
    leases.set(key, { token, until: this.clock.now() + leaseMs })
    return { ...vacancy, lease: { token, stamp: tags.now } }
  }

  async fill(key: string, entry: Entry, lease: Lease | undefined): Promise<FillOutcome> {
    if (!lease || !this.stands(key, lease)) return SUPERSEDED
    return this.set(key, entry)
  }

  async renew(key: string, lease: Lease, leaseMs: number): Promise<boolean> {
    if (!this.stands(key, lease)) return false
    this.place.leases.set(key, { token: lease.token, until: this.clock.now() + leaseMs })
    return true
  }

  async release(key: string, lease: Lease): Promise<void> {
    if (this.stands(key, lease)) this.place.leases.delete(key)
  }

  close(): Awaitable<void> {
    return this.bus.close()
  }

  /** What is there and alive. */
  look(key: string): Entry | undefined {
    const held = this.place.entries.get(key)
    if (!held || isExpired(held.entry, this.clock.now())) return undefined
    const { entry, writtenAt } = held
    if (this.place.tags.isOutdated(entry.tags, entry.stamp ?? writtenAt)) return undefined
    return entry
  }

  put(key: string, entry: Entry): void {
    this.place.leases.delete(key)
    if (isExpired(entry, this.clock.now())) this.place.entries.delete(key)
    else this.place.entries.set(key, { entry, writtenAt: this.place.tags.now })
  }

  remove(key: string): void {
    this.place.leases.delete(key)
    this.place.entries.delete(key)
  }

  /** A write happens at once; its answer comes later. */
  async write(keys: readonly string[], effect: () => void): Promise<WriteOutcome> {
    if (this.place.mode === 'serve') effect()
    await this.reach()
    this.observers.event({ type: 'flush', store: this.name })
    if (keys.length > 0) this.bus.publish({ type: 'keys', keys })
    return APPLIED
  }

  async reach(): Promise<void> {
    if (this.place.mode === 'refuse') throw new CacheError('UNAVAILABLE', 'refused by the test')
    if (this.place.mode === 'hang') return new Promise(() => {})
  }

  private stands(key: string, { token }: Lease): boolean {
    const current = this.place.leases.get(key)
    return current?.token === token && current.until > this.clock.now()
  }
}

function refusal(): CacheError {
  return new CacheError('SERIALIZATION', 'this value cannot be kept')
}

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}
