import { MARK, type Slots } from '../slots.ts'
import { GhostTable } from './ghost-table.ts'
import {
  accessed,
  frequencyOf,
  isRead,
  MAX_FREQUENCY,
  type Mark,
  movedTo,
  newMark,
  nextEpoch,
  ringOf,
  unread,
} from './mark.ts'

const WINDOW = 0
const PROBATION = 1
const PROTECTED = 2
const NONE = 0

/** In a slot: the hash of its key. */
export const HASH: number = MARK

/** Accesses for each entry after which all frequencies are halved (TinyLFU). */
const AGEING = 10
/** Keys remembered after they left, for each entry. At two bytes each, they take what the sketch of W-TinyLFU takes. */
const GHOSTS = 4
/** Share of main that is protected (segmented LRU, as in Caffeine). */
const PROTECTED_SHARE = 0.8
/** The access that brought an entry is none: who has no other is no match for anyone. */
const NO_EVIDENCE = 1
/** Most entries looked at, at one go, for one that was not read. */
const TRIES = 8
/** Most entries that a window above its target gives to main on an admission. */
const DRAIN = 2

/**
 * W-TinyLFU with a window of a given share and exact counts; `TinyLfu` tells what differs from the paper and why.
 *
 * Newcomers enter the window, an LRU ring. Who comes to its end challenges the entry of main that is to leave next: the
 * one with the higher frequency stays. Main is segmented: entries read on probation become protected. That is made
 * up for when main has to name somebody; a hit there writes one word and moves nothing.
 */
export class WindowTinyLfu {
  static readonly words = 3
  static readonly anchors = 3
  readonly #slots: Slots<unknown, unknown>
  /** By slot, and apart from all else, so that a hit finds them in the processor's cache. */
  #marks: Int32Array<ArrayBuffer> = new Int32Array(1)
  /** By ring: entries there. */
  readonly #sizes = [0, 0, 0]
  #share: number
  #limit = Number.POSITIVE_INFINITY
  /** Entries that the targets below are for. */
  #capacity = 0
  #windowTarget = 0
  #protectedTarget = 0
  #ghosts: GhostTable | undefined
  #ghostsFor = 0
  #epoch = 0
  /** The part of the ghosts to be aged next; accesses since the last, and how many are to lie between two. */
  #part = 0
  #accesses = 0
  #accessesPerPart = 0

  /** @param share of the window; 1 makes an LRU */
  constructor(slots: Slots<unknown, unknown>, share: number) {
    this.#slots = slots
    this.#share = share
  }

  /** How many entries there were when room was made for ghosts; 0 before the first eviction. */
  get ghostsFor(): number {
    return this.#ghostsFor
  }

  limit(maxItems: number): void {
    this.#limit = maxItems
    this.#aim(maxItems)
  }

  setShare(share: number): void {
    this.#share = share
    this.#aim(this.#capacity)
  }

