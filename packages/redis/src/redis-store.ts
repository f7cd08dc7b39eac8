import { randomUUID } from 'node:crypto'
import {
  APPLIED,
  type Batching,
  type BatchRead,
  type Checking,
  type Coherent,
  type Entry,
  type Enumerable,
  failed,
  guarded,
  type Health,
  type Invalidation,
  type InvalidationBus,
  isExpired,
  type Observed,
  type Observer,
  ObserverSet,
  type Store,
  type StoreHealth,
  type StoreOperation,
  type Touching,
  toCacheError,
  type WriteOutcome,
} from '@cache/core'
import { announce } from './bus/announce.ts'
import { channelOf } from './bus/message.ts'
import { PubSub } from './bus/pub-sub.ts'
import { clearKeys } from './clear.ts'
import type { Command } from './connection.ts'
import { EntryCodec } from './entry-codec.ts'
import { LargeKeys } from './large-keys.ts'
import { type RedisStoreOptions, type ResolvedStoreOptions, resolveStoreOptions } from './options.ts'
import { Pool } from './pool.ts'
import { Reader } from './reader.ts'
import { scan } from './scan.ts'
import { touchCommand } from './touch.ts'
import { type Write, Writer } from './writer.ts'

/** The longest time to live that is sent to Redis, for entries that never expire: a hundred years. */
const MAX_TTL_MS = 36_500 * 86_400_000

/**
 * A store in Redis: a single server, 4.0 or newer, or one that speaks its protocol. Every command ends within
 * its deadline, whatever the server does; every write announces its keys to other processes in the same round
 * trip. Close it when done: until then its connections keep the process alive.
 *
 * A read that cannot be answered rejects with a `CacheError`: `UNAVAILABLE`, `TIMEOUT`, `CONFIGURATION` or
 * `STORE`. A write that cannot be done says so in its outcome; only `SERIALIZATION`, `INVALID_VALUE` and, after `close`,
 * `CLOSED` are thrown, at once and before anything is sent.
 */
