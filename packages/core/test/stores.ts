import type {
  Awaitable,
  Batching,
  BatchRead,
  Coherent,
  Entry,
  Enumerable,
  Gap,
  Health,
  Invalidation,
  InvalidationBus,
  InvalidationMessage,
  Measurable,
  Near,
  Observed,
  Observer,
  Store,
  StoreHealth,
  Tagging,
  TierStats,
  Touching,
  WriteOutcome,
} from '@cache/core'
import { APPLIED, type Clock, isExpired, isFreshAt, ObserverSet, TagLog } from '@cache/core'

/** A store with the five methods only, that answers at once. */
export class BareStore implements Store {
  readonly name: string = 'bare'
  readonly entries: Map<string, Entry> = new Map()
  closed = 0
  protected readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  get(key: string): Entry | undefined {
    const entry = this.entries.get(key)
    return entry && !isExpired(entry, this.clock.now()) ? entry : undefined
  }

  set(key: string, entry: Entry): WriteOutcome {
    this.entries.set(key, entry)
    return APPLIED
  }

  delete(key: string): WriteOutcome {
    this.entries.delete(key)
    return APPLIED
  }

  clear(scope = ''): WriteOutcome {
    for (const key of this.entries.keys()) if (key.startsWith(scope)) this.entries.delete(key)
    return APPLIED
  }

  close(): Awaitable<void> {
    this.closed++
  }
}

/** A store with every capability, that answers at once. */
export class FullStore
  extends BareStore
  implements Near, Batching, Touching, Enumerable, Measurable, Health, Observed, Coherent
{
  override readonly name: string = 'full'
  readonly bus: TestBus = new TestBus()
  readonly observers: ObserverSet = new ObserverSet()
  /** The sizes of the batches it was asked for. */
  readonly batches: number[] = []

  getFresh(key: string, freshAt: number): Entry | undefined {
    const entry = this.get(key)
    return entry && isFreshAt(entry, freshAt) ? entry : undefined
  }

  getMany(keys: readonly string[]): BatchRead {
    this.batches.push(keys.length)
    const found = new Map<string, Entry>()
    for (const key of keys) {
      const entry = this.get(key)
      if (entry) found.set(key, entry)
    }
    return { found }
  }

  setMany(entries: ReadonlyMap<string, Entry>): WriteOutcome {
    this.batches.push(entries.size)
    for (const [key, entry] of entries) this.entries.set(key, entry)
    return APPLIED
  }

  deleteMany(keys: readonly string[]): WriteOutcome {
    this.batches.push(keys.length)
    for (const key of keys) this.entries.delete(key)
    return APPLIED
  }

  touch(key: string, freshUntil: number, expiresAt: number): WriteOutcome {
    const entry = this.get(key)
    if (entry && entry.expiresAt < expiresAt) this.entries.set(key, { ...entry, freshUntil, expiresAt })
    return APPLIED
  }

  *keys(scope = ''): Generator<string> {
    for (const key of this.entries.keys()) if (key.startsWith(scope)) yield key
  }

  measure(): readonly TierStats[] {
    return [
      { tier: 'near', items: this.entries.size, evictions: 2, expirations: 1 },
      { tier: 'far', evictions: 3 },
    ]
  }

  health(): StoreHealth {
    return { available: true, state: 'coherent' }
  }

  observe(observer: Observer): () => void {
    return this.observers.add(observer)
  }
}

/** A store that keeps tags. */
export class TaggingStore extends FullStore implements Tagging {
  readonly tags: TagLog = new TagLog()
  readonly written: WeakMap<Entry, number> = new WeakMap()

  override get(key: string): Entry | undefined {
    const entry = super.get(key)
    return entry && !this.tags.isOutdated(entry.tags, this.written.get(entry) ?? 0) ? entry : undefined
  }

  override set(key: string, entry: Entry): WriteOutcome {
    this.written.set(entry, this.tags.now)
    return super.set(key, entry)
  }

  override setMany(entries: ReadonlyMap<string, Entry>): WriteOutcome {
    for (const [key, entry] of entries) this.set(key, entry)
    return APPLIED
  }

  invalidateTags(tags: readonly string[]): WriteOutcome {
    this.tags.invalidate(tags)
    return APPLIED
  }
}

