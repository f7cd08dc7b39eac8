import {
  CacheError,
  type Clock,
  type Gap,
  type Invalidation,
  type TimerHandle,
  type WriteOutcome,
} from '@cache/core'
import type { Listening } from '../connect.ts'
import type { Keyspace } from '../keyspace.ts'
import type { RedisLike } from '../redis-like.ts'
import { ListenerSet } from './listener-set.ts'
import { decodeMessage, echoed, openingOf, type VersionedMessage } from './message.ts'
import type { Stream } from './stream.ts'
import { decodeTracked, TRACKED, track } from './tracking.ts'

/**
 * - `pubsub`: hears what stores and buses of this package announce. The cheapest.
 * - `tracking`: also hears of every change of a key under the prefix, whoever makes it (`redis-cli`, another program, an
 *   expiry), by CLIENT TRACKING. Its own writes come back too, and drop what is near; every listener costs Redis some
 *   work with every write. In a cluster it takes a connection to every master. Where Redis does not offer it, this is `pubsub`.
 */
export type BusMode = 'pubsub' | 'tracking'

export interface PubSubOptions {
  readonly id: string
  /** Whether to hear of keys that any program changes, not only of what is announced. */
  readonly mode: BusMode
  readonly keys: Keyspace
  readonly channel: string
  /** Makes the connection to listen on, at the first `subscribe` or `onGap`. */
  readonly listening: Listening
  readonly publish: (invalidation: Invalidation) => Promise<WriteOutcome>
  /** Hears how many milliseconds a message of another process was on its way, by the clocks of both. */
  readonly onLag?: (ms: number) => void
  readonly heartbeatMs: number
  readonly clock: Clock
}

/** How soon it is looked again for a server to listen to, in milliseconds. */
const LOOK_AGAIN_MS = 50

/** The `source` of what Redis itself tells: nobody's, for it does not say who made a change. */
export const ANYBODY = ''

/**
 * A bus over a Redis channel, and over what Redis tracks if asked. Redis keeps nothing for a listener that is away, so every loss of the connection
 * is a gap; a heartbeat finds the losses that TCP does not tell of (a frozen server, a dead route) within two
 * beats.
 */
export class PubSub implements Stream {
  readonly id: string
  readonly #options: PubSubOptions
  /** What messages of our own about keys begin with. */
  readonly #opening: Buffer
  readonly #listeners = new ListenerSet<VersionedMessage>()
  readonly #gapListeners = new ListenerSet<Gap>()
  #client: RedisLike | undefined
  #timer: TimerHandle | undefined
  #connected = false
  #tracks = false
  /** Whether a PING or SUBSCRIBE was sent and not answered. */
  #awaiting = false
  #closed = false
  /** Messages of others that arrived. */
  received = 0

  constructor(options: PubSubOptions) {
    this.id = options.id
    this.#opening = Buffer.from(openingOf(options.id))
    this.#options = options
  }

  get connected(): boolean {
    return this.#connected
  }

  publish(invalidation: Invalidation): Promise<WriteOutcome> {
    return this.#options.publish(invalidation)
  }

  subscribe(listener: (message: VersionedMessage) => void): () => void {
    this.#open()
    return this.#listeners.add(listener)
  }

  onGap(listener: (gap: Gap) => void): () => void {
    this.#open()
    return this.#gapListeners.add(listener)
  }