  admit(slot: number, hash: number): void {
    this.#tick()
    const slots = this.#slots
    if (slot >= this.#marks.length) this.#growMarks()
    const known = this.#ghosts === undefined ? 0 : this.#ghosts.take(hash, this.#epoch)
    this.#marks[slot] = newMark(hash, Math.min(known + 1, MAX_FREQUENCY), this.#epoch)
    slots.words[slot * slots.stride + HASH] = hash
    slots.append(slot, WINDOW)
    this.#resize(WINDOW, 1)
    for (let i = 0; i < DRAIN && this.#size(WINDOW) > this.#windowTarget; i++) {
      this.#move(slots.next(WINDOW), WINDOW, PROBATION)
    }
    this.#demote()
  }

  use(slot: number): void {
    this.#tick()
    const marks = this.#marks
    const mark = marks[slot] as Mark
    const marked = accessed(mark, this.#epoch)
    // For the hottest entries it mostly stays the same, which is not worth a write.
    if (marked !== mark) marks[slot] = marked
    if (ringOf(mark) === WINDOW) this.#toEnd(slot, WINDOW)
  }

  remove(slot: number): void {
    this.#slots.unlink(slot)
    this.#resize(ringOf(this.mark(slot)), -1)
  }

  victim(): number {
    this.#fit()
    const loser = this.#loser()
    const { words, stride } = this.#slots
    this.#ghosts?.put(words[loser * stride + HASH] as number, this.frequency(loser), this.#epoch)
    return loser
  }

  *order(): IterableIterator<number> {
    yield* this.#slots.ring(PROBATION)
    yield* this.#slots.ring(WINDOW)
    yield* this.#slots.ring(PROTECTED)
  }

  mark(slot: number): Mark {
    return this.#marks[slot] as Mark
  }

  frequency(slot: number): number {
    return frequencyOf(this.mark(slot), this.#epoch)
  }

  #loser(): number {
    const defender = this.#defender()
    if (defender === NONE) return this.#slots.next(WINDOW)
    return this.#size(WINDOW) < this.#windowTarget ? defender : this.#duel(this.#slots.next(WINDOW), defender)
  }

  #duel(candidate: number, defender: number): number {
    const frequency = this.frequency(candidate)
    if (frequency <= NO_EVIDENCE) return candidate
    if (frequency > this.frequency(defender)) {
      this.#move(candidate, WINDOW, PROBATION)
      return defender
    }
    // The next serious candidate meets another: one dead favourite must not bar the door for long.
    this.#toEnd(defender, ringOf(this.mark(defender)))
    return candidate
  }

  /** The entry of main that is to leave next: the longest on probation that was not read there. */
  #defender(): number {
    const slots = this.#slots
    for (let i = 0; i < TRIES; i++) {
      if (this.#size(PROBATION) === 0) {
        if (this.#size(PROTECTED) === 0) return NONE
        this.#move(slots.next(PROTECTED), PROTECTED, PROBATION)
      }
      const slot = slots.next(PROBATION)
      if (!isRead(this.mark(slot))) return slot
      this.#move(slot, PROBATION, PROTECTED)
      this.#demote()
    }
    return slots.next(this.#size(PROBATION) > 0 ? PROBATION : PROTECTED)
  }

  /** Sends the longest protected back on probation while there are too many; who was read may stay another round. */
  #demote(): void {
    for (let i = 0; i < TRIES && this.#size(PROTECTED) > this.#protectedTarget; i++) {
      const slot = this.#slots.next(PROTECTED)
      const mark = this.mark(slot)
      if (isRead(mark)) {
        this.#marks[slot] = unread(mark)
        this.#toEnd(slot, PROTECTED)
      } else {
        this.#move(slot, PROTECTED, PROBATION)
      }
    }
  }

  /** Follows the number of entries, which is not known before one has to leave. */
  #fit(): void {
    const entries = Math.min(this.#size(WINDOW) + this.#size(PROBATION) + this.#size(PROTECTED), this.#limit)
    if (entries > this.#ghostsFor * 2 || entries * 2 < this.#ghostsFor) {
      this.#ghosts = new GhostTable(entries * GHOSTS)
      this.#ghostsFor = entries
      this.#aim(entries)
    } else if (entries !== this.#capacity) {
      this.#aim(entries)
    }
  }

  #aim(capacity: number): void {
    this.#capacity = capacity
    this.#windowTarget = Math.max(1, Math.round(capacity * this.#share))
    this.#protectedTarget = Math.floor((capacity - this.#windowTarget) * PROTECTED_SHARE)
    this.#accessesPerPart = Math.max(1, Math.round((capacity * AGEING) / (this.#ghosts?.parts ?? 1)))
  }

  #tick(): void {
    if (++this.#accesses >= this.#accessesPerPart) this.#age()
  }

  #age(): void {
    this.#accesses = 0
    this.#ghosts?.age(this.#part, this.#epoch)
    if (++this.#part < (this.#ghosts?.parts ?? 1)) return
    this.#part = 0
    this.#epoch = nextEpoch(this.#epoch)
  }

  #move(slot: number, from: number, to: number): void {
    this.#slots.unlink(slot)
    this.#slots.append(slot, to)
    this.#marks[slot] = movedTo(this.mark(slot), to)
    this.#resize(from, -1)
    this.#resize(to, 1)
  }

  #toEnd(slot: number, ring: number): void {
    if (this.#slots.next(slot) === ring) return
    this.#slots.unlink(slot)
    this.#slots.append(slot, ring)
  }

  #size(ring: number): number {
    return this.#sizes[ring] as number
  }

  #resize(ring: number, by: number): void {
    this.#sizes[ring] = this.#size(ring) + by
  }

  #growMarks(): void {
    const bytes = this.#slots.capacity * Int32Array.BYTES_PER_ELEMENT
    this.#marks = new Int32Array(this.#marks.buffer.transfer(bytes))
  }
}
