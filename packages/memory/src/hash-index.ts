import { QuickHasher } from './quick-hasher.ts'
import type { Slots } from './slots.ts'

/** In place of a slot, of a key that has none. */
export const NONE = 0

/** The hash of a key that is not for the table. */
const UNHASHED = 0
const FREE = 0
/** A cell is a slot in the lower bits and a tag in the upper ones, those of the hash. */
const SLOT = 0xff_ffff
const TAG_SHIFT = 24

const FIRST_CELLS = 16
/** Share of cells in use at most. Few searches go beyond the first one then: a branch that cannot be foreseen costs more than memory. */
const FILL = 0.4
/** Cells from its first choice on that a key may be in: with random hashes, a hundred millions need no more. */
const REACH = 64

interface Table<K> {
  readonly cells: Int32Array
  readonly hashes: Int32Array
  readonly rest: ReadonlyMap<K, number>
}

/** For the tests that check the structure of an index; not exported by the package. */
export let tableOf: <K>(index: HashIndex<K>) => Table<K>

/**
 * From key to slot: a table of our own (open addressing, linear probing), and a `Map` for the keys that are not
 * for it. Keys are equal as they are in a `Map`.
 *
 * A search in the table touches one line of cells, and with the tags hardly ever a key that is not the one. A key that
 * leaves makes others move back (Knuth, The Art of Computer Programming 3, 6.4, algorithm R), and leaves nothing behind:
 * a `Map` of V8 that loses a key for each new one is full of remains, and is rebuilt all the time.
 *
 * In the `Map` are those keys that a {@link QuickHasher} does not hash, and those whose hashes others have, too: whatever
 * the keys are, no search looks at more than 64 cells.
 */
export class HashIndex<K> extends QuickHasher {
  readonly #slots: Slots<K, unknown>
  /** As many as some power of two. */
  #cells: Int32Array = new Int32Array(FIRST_CELLS)
  #mask = FIRST_CELLS - 1
  /** Cells that may be in use before the table grows. */
  #room = Math.floor(FIRST_CELLS * FILL)
  #used = 0
  /** By slot: the hash by which its key is in the table, {@link UNHASHED} if it is not there. */
  #hashes: Int32Array<ArrayBuffer> = new Int32Array(1)
  #rest: Map<K, number> = new Map()
  /** Whether there ever was a hashed key without a cell. */
  #strayed = false

  /** @param seed of the hashes, 32 bits; drawn by lot by default */
  constructor(slots: Slots<K, unknown>, seed?: number) {
    super(seed)
    this.#slots = slots
  }

  get size(): number {
    return this.#used + this.#rest.size
  }

  /** The slot of a key, or {@link NONE}. */
  find(key: K, hash: number = this.hash(key)): number {
    if (hash === UNHASHED) return this.#rest.get(key) ?? NONE
    const { pairs } = this.#slots
    const cells = this.#cells
    const mask = this.#mask
    let at = hash & mask
    const end = (at + REACH) & mask
    do {
      const cell = cells[at] as number
      if ((cell ^ hash) >>> TAG_SHIFT === 0) {
        if (pairs[2 * (cell & SLOT)] === key) return cell & SLOT
      } else if (cell === FREE) break
      at = (at + 1) & mask
    } while (at !== end)
    return this.#strayed ? (this.#rest.get(key) ?? NONE) : NONE
  }

  /** Whether there is a key whose entry is in `slot`. */
  has(slot: number): boolean {
    return (this.#hashes[slot] ?? UNHASHED) !== UNHASHED || this.#rest.get(this.#slots.keyAt(slot)) === slot
  }

  /** Puts in a key that is not there. */
  add(slot: number, key: K, hash: number): void {
    if (slot >= this.#hashes.length) this.#growHashes()
    if (hash === UNHASHED) {
      this.#addToRest(key, slot)
      return
    }
    if (this.#used >= this.#room) this.#growTable()
    if (this.#place(slot, hash)) this.#used++
    else this.#stray(slot, key)
  }

  /** Takes out the key of the entry in `slot`. @returns whether there was one */
  remove(slot: number): boolean {
    if (!this.has(slot)) return false
    const hash = this.#hashes[slot] as number
    if (hash === UNHASHED) return this.#rest.delete(this.#slots.keyAt(slot))
    this.#hashes[slot] = UNHASHED
    this.#free(this.#cellOf(slot, hash))
    this.#used--
    return true
  }

  /** @returns whether there was a free cell within reach */
  #place(slot: number, hash: number): boolean {
    const cells = this.#cells
    const mask = this.#mask
    let at = hash & mask
    const end = (at + REACH) & mask
    while (cells[at] !== FREE) {
      at = (at + 1) & mask
      if (at === end) return false
    }
    cells[at] = (hash & ~SLOT) | slot
    this.#hashes[slot] = hash
    return true
  }

  #cellOf(slot: number, hash: number): number {
    const cells = this.#cells
    const mask = this.#mask
    const cell = (hash & ~SLOT) | slot
    let at = hash & mask
    while (cells[at] !== cell) at = (at + 1) & mask
    return at
  }

  /** Frees a cell, and moves back those that had to make way for it. */
  #free(cell: number): void {
    const cells = this.#cells
    const hashes = this.#hashes
    const mask = this.#mask
    let hole = cell
    for (let at = (hole + 1) & mask; cells[at] !== FREE; at = (at + 1) & mask) {
      const moving = cells[at] as number
      const wanted = hashes[moving & SLOT] as number
      if (((at - wanted) & mask) < ((at - hole) & mask)) continue
      cells[hole] = moving
      hole = at
    }
    cells[hole] = FREE
  }

  #growTable(): void {
    const before = this.#cells
    this.#cells = new Int32Array(before.length * 2)
    this.#mask = before.length * 2 - 1
    this.#room = Math.floor(before.length * 2 * FILL)
    for (const cell of before) {
      const slot = cell & SLOT
      if (cell === FREE || this.#place(slot, this.#hashes[slot] as number)) continue
      this.#used--
      this.#stray(slot, this.#slots.keyAt(slot))
    }
  }

  /** A hashed key finds no cell within reach. */
  #stray(slot: number, key: K): void {
    this.#hashes[slot] = UNHASHED
    this.#strayed = true
    this.#addToRest(key, slot)
  }

  #growHashes(): void {
    const bytes = this.#slots.capacity * Int32Array.BYTES_PER_ELEMENT
    this.#hashes = new Int32Array(this.#hashes.buffer.transfer(bytes))
  }

  #addToRest(key: K, slot: number): void {
    try {
      this.#rest.set(key, slot)
    } catch {
      // V8 counts removed entries towards a Map's maximum (2^24) above 8 million live ones: a copy has none.
      this.#rest = new Map(this.#rest)
      this.#rest.set(key, slot)
    }
  }

  static {
    tableOf = index => ({ cells: index.#cells, hashes: index.#hashes, rest: index.#rest })
  }
}
