import {
  Cache,
  type Duration,
  inspectable,
  type Metadata,
  type SetOptions,
  type Store,
  WarmUpQueue,
  type WriteOutcome,
} from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { PrometheusMetrics } from '@cache/metrics-prometheus'
import { createCodec, RedisStore } from '@cache/redis'
import { TieredStore } from '@cache/tiered'
import { type Environment, settingsFromEnv } from './from-env.ts'
import { type ManagerStats, redisStats } from './manager-stats.ts'
import { type CacheManagerOptions, type Settings, settingsOf } from './options.ts'

/**
 * Everything behind one class: memory, Redis behind it if there is a `redisUrl`, warm-up and metrics. With Redis
 * away every call works on memory, and Redis is used again once it is back.
 *
 * Methods reject with a `CacheError` for bad input, before anything is written, and with `CLOSED` after `close`.
 * A bare number for a ttl is seconds.
 */
export class CacheManager implements AsyncDisposable {
  /** The cache below, for everything else: `getOrSet`, namespaces, events. */
  readonly cache: Cache
  /** The prom-client registry of this manager's metrics; `undefined` with `monitoringEnabled: false`. */
  readonly register: PrometheusMetrics['register'] | undefined
  readonly #settings: Settings
  readonly #warmup: WarmUpQueue
  #batchKeys = 0

