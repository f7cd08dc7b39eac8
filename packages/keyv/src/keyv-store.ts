import {
  APPLIED,
  type Batching,
  type BatchRead,
  batchOutcome,
  CacheError,
  type Checking,
  type Clock,
  type Duration,
  type Entry,
  failed,
  type Guaranteeing,
  guarded,
  invalidOption,
  isExpired,
  type Observed,
  type Observer,
  ObserverSet,
  type Store,
  type StoreOperation,
  systemClock,
  toCacheError,
  toMilliseconds,
  type WriteOutcome,
} from '@cache/core'
import { Deadline } from './deadline.ts'
import { FailureWatch } from './failure-watch.ts'
import type { KeyvStorage } from './keyv-storage.ts'
import { decode, encode } from './record.ts'
import { WriteQueue } from './write-queue.ts'

export interface KeyvStoreOptions {
  /** The storage adapter: `new KeyvPostgres(…)`, and not a `Keyv` over it. Owned: disconnected with this store. */
  readonly storage: KeyvStorage
  /**
   * Begins every key, and is the storage's namespace: lower-case letters, digits and hyphens, for some adapters look their
   * keys up by patterns. @default 'cache'
   */
  readonly namespace?: string
  /** How long a call may take. @default 1 second each */
  readonly timeouts?: { readonly read?: Duration; readonly write?: Duration }
  /** Time. @default the machine's */
  readonly clock?: Clock
}

/**
 * A store in anything that Keyv has a storage adapter for: PostgreSQL, MySQL, MongoDB, DynamoDB, etcd, Memcached, SQLite.
 *
 * A read that cannot be answered rejects with a `CacheError` (`TIMEOUT`, `STORE`, `CORRUPT`); a write that cannot be done says so in
 * its outcome. Values are kept as JSON. There are no leases, no tags and no announcements to other processes: no adapter offers
 * what they need.
 */
export class KeyvStore implements Store, Batching, Checking, Guaranteeing, Observed {
  readonly name: 'keyv' = 'keyv'
  readonly guarantees: Guaranteeing['guarantees'] = { bounded: true, ordered: true }
  readonly #storage: KeyvStorage
  readonly #prefix: string
  readonly #namespace: string
  readonly #clock: Clock
  readonly #read: Deadline
  readonly #write: Deadline
  readonly #failures: FailureWatch
  readonly #queue = new WriteQueue()
  readonly #observers = new ObserverSet()
  #closed = false

  /** @throws CacheError `INVALID_OPTION` */
  constructor({ storage, namespace = 'cache', timeouts = {}, clock = systemClock }: KeyvStoreOptions) {
    assertStorage(storage)
    if (typeof namespace !== 'string' || !/^[a-z0-9-]{1,64}$/.test(namespace))
      throw invalidOption('namespace', namespace, '1 to 64 lower-case letters, digits and hyphens')
    this.#storage = storage
    this.#namespace = namespace
    this.#prefix = `${namespace}:`
    this.#clock = clock
    this.#read = new Deadline(toMilliseconds(timeouts.read ?? 1, 'timeouts.read'), clock)
    this.#write = new Deadline(toMilliseconds(timeouts.write ?? 1, 'timeouts.write'), clock)
    this.#failures = new FailureWatch(storage)
    storage.namespace = namespace
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#assertOpen()
    return this.#alive(key, await this.#ask(() => this.#storage.get(this.#prefix + key)))
  }

  set(key: string, entry: Entry): Promise<WriteOutcome> {
    this.#assertOpen()
    const text = encode(entry)
    return this.#change([key], () => this.#put(key, text, entry.expiresAt))
  }

  delete(key: string): Promise<WriteOutcome> {
    this.#assertOpen()
    return this.#change([key], () => this.#storage.delete(this.#prefix + key))
  }

