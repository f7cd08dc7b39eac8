/** A place: a hash and two links. Place 0 is the fixed point of the ring they form, from the oldest to the latest. */
const PREVIOUS = 0
const NEXT = 1
const HASH = 2
const STRIDE = 3
const FIXED = 0

/** Least length of the table for each hash it is to hold: more hashes would make for longer searches. */
const TABLE_ROOM = 1.5
/** Growth at least: a capacity that rises a little every time must not cost a new table every time. */
const GROWTH = 1.25

/**
 * The hashes of keys that left, in the order in which they did: holds the latest, forgets the oldest. Takes 18 to 24
 * bytes for each hash it is to hold, from the first on; every operation takes constant time, but for an addition that
 * finds that there are to be more.
 *
 * A ring of hashes, and a table from hash to place in the ring (open addressing, linear probing).
 */
export class GhostQueue {
  #capacity = 0
  #places: Int32Array<ArrayBuffer> = new Int32Array(STRIDE)
  /** Places by hash; 0 is a free cell. As long as some power of two. */
  #table = new Int32Array(2)
  #size = 0
  /** Head of the list of places that were left, threaded through {@link NEXT}; places from `fresh` on were never used. */
  #free = 0
  #fresh = 1

  /** Adds a hash; the oldest beyond `capacity` are forgotten. */
  add(hash: number, capacity: number): void {
    this.take(hash)
    while (this.#size > 0 && this.#size >= capacity)
      this.#forget(this.#find(this.#at(this.#at(FIXED, NEXT), HASH)))
    if (capacity === 0) return
    if (capacity > this.#capacity) this.#grow(capacity)
    const place = this.#takePlace()
    this.#places[place * STRIDE + HASH] = hash
    this.#link(this.#at(FIXED, PREVIOUS), place)
    this.#link(place, FIXED)
    this.#table[this.#find(hash)] = place
    this.#size++
  }

  /** Takes a hash out. @returns whether it was there */
  take(hash: number): boolean {
    const cell = this.#find(hash)
    if (this.#table[cell] === 0) return false
    this.#forget(cell)
    return true
  }

  /** From the oldest on. */
  *hashes(): IterableIterator<number> {
    for (let place = this.#at(FIXED, NEXT); place !== FIXED; place = this.#at(place, NEXT)) {
      yield this.#at(place, HASH)
    }
  }

  #forget(cell: number): void {
    const place = this.#table[cell] as number
    this.#freeCell(cell)
    this.#link(this.#at(place, PREVIOUS), this.#at(place, NEXT))
    this.#places[place * STRIDE + NEXT] = this.#free
    this.#free = place
    this.#size--
  }

  #takePlace(): number {
    const place = this.#free
    if (place === 0) return this.#fresh++
    this.#free = this.#at(place, NEXT)
    return place
  }

  #link(one: number, next: number): void {
    this.#places[one * STRIDE + NEXT] = next
    this.#places[next * STRIDE + PREVIOUS] = one
  }

  #at(place: number, field: number): number {
    return this.#places[place * STRIDE + field] as number
  }

  #grow(capacity: number): void {
    this.#capacity = Math.max(capacity, Math.ceil(this.#capacity * GROWTH))
    const bytes = (1 + this.#capacity) * STRIDE * Int32Array.BYTES_PER_ELEMENT
    this.#places = new Int32Array(this.#places.buffer.transfer(bytes))
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(this.#capacity * TABLE_ROOM)))
    for (let place = this.#at(FIXED, NEXT); place !== FIXED; place = this.#at(place, NEXT)) {
      this.#table[this.#find(this.#at(place, HASH))] = place
    }
  }

  /** The cell of a hash, or else the free one that it would get. */
  #find(hash: number): number {
    const table = this.#table
    const mask = table.length - 1
    let cell = hash & mask
    for (;;) {
      const place = table[cell] as number
      if (place === 0 || this.#at(place, HASH) === hash) return cell
      cell = (cell + 1) & mask
    }
  }

  /** Frees a cell, and moves back those that had to make way for it. */
  #freeCell(cell: number): void {
    const table = this.#table
    const mask = table.length - 1
    let hole = cell
    for (let next = (hole + 1) & mask; table[next] !== 0; next = (next + 1) & mask) {
      const wanted = this.#at(table[next] as number, HASH) & mask
      if (((next - wanted) & mask) < ((next - hole) & mask)) continue
      table[hole] = table[next] as number
      hole = next
    }
    table[hole] = 0
  }
}
