import type { Cache } from './cache.ts'
import { engineOf } from './engine-of.ts'
import { integer } from './options.ts'
import type { WarmUpItem, WarmUpProgress } from './warm-options.ts'

export interface WarmUpQueueOptions {
  /** Most items waiting; more are refused. An integer >= 1. @default 10_000 */
  readonly limit?: number
  /** Items written at once. An integer >= 1. @default 100 */
  readonly batchSize?: number
}

/**
 * A bounded queue of values to write in the background, batch by batch, without holding up the event loop.
 * A key that is written or invalidated while it waits is dropped from the queue: newer wins.
 */
export class WarmUpQueue<V = unknown> {
  readonly #cache: Cache<V>
  readonly #limit: number
  readonly #batchSize: number
  readonly #items = new Map<string, WarmUpItem<V>>()
  readonly #stopListening: () => void
  #draining: Promise<void> | undefined
  #done = 0
  #failed = 0
  #closed = false

  /** @throws CacheError `INVALID_OPTION` */
  constructor(cache: Cache<V>, options: WarmUpQueueOptions = {}) {
    this.#cache = cache
    this.#limit = integer(options.limit ?? 10_000, 'limit', 1)
    this.#batchSize = integer(options.batchSize ?? 100, 'batchSize', 1)
    engineOf(cache)?.statistics.queues.add(this.#items)
    this.#stopListening = cache.on('invalidated', event => {
      if ('key' in event) this.#items.delete(event.key)
      else if ('scope' in event)
        for (const key of this.#items.keys()) if (key.startsWith(event.scope)) this.#items.delete(key)
    })
  }

  /** Items waiting. */
  get size(): number {
    return this.#items.size
  }

  /** Items written, and those that could not be. */
  get progress(): Pick<WarmUpProgress, 'done' | 'failed'> {
    return { done: this.#done, failed: this.#failed }
  }

  /**
   * Queues an item; one that waits under the same key is replaced.
   *
   * @returns whether it was accepted: not when the queue is full or closed
   * @throws CacheError `INVALID_KEY`, `INVALID_TTL`, `INVALID_VALUE`, `SERIALIZATION`
   */
  push(item: WarmUpItem<V>): boolean {
    const { key, value, ...options } = item
    this.#cache.check(key, value, options)
    const address = this.#cache.address(key)
    if (this.#closed) return false
    if (this.#items.size >= this.#limit && !this.#items.has(address)) return false
    this.#items.set(address, item)
    this.#draining ??= this.#drain()
    return true
  }

  /** Resolves when nothing waits and nothing is being written. */
  async whenIdle(): Promise<void> {
    while (this.#draining) await this.#draining
  }

  /** Drops what waits; what comes later is refused. */
  close(): void {
    this.#closed = true
    this.#items.clear()
    engineOf(this.#cache)?.statistics.queues.delete(this.#items)
    this.#stopListening()
  }

  async #drain(): Promise<void> {
    while (this.#items.size > 0) {
      await new Promise(resolve => setImmediate(resolve))
      await this.#writeBatch()
    }
    this.#draining = undefined
  }

  async #writeBatch(): Promise<void> {
    try {
      const { done, failed } = await this.#cache.warm(this.#take(), { concurrency: 1, overwrite: true })
      this.#done += done
      this.#failed += failed
    } catch {
      this.#failed += this.#items.size // The cache was closed meanwhile.
      this.#items.clear()
    }
  }

  /** Lazily: an item leaves the queue, where an invalidation finds it, only when the cache has it in hand. */
  *#take(): Generator<WarmUpItem<V>> {
    let taken = 0
    for (const [address, item] of this.#items) {
      if (taken++ === this.#batchSize) return
      this.#items.delete(address)
      yield item
    }
  }
}