export class RedisStore
  implements Store, Batching, Touching, Checking, Enumerable, Health, Observed, Coherent
{
  readonly name: 'redis' = 'redis'
  readonly #options: ResolvedStoreOptions
  readonly #observers = new ObserverSet()
  readonly #pool: Pool
  readonly #codec: EntryCodec
  readonly #reader: Reader
  readonly #writer: Writer
  readonly #channel: string
  /** The `source` of what this store announces, and the id of its bus. */
  readonly #id = randomUUID()
  #bus: PubSub | undefined

  /** @throws CacheError `INVALID_OPTION`; never because the server is away, and never with the URL */
  constructor(options: RedisStoreOptions) {
    this.#options = resolveStoreOptions(options)
    const { prefix, batchSize, readMs, writeMs, clock } = this.#options
    this.#channel = channelOf(prefix)
    this.#pool = new Pool({
      ...this.#options,
      size: this.#options.poolSize,
      name: this.name,
      emit: event => this.#observers.event(event),
    })
    const pool = this.#pool
    this.#codec = new EntryCodec(this.#options)
    const largeKeys = new LargeKeys()
    this.#reader = new Reader({
      pool,
      largeKeys,
      codec: this.#codec,
      prefix,
      batchSize,
      timeoutMs: readMs,
      clock,
      onCorrupt: (operation, error) =>
        this.#observers.event({ type: 'error', store: this.name, operation, error }),
    })
    this.#writer = new Writer({
      pool,
      largeKeys,
      prefix,
      batchSize,
      timeoutMs: writeMs,
      channel: this.#channel,
      source: this.#id,
    })
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#pool.assertOpen()
    return this.#reader.read(key)
  }

  /** A chunk of `batchSize` keys that fails is reported in `failures`; the others are found all the same. */
  async getMany(keys: readonly string[]): Promise<BatchRead> {
    this.#pool.assertOpen()
    return this.#reader.readMany(keys)
  }

  check(_key: string, entry: Entry): void {
    this.#codec.check(entry)
  }

  /** @returns `partial` if Redis has the entry but other processes were not told */
  set(key: string, entry: Entry): Promise<WriteOutcome> {
    return this.#write('set', () => [this.#toWrite(key, entry)])
  }

  /** @throws CacheError `SERIALIZATION` or `INVALID_VALUE` if a single value is, before any is written */
  setMany(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome> {
    return this.#write('setMany', () => Array.from(entries, ([key, entry]) => this.#toWrite(key, entry)))
  }

  delete(key: string): Promise<WriteOutcome> {
    return this.#write('delete', () => [{ key }])
  }

  deleteMany(keys: readonly string[]): Promise<WriteOutcome> {
    return this.#write('deleteMany', () => Array.from(new Set(keys), key => ({ key })))
  }

  /** Nobody is told: other processes keep the entry until the expiry they know, and then read the new one. */
  async touch(key: string, freshUntil: number, expiresAt: number): Promise<WriteOutcome> {
    this.#pool.assertOpen()
    const { prefix, writeMs } = this.#options
    const ttlMs = this.#ttlMs(expiresAt)
    if (ttlMs <= 0) return this.delete(key)
    const command = touchCommand(prefix + key, { freshUntil, expiresAt, ttlMs })
    try {
      await this.#pool.write('touch', this.#pool.routeOf(key, 0), [key], writeMs, command)
      return APPLIED
    } catch (thrown) {
      return failed(toCacheError(thrown, 'STORE', 'the expiry could not be moved'))
    }
  }

  /**
   * Removes page by page every key that begins with the prefix and `scope`, and none beside them; then tells
   * the other processes. Takes as long as there are keys; each of its commands has the deadline of a write.
   */
  async clear(scope?: string): Promise<WriteOutcome> {
    this.#pool.assertOpen()
    const { prefix, writeMs } = this.#options
    const outcome = await clearKeys(this.#pool, prefix + (scope ?? ''), writeMs)
    if (outcome.status !== 'applied') return outcome
    const told = await this.#announce('clear', { type: 'clear', ...(scope !== undefined && { scope }) })
    return told.status === 'applied' ? told : { ...told, status: 'partial' }
  }

  /** Some keys may come twice, and those written or removed meanwhile may be missed (SCAN). */
  async *keys(scope = ''): AsyncGenerator<string, void, void> {
    const { prefix, readMs } = this.#options
    const run = <T>(command: Command<T>): Promise<T> =>
      this.#pool.run('getMany', this.#pool.forRead(), readMs, command)
    for await (const page of scan(prefix + scope, run)) {
      for (const key of page) yield key.toString().slice(prefix.length)
    }
  }

  health(): StoreHealth {
    return this.#pool.health()
  }

  observe(observer: Observer): () => void {
    return this.#observers.add(guarded(observer))
  }

  /** Announces what this store writes, and hears what others write under the same prefix; closed with it. */
  get bus(): InvalidationBus {
    this.#bus ??= new PubSub({
      id: this.#id,
      mode: this.#options.busMode,
      prefix: this.#options.prefix,
      channel: this.#channel,
      connect: this.#options.connect,
      publish: invalidation => this.#announce('publish', invalidation),
      heartbeatMs: this.#options.heartbeatMs,
      clock: this.#options.clock,
    })
    return this.#bus
  }

  /** Waits for the commands that run, each of which ends by its deadline; a `client` of yours stays open. */
  async close(): Promise<void> {
    this.#bus?.close()
    await this.#pool.close()
  }

  /** Throws at once what the serializer refuses: the tiers above have written nothing yet. */
  #write(operation: StoreOperation, encode: () => readonly Write[]): Promise<WriteOutcome> {
    this.#pool.assertOpen()
    return this.#writer.write(operation, encode())
  }

  /** An entry that is over already removes what was there. */
  #toWrite(key: string, entry: Entry): Write {
    if (isExpired(entry, this.#options.clock.now())) return { key }
    return { key, stored: { bytes: this.#codec.encode(entry), ttlMs: this.#ttlMs(entry.expiresAt) } }
  }

  #ttlMs(expiresAt: number): number {
    return Math.min(Math.ceil(expiresAt - this.#options.clock.now()), MAX_TTL_MS)
  }

  #announce(operation: StoreOperation, invalidation: Invalidation): Promise<WriteOutcome> {
    return announce(
      {
        pool: this.#pool,
        operation,
        channel: this.#channel,
        source: this.#id,
        timeoutMs: this.#options.writeMs,
      },
      invalidation,
    )
  }
}