  /** @throws CacheError `INVALID_OPTION` before anything is opened; never because Redis is away */
  constructor(options: CacheManagerOptions = {}) {
    const settings = settingsOf(options)
    const { defaultTtl, batchSize, monitoringEnabled } = settings
    const metrics = monitoringEnabled ? new PrometheusMetrics() : undefined
    this.#settings = settings
    this.cache = new Cache({
      store: storeOf(settings),
      ttl: defaultTtl,
      // Those who say how long a value lives mean just that.
      jitter: 0,
      batchSize,
      ...(metrics && { observer: metrics.observer }),
    })
    this.register = metrics?.register
    this.#warmup = new WarmUpQueue(this.cache, { batchSize })
    // util.inspect shows its cache and what waits for warm-up; neither keys, values nor the address of Redis.
    inspectable(CacheManager, manager => {
      return { cache: manager.cache, warmup: { queued: manager.#warmup.size } }
    })
  }

  /**
   * A manager set up by environment variables: `REDIS_URL`, `CACHE_TTL`, `MAX_MEMORY_SIZE`,
   * `COMPRESSION_THRESHOLD`, `CONNECTION_POOL_SIZE`, `EVICTION_STRATEGY`, `WARMUP_ENABLED`, `BATCH_SIZE`,
   * `MONITORING_ENABLED`. One that is empty counts as not set.
   *
   * @param overrides options that win over variables
   * @throws CacheError `INVALID_OPTION` naming the variable
   */
  static fromEnv(env: Environment = process.env, overrides: CacheManagerOptions = {}): CacheManager {
    return new CacheManager(settingsFromEnv(env, overrides))
  }

  /**
   * @param ttl default: `defaultTtl`
   * @param metadata a plain object to keep beside the value; `cache.getEntry(key)` returns it
   * @returns what became of it: `queued` when Redis is away and memory has it
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_VALUE`, `SERIALIZATION`, `CLOSED`
   */
  set(key: string, value: unknown, ttl?: Duration, metadata?: Metadata): Promise<WriteOutcome> {
    return this.cache.set(key, value, callOptions(ttl, metadata))
  }

  /**
   * The value, or `undefined`.
   *
   * @param ttl sliding expiry: on a hit the value lives at least this long from now
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `CLOSED`
   */
  get<T = unknown>(key: string, ttl?: Duration): Promise<T | undefined> {
    return this.cache.get<T>(key, callOptions(ttl))
  }

  /** @throws CacheError `INVALID_KEY`, `CLOSED` */
  delete(key: string): Promise<WriteOutcome> {
    return this.cache.delete(key)
  }

  /**
   * Writes an object or a `Map`, in batches of `batchSize`.
   *
   * @param ttl default: `defaultTtl`
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_VALUE`, `INVALID_OPTION`, `SERIALIZATION`, `CLOSED`
   */
  batchSet(
    items: Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>,
    ttl?: Duration,
  ): Promise<WriteOutcome> {
    return this.#inBatches(items, () => this.cache.setMany(items, callOptions(ttl)))
  }

  /** @throws CacheError `INVALID_KEY`, `INVALID_OPTION`, `CLOSED` */
  batchDelete(keys: readonly string[]): Promise<WriteOutcome> {
    return this.#inBatches(keys, () => this.cache.deleteMany(keys))
  }

  /**
   * The values of those keys that have one, in the order of `keys`.
   *
   * @throws CacheError `INVALID_KEY`, `INVALID_OPTION`, `CLOSED`
   */
  getMulti<T = unknown>(keys: readonly string[]): Promise<Map<string, T>> {
    return this.#inBatches(keys, () => this.cache.getMany<T>(keys))
  }

  /**
   * Queues a value to be written in the background. A key that is written or removed while it waits keeps what
   * it was given then.
   *
   * @returns whether it was accepted: not when warm-up is disabled, the queue holds 10,000 items, or after `close`
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_VALUE`, `SERIALIZATION`
   */
  warmupCache(key: string, value: unknown, ttl?: Duration, metadata?: Metadata): boolean {
    const options = callOptions(ttl, metadata)
    if (this.#settings.warmupEnabled) return this.#warmup.push({ key, value, ...options })
    this.cache.check(key, value, options)
    return false
  }

  /** Resolves when no warm-up waits or is being written. */
  whenWarm(): Promise<void> {
    return this.#warmup.whenIdle()
  }

  /** Counts, sizes and the state of Redis, from what is known here: nothing is asked. */
  getStats(): ManagerStats {
    const stats = this.cache.stats()
    const memory = stats.tiers.find(tier => tier.tier === 'memory')
    const { batchSize, warmupEnabled } = this.#settings
    return {
      stats,
      memoryUsage: { items: memory?.items ?? 0, bytes: memory?.bytes ?? 0 },
      redis: redisStats(this.cache.health()),
      batch: { size: batchSize, queued: this.#batchKeys },
      warmup: { enabled: warmupEnabled, queued: this.#warmup.size, ...this.#warmup.progress },
    }
  }

  /** Removes everything, from Redis too. @throws CacheError `CLOSED` */
  clear(): Promise<WriteOutcome> {
    return this.cache.clear()
  }

  /** Ends all connections and drops what waits for warm-up; the process may end then. Safe to call again. */
  async close(): Promise<void> {
    this.#warmup.close()
    await this.cache.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Runs a batch, its keys counted as long as it takes. */
  async #inBatches<T>(keys: object, run: () => Promise<T>): Promise<T> {
    const size = sizeOf(keys)
    this.#batchKeys += size
    try {
      return await run()
    } finally {
      this.#batchKeys -= size
    }
  }
}

function storeOf(settings: Settings): Store {
  const {
    redisUrl,
    maxMemorySize,
    maxMemoryBytes,
    compressMemory,
    evictionStrategy,
    connectionPoolSize,
    compressionThreshold,
    batchSize,
  } = settings
  const compression = { threshold: compressionThreshold }
  const memory = new MemoryStore({
    maxItems: maxMemorySize,
    // A bound that is never reached: with one the store weighs its entries, and getStats can tell the bytes.
    maxBytes: maxMemoryBytes ?? Number.MAX_SAFE_INTEGER,
    policy: evictionStrategy,
    ...(compressMemory && { codec: createCodec({ compression }) }),
  })
  if (redisUrl === undefined) return memory
  const redis = new RedisStore({
    url: redisUrl,
    poolSize: connectionPoolSize,
    compression,
    batchSize,
  })
  return new TieredStore({ l1: memory, l2: redis })
}

function callOptions(ttl?: Duration, metadata?: Metadata): SetOptions {
  return { ...(ttl !== undefined && { ttl }), ...(metadata !== undefined && { metadata }) }
}

function sizeOf(collection: object): number {
  return collection instanceof Map ? collection.size : Object.keys(collection ?? {}).length
}
