import {
  APPLIED,
  type Awaitable,
  type Batching,
  type BatchRead,
  batchOutcome,
  CacheError,
  type Clock,
  type Entry,
  type FillOutcome,
  failed,
  type Gap,
  type Health,
  type Invalidation,
  type InvalidationBus,
  type InvalidationMessage,
  isExpired,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Marking,
  type Setback,
  type Store,
  type StoreHealth,
  type Touching,
  type WriteOutcome,
} from '@cache/core'

/** A remote whose every call waits until the test lets it go on; shared by the tiers of several "processes". */
export class SteeredStore implements Store {
  readonly name: string = 'steered'
  readonly entries: Map<string, Entry> = new Map()
  readonly calls: string[] = []
  /** What happens to calls: carried out at once, held until {@link release}, refused, or never answered. */
  mode: 'serve' | 'hold' | 'refuse' | 'hang' = 'serve'
  readonly #clock: Clock
  #held: (() => void)[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  release(): void {
    const held = this.#held
    this.#held = []
    for (const go of held) go()
  }

  /** Lets one of the calls held go on, before those that came earlier. */
  releaseOne(index: number): void {
    const [go] = this.#held.splice(index % Math.max(1, this.#held.length), 1)
    go?.()
  }

  get(key: string): Promise<Entry | undefined> {
    // The answer is what is there when the remote is asked, as with a server: it may be old when it arrives.
    const entry = this.entries.get(key)
    const alive = entry && !isExpired(entry, this.#clock.now()) ? entry : undefined
    return this.run(`get ${key}`, () => alive)
  }

  set(key: string, entry: Entry): Promise<WriteOutcome> {
    if (typeof entry.value === 'function')
      throw new CacheError('SERIALIZATION', 'a function cannot be stored')
    return this.run(`set ${key}`, () => {
      this.entries.set(key, entry)
      return APPLIED
    })
  }

  delete(key: string): Promise<WriteOutcome> {
    return this.run(`delete ${key}`, () => {
      this.entries.delete(key)
      return APPLIED
    })
  }

  clear(scope = ''): Promise<WriteOutcome> {
    return this.run(`clear ${scope}`, () => {
      for (const key of this.entries.keys()) if (key.startsWith(scope)) this.entries.delete(key)
      return APPLIED
    })
  }

  close(): void {}

  protected async run<T>(call: string, effect: () => T): Promise<T> {
    this.calls.push(call)
    if (this.mode === 'refuse') throw new CacheError('UNAVAILABLE', 'refused by the test')
    if (this.mode === 'hang') return new Promise(() => {})
    if (this.mode === 'hold') await new Promise<void>(resolve => this.#held.push(resolve))
    return effect()
  }
}

/** The same with more capabilities: it says when it is away, extends in place, and fails single keys of a batch. */
export class SteeredStoreWithHealth extends SteeredStore implements Health, Touching, Batching {
  away = false
  starting = false
  readonly refused: Set<string> = new Set()

  health(): StoreHealth {
    return { available: !this.away, ...(this.starting && { starting: true }) }
  }

  async touch(key: string): Promise<WriteOutcome> {
    this.calls.push(`touch ${key}`)
    return APPLIED
  }

  async getMany(keys: readonly string[]): Promise<BatchRead> {
    const found = new Map<string, Entry>()
    for (const key of keys) {
      const entry = await this.get(key)
      if (entry) found.set(key, entry)
    }
    return { found }
  }

  async setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    const failures = new Map<string, CacheError>()
    for (const [key, entry] of entries) {
      if (this.refused.has(key)) failures.set(key, new CacheError('STORE', 'refused by the test'))
      else await this.set(key, entry)
    }
    return batchOutcome(entries.size, failures)
  }

  async deleteMany(keys: readonly string[]): Promise<WriteOutcome> {
    const failures = new Map<string, CacheError>()
    for (const key of keys) {
      if (this.refused.has(key)) failures.set(key, new CacheError('STORE', 'refused by the test'))
      else await this.delete(key)
    }
    return batchOutcome(keys.length, failures)
  }
}

/** A remote whose state can be kept, and put in place of what it has by then. */
export class RewindableStore extends SteeredStore implements Marking {
  #mark = 0
  readonly #listeners = new Set<(setback: Setback) => void>()

  mark(): Promise<number> {
    return this.run('mark', () => ++this.#mark)
  }

  onSetback(listener: (setback: Setback) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @returns a function that puts back what is there now, and tells of it */
  snapshot(): (survived?: Promise<number | undefined>) => void {
    const entries = new Map(this.entries)
    const mark = this.#mark
    return survived => {
      this.entries.clear()
      for (const [key, entry] of entries) this.entries.set(key, entry)
      this.#mark = mark
      for (const listener of this.#listeners) {
        listener({ reason: 'rewound by the test', survived: survived ?? Promise.resolve(mark) })
      }
    }
  }
}

/** A bus between the "processes" of one test, whose stream the test can break. */
export class LocalBus implements InvalidationBus {
  readonly id: string
  connected = true
  publishing: 'serve' | 'refuse' = 'serve'
  readonly #peers: LocalBus[]
  readonly #listeners = new Set<(message: InvalidationMessage) => void>()
  readonly #gapListeners = new Set<(gap: Gap) => void>()

  constructor(id: string, peers: LocalBus[]) {
    this.id = id
    this.#peers = peers
    peers.push(this)
  }

  publish(invalidation: Invalidation): Awaitable<WriteOutcome> {
    if (this.publishing === 'refuse') return failed(new CacheError('UNAVAILABLE', 'refused by the test'))
    for (const peer of this.#peers) if (peer.connected) peer.deliver({ ...invalidation, source: this.id })
    return APPLIED
  }

  deliver(message: InvalidationMessage): void {
    for (const listener of this.#listeners) listener(message)
  }

  lose(): void {
    this.connected = false
    for (const listener of this.#gapListeners) listener({ connected: false, reason: 'lost by the test' })
  }

  restore(): void {
    for (const listener of this.#gapListeners) listener({ connected: true, reason: 'restored by the test' })
    this.connected = true
  }

  subscribe(listener: (message: InvalidationMessage) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onGap(listener: (gap: Gap) => void): () => void {
    this.#gapListeners.add(listener)
    return () => this.#gapListeners.delete(listener)
  }

  close(): void {}
}

/** A remote that grants a lease to everyone who misses, and takes what is loaded as the test says. To give one up does nothing. */
export class LeasingStore extends SteeredStore implements Leasing {
  filled: () => Awaitable<FillOutcome> = () => APPLIED

  async getOrLease(key: string): Promise<LeaseRead> {
    return (await this.get(key)) ?? { vacant: true, lease: { token: 'a' } }
  }

  fill(_key: string, _entry: Entry, _lease: Lease | undefined): Awaitable<FillOutcome> {
    return this.filled()
  }

  renew(): boolean {
    return true
  }
}
