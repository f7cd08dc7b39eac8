import {
  CacheError,
  type Clock,
  type Gap,
  type Invalidation,
  type InvalidationBus,
  type InvalidationMessage,
  type TimerHandle,
  type WriteOutcome,
} from '@cache/core'
import type { Connect } from '../connect.ts'
import type { RedisLike } from '../redis-like.ts'
import { decodeMessage } from './message.ts'

export interface PubSubOptions {
  readonly id: string
  readonly channel: string
  /** Makes the connection to listen on, at the first `subscribe` or `onGap`. */
  readonly connect: Connect
  readonly publish: (invalidation: Invalidation) => Promise<WriteOutcome>
  readonly heartbeatMs: number
  readonly clock: Clock
}

/**
 * A bus over a Redis channel. Redis keeps nothing for a listener that is away, so every loss of the connection
 * is a gap; a heartbeat finds the losses that TCP does not tell of (a frozen server, a dead route) within two
 * beats.
 */
export class PubSub implements InvalidationBus {
  readonly id: string
  readonly #options: PubSubOptions
  readonly #listeners = new Set<(message: InvalidationMessage) => void>()
  readonly #gapListeners = new Set<(gap: Gap) => void>()
  #client: RedisLike | undefined
  #timer: TimerHandle | undefined
  #connected = false
  /** Whether a PING or SUBSCRIBE was sent and not answered. */
  #awaiting = false
  #closed = false

  constructor(options: PubSubOptions) {
    this.id = options.id
    this.#options = options
  }

  get connected(): boolean {
    return this.#connected
  }

  publish(invalidation: Invalidation): Promise<WriteOutcome> {
    return this.#options.publish(invalidation)
  }

  subscribe(listener: (message: InvalidationMessage) => void): () => void {
    this.#open()
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onGap(listener: (gap: Gap) => void): () => void {
    this.#open()
    this.#gapListeners.add(listener)
    return () => this.#gapListeners.delete(listener)
  }

  close(): void {
    this.#closed = true
    this.#connected = false
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer)
    this.#client?.disconnect()
  }

  #open(): void {
    if (this.#closed) throw new CacheError('CLOSED', 'the bus is closed')
    if (this.#client) return
    const client = this.#options.connect()
    this.#client = client
    client.on('ready', () => this.#listen(client))
    client.on('close', () => this.#broke('the connection to Redis was lost'))
    client.on('error', () => {}) // 'close' follows, and that is a gap
    client.on('messageBuffer', (_channel: unknown, bytes: Buffer) => this.#receive(bytes))
    this.#scheduleBeat()
  }

  async #listen(client: RedisLike): Promise<void> {
    this.#awaiting = true
    try {
      await client.subscribe(this.#options.channel)
    } catch {
      return // the next beat tries again, or the connection is gone
    } finally {
      this.#awaiting = false
    }
    if (this.#closed || client.status !== 'ready') return
    // What arrived until now may have been dropped here; the gap makes up for it.
    this.#tellGap({ connected: true, reason: 'listening to Redis' })
    this.#connected = true
  }

  #receive(bytes: Buffer): void {
    if (!this.#connected) return
    const message = decodeMessage(bytes)
    if (message) for (const listener of this.#listeners) spare(() => listener(message))
    else this.#tellGap({ connected: true, reason: 'a message could not be understood' })
  }

  #broke(reason: string): void {
    this.#awaiting = false
    if (!this.#connected) return
    this.#connected = false
    this.#tellGap({ connected: false, reason })
  }

  #tellGap(gap: Gap): void {
    for (const listener of this.#gapListeners) spare(() => listener(gap))
  }

  #scheduleBeat(): void {
    const { clock, heartbeatMs } = this.#options
    // An immediate, because after a stall of the event loop the answer may lie unread in the socket.
    this.#timer = clock.setTimeout(() => setImmediate(() => this.#beat()), heartbeatMs)
    this.#timer.unref?.()
  }

  #beat(): void {
    const client = this.#client
    if (this.#closed || !client) return
    this.#scheduleBeat()
    if (client.status !== 'ready') return
    if (this.#awaiting) {
      this.#broke('Redis missed a heartbeat')
      client.disconnect(true)
    } else if (this.#connected) {
      this.#ping(client)
    } else {
      this.#listen(client)
    }
  }

  async #ping(client: RedisLike): Promise<void> {
    this.#awaiting = true
    try {
      await client.ping()
      this.#awaiting = false
    } catch {
      // Still awaiting: the connection closes, or the next beat finds the heartbeat missed.
    }
  }
}

/** A listener's fault must not cost the others a message. */
function spare(fn: () => void): void {
  try {
    fn()
  } catch {}
}