/** A bus on which the test is the peer. */
export class TestBus implements InvalidationBus {
  readonly id: string = 'this process'
  readonly connected: boolean = true
  readonly #listeners = new Set<(message: InvalidationMessage) => void>()
  readonly #gapListeners = new Set<(gap: Gap) => void>()

  publish(): WriteOutcome {
    return APPLIED
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

  get listeners(): number {
    return this.#listeners.size + this.#gapListeners.size
  }

  receive(invalidation: Invalidation, source = 'a peer'): void {
    for (const listener of this.#listeners) listener({ ...invalidation, source })
  }

  gap(): void {
    for (const listener of this.#gapListeners) listener({ connected: false, reason: 'stream broke' })
  }
}

/** The same store behind promises: each operation happens when called and answers a few microtasks later; but what it has at hand. */
export function asynchronous<S extends BareStore>(inner: S): Store {
  const delayed = async (method: PropertyKey, args: unknown[]): Promise<unknown> => {
    const operation = Reflect.get(inner, method) as (...args: unknown[]) => unknown
    const result = operation.apply(inner, args)
    await undefined
    await undefined
    return result
  }
  return new Proxy(inner, {
    get(target, property) {
      const member = Reflect.get(target, property)
      if (property === 'getFresh' && typeof member === 'function') return member.bind(inner)
      const waits = ['get', 'set', 'delete', 'clear', 'getMany', 'setMany', 'deleteMany', 'touch', 'close']
      if (!waits.includes(String(property)) || typeof member !== 'function') return member
      return (...args: unknown[]) => delayed(property, args)
    },
  }) as unknown as Store
}

/** One operation of a {@link ControlledStore}, waiting for the test to decide. */
export interface Operation {
  readonly method: 'get' | 'set' | 'delete' | 'clear'
  readonly key: string
  /** The operation happens now; the answer waits. */
  happen(): void
  /** The answer arrives; the operation happens first, if it has not. */
  answer(): Promise<void>
  fail(error: unknown): Promise<void>
}

/** A store with the five methods only, whose every operation the test lets happen, answers, fails or leaves hanging. */
export class ControlledStore implements Store {
  readonly name: string = 'controlled'
  readonly inner: BareStore
  readonly pending: Operation[] = []

  constructor(clock: Clock) {
    this.inner = new BareStore(clock)
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#operation('get', key, () => this.inner.get(key))
  }

  set(key: string, entry: Entry): Promise<WriteOutcome> {
    return this.#operation('set', key, () => this.inner.set(key, entry))
  }

  delete(key: string): Promise<WriteOutcome> {
    return this.#operation('delete', key, () => this.inner.delete(key))
  }

  clear(scope = ''): Promise<WriteOutcome> {
    return this.#operation('clear', scope, () => this.inner.clear(scope))
  }

  close(): void {}

  /** The oldest operation of a kind that was not answered. */
  next(method: Operation['method'], key?: string): Operation {
    const found = this.pending.find(
      operation => operation.method === method && (key === undefined || operation.key === key),
    )
    if (!found) throw new Error(`no ${method} of ${key ?? 'any key'} is pending`)
    return found
  }

  /** Answers everything, also what comes up meanwhile, in the order of the calls. */
  async answerAll(): Promise<void> {
    for (let idle = 0; idle < 3; idle++) {
      for (let first = this.pending[0]; first; first = this.pending[0]) {
        idle = 0
        await first.answer()
      }
      await settled()
    }
  }

  #operation<T>(method: Operation['method'], key: string, run: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    let done: { result: T } | undefined
    const leave = (): void => {
      this.pending.splice(this.pending.indexOf(operation), 1)
    }
    const operation: Operation = {
      method,
      key,
      happen: () => {
        done ??= { result: run() }
      },
      answer: () => {
        operation.happen()
        leave()
        resolve((done as { result: T }).result)
        return settled()
      },
      fail: error => {
        leave()
        reject(error)
        return settled()
      },
    }
    this.pending.push(operation)
    return promise
  }
}

/** A store of which every operation fails: at once, or from a promise. */
export function failingStore(error: unknown, kind: 'throws' | 'rejects'): Store {
  const fail = (): Promise<never> => {
    if (kind === 'throws') throw error
    return Promise.reject(error)
  }
  return { name: 'failing', get: fail, set: fail, delete: fail, clear: fail, close: () => {} }
}

/** Lets everything that only waits for microtasks go on. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
