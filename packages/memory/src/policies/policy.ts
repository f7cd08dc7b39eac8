import type { Slots } from '../slots.ts'

/**
 * The slots of a map as far as a policy needs them. Their number grows with use, to `capacity`; `end` is one past the
 * last that was used.
 */
export type PolicySlots = Pick<
  Slots<unknown, unknown>,
  'anchors' | 'capacity' | 'end' | 'keyAt' | 'next' | 'previous' | 'append' | 'unlink' | 'ring'
>

/**
 * Decides which entry leaves when there is no more room. A policy works on slot numbers and keeps what it needs
 * to know about a slot in that slot's words, or in an array by slot, so that a hit allocates nothing.
 */
export interface Policy {
  /** For a policy that depends on how many entries there may be: told at the start and after every change. */
  limit?(maxItems: number): void
  /**
   * For a policy that knows keys beyond their stay: one that is not in the map is about to be put there. Comes before
   * any `victim` for its sake and before its `admit`, which may yet fail to come.
   */
  arrive?(key: unknown): void
  /** A new entry is in `slot`. */
  admit(slot: number): void
  /** The entry in `slot` was read or replaced. */
  use(slot: number): void
  /** The entry in `slot` leaves, for whatever reason; the slot is still intact. */
  remove(slot: number): void
  /** Chooses who leaves now; its `remove` follows. There is at least one entry. */
  victim(): number
  /** Every slot that holds an entry, as far as can be told the next victim first. */
  order(): Iterable<number>
}

/** How a policy is made, and what it takes in the slots. */
export interface PolicyType {
  /** Words it uses in each slot: none, or two for the links of a ring (and more, for policies of this package). */
  readonly words: number
  /** Slots it reserves as the fixed points of its rings: 0 to `anchors` - 1, of which none holds an entry. */
  readonly anchors: number
  new (slots: Slots<unknown, unknown>): Policy
}
