import { MARK, type Slots } from '../slots.ts'
import { GhostQueue } from './ghost-queue.ts'
import { KeyHasher } from './key-hasher.ts'
import type { Policy } from './policy.ts'

const SMALL = 0
const MAIN = 1

/** In a slot: the hash of its key. */
const HASH = MARK

/** A state: uses, up to three, and whether the entry is in the main queue. */
const USES = 3
const IN_MAIN = 4

/** Share of the entries that the small queue is for. */
const SMALL_SHARE = 0.1
/** Keys remembered after they left the small queue, for each entry held. */
const GHOST_SHARE = 0.9
/** Uses in the small queue that open the main one. */
const PROMOTION = 2

/**
 * S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson, SOSP 2023): three queues, first in, first out. Newcomers go through a small
 * one; who was used twice there moves on to the main queue, the others leave and are remembered as ghosts. Who
 * comes back while remembered enters the main queue at once. There, entries that were used go round again, as many
 * times as they were used, three at most.
 *
 * Most keys of most workloads are never asked for again: they are out after a tenth of the cache has passed. Shares and
 * thresholds are those of the authors' implementation. They are of the entries held, so that a bound on bytes will
 * do as well.
 */
export class S3Fifo implements Policy {
  static readonly words = 3
  static readonly anchors = 2
  readonly #slots: Slots<unknown, unknown>
  readonly #hasher: KeyHasher
  readonly #ghosts = new GhostQueue()
  /** By slot, and apart from all else, so that a hit finds them in the processor's cache. */
  #states: Uint8Array<ArrayBuffer> = new Uint8Array(1)
  #small = 0
  #main = 0
  /** Of the key that arrives: its hash, and whether it was a ghost. */
  #hash = 0
  #returns = false

  constructor(slots: Slots<unknown, unknown>, seed?: number) {
    this.#slots = slots
    this.#hasher = new KeyHasher(seed)
  }

  /** Looks for the ghost before an eviction can push it out. */
  arrive(key: unknown): void {
    this.#hash = this.#hasher.hash(key)
    this.#returns = this.#ghosts.take(this.#hash)
  }

  admit(slot: number): void {
    const slots = this.#slots
    const returns = this.#returns
    if (slot >= this.#states.length) this.#growStates()
    this.#states[slot] = returns ? IN_MAIN : 0
    slots.words[slot * slots.stride + HASH] = this.#hash
    slots.append(slot, returns ? MAIN : SMALL)
    if (returns) this.#main++
    else this.#small++
  }

  use(slot: number): void {
    const states = this.#states
    const state = states[slot] as number
    if ((state & USES) !== USES) states[slot] = state + 1
  }

  remove(slot: number): void {
    this.#slots.unlink(slot)
    if ((this.#state(slot) & IN_MAIN) === 0) this.#small--
    else this.#main--
  }

  victim(): number {
    const held = this.#small + this.#main
    const mainShare = held - Math.floor(held * SMALL_SHARE)
    const fromSmall = this.#main <= mainShare ? this.#smallVictim(held) : 0
    return fromSmall === 0 ? this.#mainVictim() : fromSmall
  }

  *order(): IterableIterator<number> {
    yield* this.#slots.ring(SMALL)
    yield* this.#slots.ring(MAIN)
  }

  /** The oldest of the small queue that was not used enough; those before it move on. 0 if all did. */
  #smallVictim(held: number): number {
    const slots = this.#slots
    while (this.#small > 0) {
      const slot = slots.next(SMALL)
      if ((this.#state(slot) & USES) < PROMOTION) {
        const hash = slots.words[slot * slots.stride + HASH] as number
        this.#ghosts.add(hash, Math.floor(held * GHOST_SHARE))
        return slot
      }
      this.#states[slot] = IN_MAIN
      slots.unlink(slot)
      slots.append(slot, MAIN)
      this.#small--
      this.#main++
    }
    return 0
  }

  /** The oldest of the main queue that has no more rounds to go. */
  #mainVictim(): number {
    const slots = this.#slots
    for (;;) {
      const slot = slots.next(MAIN)
      const state = this.#state(slot)
      if ((state & USES) === 0) return slot
      this.#states[slot] = state - 1
      slots.unlink(slot)
      slots.append(slot, MAIN)
    }
  }

  #state(slot: number): number {
    return this.#states[slot] as number
  }

  #growStates(): void {
    this.#states = new Uint8Array(this.#states.buffer.transfer(this.#slots.capacity))
  }
}
