import type { Slots } from '../slots.ts'
import { KeyHasher } from './key-hasher.ts'
import { MAX_SPARSITY, sparsityOf } from './mark.ts'
import type { Policy } from './policy.ts'
import { FIRST_SHARE, WindowChooser } from './window-chooser.ts'
import { HASH, WindowTinyLfu } from './window-tiny-lfu.ts'

/**
 * W-TinyLFU (Einziger, Friedman, Manes, ACM Transactions on Storage 2017) with an adaptive window: a small LRU window in
 * front of a segmented main part, and whoever wants to pass from one to the other has to have been asked for more often
 * than the one that leaves for it. Frequencies have four bits and are halved every ten accesses an entry.
 *
 * It differs from the paper, and from Caffeine, in four points, each the repair of a weakness that was measured:
 *
 * 1. **Exact counts instead of a sketch.** On loops and scans, the keys of one ageing period fill a count-min sketch
 *    until every key looks as if it had been seen two or three times. Here the frequency of an entry is in the one
 *    word that a hit touches; that of a key that left is in a `GhostTable`, which takes what the sketch takes, eight bytes
 *    an entry.
 * 2. **Evidence.** As published, a key seen once takes the place of one whose count was aged to 0, and a loop longer than
 *    the history churns through all of main. The access that brings a candidate is no evidence for it: it must have been
 *    seen before.
 * 3. **Rotation.** A defender that held its place against a serious candidate goes to the back, and the next candidate
 *    meets another. An old favourite that nobody asks for cannot bar the door until its count has aged away. It also
 *    does without the random admissions of Caffeine.
 * 4. **The window is chosen, not climbed.** Hill climbing takes small steps, one in each ageing period, and sees slopes
 *    only, while hit ratios of loops have cliffs. A `WindowChooser` runs four windows on a sample of the keys and
 *    takes the one that hits most. One of the four is LRU, which bounds what can be lost against it.
 *
 * Ghosts and samples are made at the first eviction, for the entries there are then, and made anew when these have
 * doubled or halved: a bound on bytes will do as well, and a map that never fills pays for neither. Samples take 120 kB
 * at most.
 */
export class TinyLfu implements Policy {
  static readonly words: number = WindowTinyLfu.words
  static readonly anchors: number = WindowTinyLfu.anchors
  readonly #slots: Slots<unknown, unknown>
  readonly #cache: WindowTinyLfu
  readonly #hasher: KeyHasher
  #chooser: WindowChooser | undefined
  /** Sampled are the keys that are in samples as sparse as this; none before there is a chooser. */
  #sparsity = MAX_SPARSITY + 1
  #share = FIRST_SHARE
  /** Of the key that arrives. */
  #hash = 0

  constructor(slots: Slots<unknown, unknown>, seed?: number) {
    this.#slots = slots
    this.#cache = new WindowTinyLfu(slots, FIRST_SHARE)
    this.#hasher = new KeyHasher(seed)
  }

  /** The share of the window, as chosen by now. */
  get share(): number {
    return this.#share
  }

  limit(maxItems: number): void {
    this.#cache.limit(maxItems)
  }

  arrive(key: unknown): void {
    this.#hash = this.#hasher.hash(key)
  }

  admit(slot: number): void {
    this.#cache.admit(slot, this.#hash)
    if (sparsityOf(this.#cache.mark(slot)) >= this.#sparsity) this.#observe(this.#hash)
  }

  use(slot: number): void {
    const cache = this.#cache
    cache.use(slot)
    if (sparsityOf(cache.mark(slot)) >= this.#sparsity) this.#observe(this.#hashAt(slot))
  }

  remove(slot: number): void {
    this.#cache.remove(slot)
  }

  victim(): number {
    const slot = this.#cache.victim()
    const entries = this.#cache.ghostsFor
    if (this.#chooser?.entries !== entries) {
      this.#chooser = new WindowChooser(entries, this.#share)
      this.#sparsity = this.#chooser.sparsity
    }
    return slot
  }

  order(): Iterable<number> {
    return this.#cache.order()
  }

  #observe(hash: number): void {
    if (this.#chooser === undefined) return
    this.#chooser.observe(hash)
    if (this.#chooser.share === this.#share) return
    this.#share = this.#chooser.share
    this.#cache.setShare(this.#share)
  }

  #hashAt(slot: number): number {
    return this.#slots.words[slot * this.#slots.stride + HASH] as number
  }
}
