import { CacheError, type Gap, type Invalidation, type WriteOutcome } from '@cache/core'
import type { Masters } from '../connect.ts'
import { ListenerSet } from './listener-set.ts'
import type { VersionedMessage } from './message.ts'
import { ANYBODY, PubSub, type PubSubOptions } from './pub-sub.ts'
import type { Stream } from './stream.ts'

/**
 * What the masters of a cluster track: each tells of its own keys, so that it takes a connection to every one of them. What is
 * announced arrives on all of these, and counts once.
 *
 * Without a single one of them something may be missed. So it is connected while all are, and every change of masters
 * is a gap.
 */
export class MasterStreams implements Stream {
  readonly id: string
  readonly #options: PubSubOptions
  readonly #masters: Masters
  readonly #listeners = new ListenerSet<VersionedMessage>()
  readonly #gapListeners = new ListenerSet<Gap>()
  /** By the address of the master. The first one's announcements count. */
  readonly #streams = new Map<string, PubSub>()
  /** What those that are connected said then. */
  readonly #standing = new Map<string, string>()
  #connected = false
  #opened = false
  #closed = false
  received = 0

  constructor(options: PubSubOptions, masters: Masters) {
    this.id = options.id
    this.#options = options
    this.#masters = masters
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
    for (const stream of this.#streams.values()) stream.close()
  }

  #open(): void {
    if (this.#closed) throw new CacheError('CLOSED', 'the bus is closed')
    if (this.#opened) return
    this.#opened = true
    this.#masters.onChange(() => this.#follow())
    this.#follow()
  }

  /** Listens to those that are masters now. */
  #follow(): void {
    if (this.#closed) return
    const masters = new Set(this.#masters.addresses())
    const gone = [...this.#streams.keys()].filter(address => !masters.has(address))
    const come = [...masters].filter(address => !this.#streams.has(address))
    if (gone.length === 0 && come.length === 0) return
    this.#lost('the cluster has other masters')
    for (const address of gone) this.#leave(address)
    for (const address of come) this.#join(address)
    this.#restoredIfComplete()
  }

  #leave(address: string): void {
    this.#streams.get(address)?.close()
    this.#streams.delete(address)
    this.#standing.delete(address)
  }

  #join(address: string): void {
    const { onLag } = this.#options
    const stream = new PubSub({
      ...this.#options,
      listening: this.#masters.listeningTo(address),
      onLag: ms => {
        if (this.#isFirst(address)) onLag?.(ms)
      },
    })
    this.#streams.set(address, stream)
    stream.subscribe(message => this.#onMessage(address, message))
    stream.onGap(gap => {
      if (this.#streams.get(address) === stream) this.#onGap(address, gap)
    })
  }

  #isFirst(address: string): boolean {
    const [first] = this.#streams.keys()
    return first === address
  }

  #onMessage(address: string, message: VersionedMessage): void {
    const isTracked = message.source === ANYBODY
    if (!isTracked && !this.#isFirst(address)) return
    if (!isTracked && message.source !== this.id) this.received++
    this.#listeners.tell(message)
  }

  #onGap(address: string, gap: Gap): void {
    if (!gap.connected) {
      this.#standing.delete(address)
      this.#lost(gap.reason)
    } else if (this.#connected) {
      this.#gapListeners.tell(gap)
    } else {
      this.#standing.set(address, gap.reason)
      this.#restoredIfComplete()
    }
  }

  #lost(reason: string): void {
    if (!this.#connected) return
    this.#connected = false
    this.#gapListeners.tell({ connected: false, reason })
  }

  #restoredIfComplete(): void {
    if (this.#streams.size === 0 || this.#standing.size < this.#streams.size) return
    // If one does not track, that is the shorter one.
    const [reason = ''] = [...this.#standing.values()].sort()
    this.#gapListeners.tell({ connected: true, reason })
    this.#connected = true
  }
}
