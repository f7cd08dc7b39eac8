import { Slots } from '../slots.ts'
import { HASH, WindowTinyLfu } from './window-tiny-lfu.ts'

const FREE = 0

/** A cache of hashes and nothing else: would this have been a hit, had the window had another share? */
export class Shadow {
  readonly #slots: Slots<undefined, undefined>
  readonly #policy: WindowTinyLfu
  readonly #capacity: number
  /** Slots by hash: open addressing, linear probing, at most half full. */
  readonly #index: Uint16Array
  #size = 0

  /** @param capacity 1 to 65,532 entries */
  constructor(capacity: number, share: number) {
    const { anchors, words: policyWords } = WindowTinyLfu
    this.#slots = new Slots({ limit: capacity, anchors, policyWords, weighed: false })
    this.#policy = new WindowTinyLfu(this.#slots, share)
    this.#policy.limit(capacity)
    this.#capacity = capacity
    this.#index = new Uint16Array(2 ** Math.ceil(Math.log2(capacity * 2)))
  }

  /** @returns whether the hash was there; it is now */
  access(hash: number): boolean {
    const slot = this.#index[this.#find(hash)] as number
    if (slot !== FREE) {
      this.#policy.use(slot)
      return true
    }
    this.#add(hash)
    return false
  }

  #add(hash: number): void {
    const slot = this.#size < this.#capacity ? this.#takeFresh() : this.#evict()
    this.#index[this.#find(hash)] = slot
    this.#policy.admit(slot, hash)
  }

  #takeFresh(): number {
    this.#size++
    return this.#slots.allocate(undefined, undefined)
  }

  #evict(): number {
    const slot = this.#policy.victim()
    this.#free(this.#find(this.#hashAt(slot)))
    this.#policy.remove(slot)
    return slot
  }

  /** The cell of a hash, or else the free one that it would get. */
  #find(hash: number): number {
    const index = this.#index
    const mask = index.length - 1
    let cell = hash & mask
    for (;;) {
      const slot = index[cell] as number
      if (slot === FREE || this.#hashAt(slot) === hash) return cell
      cell = (cell + 1) & mask
    }
  }

  /** Frees a cell, and moves back those that had to make way for it. */
  #free(cell: number): void {
    const index = this.#index
    const mask = index.length - 1
    let hole = cell
    for (let next = (hole + 1) & mask; index[next] !== FREE; next = (next + 1) & mask) {
      const wanted = this.#hashAt(index[next] as number) & mask
      if (((next - wanted) & mask) < ((next - hole) & mask)) continue
      index[hole] = index[next] as number
      hole = next
    }
    index[hole] = FREE
  }

  #hashAt(slot: number): number {
    return this.#slots.words[slot * this.#slots.stride + HASH] as number
  }
}