  /**
   * Over an adapter that cannot list its keys a scope cannot be cleared alone: everything of the namespace is. It takes as long as
   * there are keys.
   */
  clear(scope = ''): Promise<WriteOutcome> {
    this.#assertOpen()
    const done = this.#queue.runAlone(() =>
      this.#failures.watch(() => {
        const isListed = scope !== '' && this.#storage.iterator !== undefined
        return isListed ? this.#clearListed(scope) : this.#storage.clear()
      }),
    )
    return this.#outcome(done)
  }

  /** A storage that cannot read many at once is asked for each. Keys whose entry cannot be read are in `failures`. */
  async getMany(keys: readonly string[]): Promise<BatchRead> {
    this.#assertOpen()
    const full = keys.map(key => this.#prefix + key)
    const raws = await this.#ask(() =>
      this.#storage.getMany
        ? this.#storage.getMany(full)
        : Promise.all(full.map(key => this.#storage.get(key))),
    )
    const found = new Map<string, Entry>()
    const failures = new Map<string, CacheError>()
    for (const [i, key] of keys.entries()) {
      try {
        const entry = this.#alive(key, raws[i])
        if (entry) found.set(key, entry)
      } catch (thrown) {
        failures.set(key, toCacheError(thrown, 'CORRUPT', 'what is stored cannot be read'))
      }
    }
    return failures.size > 0 ? { found, failures } : { found }
  }

  /** Each for itself: not all adapters can say which part of a batch failed. @throws CacheError `SERIALIZATION`, with none written */
  async setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    this.#assertOpen()
    for (const [key, entry] of entries) this.check(key, entry)
    return each([...entries.keys()], key => this.set(key, entries.get(key) as Entry))
  }

  async deleteMany(keys: readonly string[]): Promise<WriteOutcome> {
    this.#assertOpen()
    return each([...new Set(keys)], key => this.delete(key))
  }

  check(_key: string, entry: Entry): void {
    encode(entry)
  }

  observe(observer: Observer): () => void {
    return this.#observers.add(guarded(observer))
  }

  /** Waits for the writes under way within their deadline, and disconnects the storage. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#write.of(this.#queue.whenIdle()).catch(() => {})
    await this.#write
      .of(Promise.resolve(this.#storage.disconnect?.()))
      .catch(thrown => this.#tell('close', thrown))
  }

  /** What was read, unless its time is up: then it is removed, for not every storage does that. */
  #alive(key: string, raw: unknown): Entry | undefined {
    if (raw === undefined || raw === null) return undefined
    const entry = decode(raw)
    if (!isExpired(entry, this.#clock.now())) return entry
    void this.#sweep(key)
    return undefined
  }

  /** Removes what is over still when it is its turn. */
  async #sweep(key: string): Promise<void> {
    const full = this.#prefix + key
    try {
      await this.#queue.run([key], async () => {
        const raw = await this.#storage.get(full)
        if (typeof raw === 'string' && isExpired(decode(raw), this.#clock.now()))
          await this.#storage.delete(full)
      })
    } catch (thrown) {
      this.#tell('delete', thrown)
    }
  }

  async #put(key: string, text: string, expiresAt: number): Promise<void> {
    const full = this.#prefix + key
    const ttl = Math.ceil(expiresAt - this.#clock.now())
    if (ttl <= 0) await this.#storage.delete(full)
    else if (expiresAt === Number.POSITIVE_INFINITY) await this.#storage.set(full, text)
    else await this.#storage.set(full, text, this.#storage.capabilities?.expires ? expiresAt : ttl)
  }

  async #clearListed(scope: string): Promise<void> {
    const wanted = this.#prefix + scope
    const keys = new Set<string>()
    // Listed to the end before any is removed: some adapters page by position.
    for await (const pair of this.#storage.iterator?.(this.#namespace) ?? []) {
      const [key] = pair as readonly [unknown]
      if (typeof key !== 'string') continue
      // Some adapters list what they were given, some leave the namespace out.
      for (const full of [key, this.#prefix + key]) if (full.startsWith(wanted)) keys.add(full)
    }
    for (const key of keys) await this.#storage.delete(key)
  }

  #ask<T>(read: () => Promise<T>): Promise<T> {
    const asked = this.#failures.watch(read)
    return this.#read.of(asked).catch(thrown => {
      throw toCacheError(thrown, 'STORE', 'the Keyv storage could not be read')
    })
  }

  #change(keys: readonly string[], write: () => Promise<unknown>): Promise<WriteOutcome> {
    return this.#outcome(this.#queue.run(keys, () => this.#failures.watch(write)))
  }

  async #outcome(done: Promise<unknown>): Promise<WriteOutcome> {
    try {
      await this.#write.of(done)
      return APPLIED
    } catch (thrown) {
      return failed(toCacheError(thrown, 'STORE', 'the Keyv storage could not be written to'))
    }
  }

  #tell(operation: StoreOperation, thrown: unknown): void {
    const error = toCacheError(thrown, 'STORE', 'the Keyv storage failed')
    this.#observers.event({ type: 'error', store: this.name, operation, error })
  }

  #assertOpen(): void {
    if (this.#closed) throw new CacheError('CLOSED', 'the keyv store is closed')
  }
}

async function each(
  keys: readonly string[],
  write: (key: string) => Promise<WriteOutcome>,
): Promise<WriteOutcome> {
  const outcomes = await Promise.all(keys.map(write))
  const failures = new Map<string, CacheError>()
  for (const [i, { error }] of outcomes.entries()) if (error) failures.set(keys[i] as string, error)
  return batchOutcome(keys.length, failures)
}

function assertStorage(storage: unknown): asserts storage is KeyvStorage {
  const methods = ['get', 'set', 'delete', 'clear'] as const
  const candidate = (typeof storage === 'object' && storage !== null ? storage : {}) as Record<
    string,
    unknown
  >
  // A Keyv would make a miss of every failure.
  if ('store' in candidate && 'stats' in candidate)
    throw invalidOption(
      'storage',
      storage,
      "a Keyv storage adapter itself, not a Keyv over it (that one's .store)",
    )
  if (methods.every(method => typeof candidate[method] === 'function')) return
  throw invalidOption('storage', storage, `a Keyv storage adapter (${methods.join(', ')})`)
}