  close(): void {
    this.#closed = true
    this.#connected = false
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer)
    this.#client?.disconnect()
  }

  #open(): void {
    if (this.#closed) throw new CacheError('CLOSED', 'the bus is closed')
    if (this.#timer) return
    this.#connect()
    this.#scheduleBeat()
  }

  #connect(): void {
    const { listening, mode } = this.#options
    const client = listening.connect(mode === 'tracking' ? { protocol: 2 } : {})
    this.#client = client
    if (!client) return // the next beat tries again
    client.on('ready', () => this.#listen(client))
    client.on('close', () => this.#broke('the connection to Redis was lost'))
    client.on('end', () => this.#ended(client))
    client.on('error', () => {}) // 'close' follows, and that is a gap
    client.on('messageBuffer', (channel: unknown, payload: unknown) => {
      if (this.#tracks && String(channel) === TRACKED) this.#receiveTracked(payload)
      else this.#receive(payload)
    })
  }

  /** The connection will not be made anew by itself: the next beat makes another one, to another node of a cluster. */
  #ended(client: RedisLike): void {
    if (this.#client === client) this.#client = undefined
  }

  async #listen(client: RedisLike): Promise<void> {
    const { check } = this.#options.listening
    this.#awaiting = true
    try {
      await check?.(client)
      await this.#subscribe(client)
    } catch {
      if (check) client.disconnect() // another node may do better
      return // the next beat tries again, or the connection is gone
    } finally {
      this.#awaiting = false
    }
    if (this.#closed || client.status !== 'ready') return
    // What arrived until now may have been dropped here; the gap makes up for it.
    this.#gapListeners.tell({
      connected: true,
      reason: this.#tracks ? 'listening to Redis and what it tracks' : 'listening to Redis',
    })
    this.#connected = true
  }

  /** Tracking has to be asked for first: a RESP2 connection that is subscribed takes no other command. */
  async #subscribe(client: RedisLike): Promise<void> {
    const { mode, keys, channel } = this.#options
    this.#tracks = mode === 'tracking' && (await tracks(client, keys.prefix))
    await client.subscribe(...(this.#tracks ? [TRACKED, channel] : [channel]))
  }

  /** What is no message at all is one that cannot be understood: a listener of the client that throws would end the process. */
  #receive(payload: unknown): void {
    if (!this.#connected) return
    const message = Buffer.isBuffer(payload) ? this.#decode(payload) : undefined
    if (message) {
      this.#noteArrival(message)
      this.#listeners.tell(message)
    } else this.#gapListeners.tell({ connected: true, reason: 'a message could not be understood' })
  }

  #decode(bytes: Buffer): VersionedMessage | undefined {
    const own = bytes.subarray(0, this.#opening.length).equals(this.#opening)
    return own ? echoed(this.id, bytes) : decodeMessage(bytes)
  }

  #noteArrival({ source, at }: VersionedMessage): void {
    if (source === this.id) return
    this.received++
    const { clock, onLag } = this.#options
    if (at !== undefined) onLag?.(Math.max(0, clock.now() - at))
  }

  #receiveTracked(payload: unknown): void {
    if (!this.#connected) return
    const invalidation = decodeTracked(payload, this.#options.keys)
    if (invalidation) this.#listeners.tell({ ...invalidation, source: ANYBODY })
    else this.#gapListeners.tell({ connected: true, reason: 'the database was emptied' })
  }

  #broke(reason: string): void {
    this.#awaiting = false
    if (!this.#connected) return
    this.#connected = false
    this.#gapListeners.tell({ connected: false, reason })
  }

  #scheduleBeat(): void {
    const { clock } = this.#options
    const heartbeatMs = this.#client ? this.#options.heartbeatMs : LOOK_AGAIN_MS
    // An immediate, because after a stall of the event loop the answer may lie unread in the socket.
    this.#timer = clock.setTimeout(() => setImmediate(() => this.#beat()), heartbeatMs)
    this.#timer.unref?.()
  }

  #beat(): void {
    if (this.#closed) return
    if (!this.#client) this.#connect()
    this.#scheduleBeat()
    const client = this.#client
    if (client?.status !== 'ready') return
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
      await Promise.all([client.ping(), this.#options.listening.check?.(client)])
      this.#awaiting = false
    } catch {
      // Still awaiting: the connection closes, or the next beat finds the heartbeat missed.
    }
  }
}

/** Whether Redis tracks now. @throws if the connection is gone, which says nothing about it */
async function tracks(client: RedisLike, prefix: string): Promise<boolean> {
  try {
    await track(client, prefix)
    return true
  } catch (thrown) {
    if (client.status !== 'ready') throw thrown
    return false
  }
}
