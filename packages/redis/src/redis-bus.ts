import { randomUUID } from 'node:crypto'
import type { Gap, Invalidation, InvalidationBus, InvalidationMessage, WriteOutcome } from '@cache/core'
import { announce } from './bus/announce.ts'
import { channelOf } from './bus/message.ts'
import type { BusMode } from './bus/pub-sub.ts'
import { Sender } from './bus/sender.ts'
import { openStream, type Stream } from './bus/stream.ts'
import { Keyspace } from './keyspace.ts'
import { type RedisOptions, resolveBusMode, resolveEndpoint } from './options.ts'
import { Pool } from './pool.ts'

export interface RedisBusOptions extends RedisOptions {
  /** What it hears. @default 'pubsub' */
  readonly mode?: BusMode
}

/**
 * Invalidations over Redis pub/sub, for stores that bring no bus of their own. A `RedisStore` brings one
 * (`store.bus`), which also announces what is written; this one only says what it is told to.
 *
 * It publishes on one connection and listens on another, made at the first `subscribe` or `onGap`. A connection
 * that dies silently is noticed within a second.
 */
export class RedisBus implements InvalidationBus, AsyncDisposable {
  readonly #pool: Pool
  readonly #stream: Stream

  /** @throws CacheError `INVALID_OPTION`; never because the server is away */
  constructor(options: RedisBusOptions) {
    const endpoint = resolveEndpoint(options)
    const { clock, listening, heartbeatMs, prefix, writeMs } = endpoint
    const mode = resolveBusMode(options.mode, 'mode')
    const pool = new Pool({ ...endpoint, size: 1, name: 'redis-bus', emit: () => {} })
    const channel = channelOf(prefix)
    const id = randomUUID()
    const sender = new Sender(id, clock)
    this.#pool = pool
    this.#stream = openStream({
      id,
      mode,
      keys: new Keyspace(prefix),
      channel,
      listening,
      heartbeatMs,
      clock,
      publish: async invalidation => {
        pool.assertOpen()
        return announce({ pool, operation: 'publish', channel, sender, timeoutMs: writeMs }, invalidation)
      },
    })
  }

  get id(): string {
    return this.#stream.id
  }

  get connected(): boolean {
    return this.#stream.connected
  }

  publish(invalidation: Invalidation): Promise<WriteOutcome> {
    return this.#stream.publish(invalidation)
  }

  subscribe(listener: (message: InvalidationMessage) => void): () => void {
    return this.#stream.subscribe(listener)
  }

  onGap(listener: (gap: Gap) => void): () => void {
    return this.#stream.onGap(listener)
  }

  async close(): Promise<void> {
    this.#stream.close()
    await this.#pool.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
