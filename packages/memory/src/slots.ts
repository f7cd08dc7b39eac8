/** Words at the start of every slot, whatever the policy. */
export const EXPIRY = 0
export const WHEEL_PREVIOUS = 1
export const WHEEL_NEXT = 2
/** Words of the policy, as far as it asks for them: two links and one more. */
export const PREVIOUS = 3
export const NEXT = 4
export const MARK = 5

/** In {@link EXPIRY}: the entry has no end. */
export const NEVER = 0x7fff_ffff

const COMMON_WORDS = 3
const FIRST_CAPACITY = 16

/**
 * The entries of a map by number. What a hit or a removal touches of one slot (links, expiry) lies side by side
 * in one typed array: at 100,000 entries the cost is cache misses, not instructions.
 *
 * The first `anchors` slots hold no entry: each is the fixed point of a ring of linked slots. There is at least one
 * such slot, so that a real one is never 0, and 0 serves as "none" in every list that is not a ring.
 */
export class Slots<K, V> {
  /** `stride` words for each slot, replaced when the slots grow: never keep a reference across an admission. */
  words: Int32Array
  /** Key and value of each slot, side by side as well: `pairs[2 * slot]` and the one after it. */
  pairs: (K | V | undefined)[]
  /** Empty unless entries are weighed. */
  weights: Float64Array
  /** Words a slot. */
  readonly stride: number
  /** Slots below this one are anchors. */
  readonly anchors: number
  /** How many entries there may be; growth stops there. */
  limit: number
  readonly #weighed: boolean
  /** Head of the list of released slots, threaded through {@link WHEEL_NEXT}. */
  #free = 0
  /** Slots from here on were never used. */
  #fresh: number

  constructor(options: {
    readonly limit: number
    readonly anchors: number
    readonly policyWords: number
    readonly weighed: boolean
  }) {
    this.limit = options.limit
    this.anchors = Math.max(1, options.anchors)
    this.stride = COMMON_WORDS + options.policyWords
    this.#weighed = options.weighed
    this.#fresh = this.anchors
    const capacity = this.#capacityFor(FIRST_CAPACITY)
    this.words = new Int32Array(capacity * this.stride)
    this.pairs = emptyArray(2 * capacity)
    this.weights = new Float64Array(this.#weighed ? capacity : 0)
    for (let anchor = 0; anchor < options.anchors; anchor++) this.#closeRing(anchor)
  }

  /** How many slots there is room for. */
  get capacity(): number {
    return this.pairs.length / 2
  }

  /** One past the highest slot ever used. */
  get end(): number {
    return this.#fresh
  }

  /** Takes a slot for an entry, without expiry or links. There must be fewer than `limit` entries. */
  allocate(key: K, value: V): number {
    const slot = this.#free === 0 ? this.#takeFresh() : this.#takeFree()
    this.occupy(slot, key, value)
    this.words[slot * this.stride + EXPIRY] = NEVER
    return slot
  }

  /** Puts an entry in a slot that another has left, and not given back. */
  occupy(slot: number, key: K, value: V): void {
    this.pairs[2 * slot] = key
    this.pairs[2 * slot + 1] = value
  }

  /** The key of the entry in `slot`. As in a Map, -0 is the key 0. */
  keyAt(slot: number): K {
    const key = this.pairs[2 * slot]
    return key === 0 ? (0 as K) : (key as K)
  }

  valueAt(slot: number): V {
    return this.pairs[2 * slot + 1] as V
  }

  /** Exchanges the value of the entry in `slot`. */
  setValue(slot: number, value: V): void {
    this.pairs[2 * slot + 1] = value
  }

  /** Gives a slot back and forgets its entry. It must be out of every ring and list, and without expiry. */
  release(slot: number): void {
    this.pairs[2 * slot] = undefined
    this.pairs[2 * slot + 1] = undefined
    this.words[slot * this.stride + WHEEL_NEXT] = this.#free
    this.#free = slot
  }

  /** The slot after `slot` in its ring. */
  next(slot: number): number {
    return this.words[slot * this.stride + NEXT] as number
  }

  /** The slot before `slot` in its ring. */
  previous(slot: number): number {
    return this.words[slot * this.stride + PREVIOUS] as number
  }

  /** Links `slot` in at the end of the ring of `anchor`. */
  append(slot: number, anchor: number): void {
    const { words, stride } = this
    const last = words[anchor * stride + PREVIOUS] as number
    words[slot * stride + PREVIOUS] = last
    words[slot * stride + NEXT] = anchor
    words[last * stride + NEXT] = slot
    words[anchor * stride + PREVIOUS] = slot
  }

  /** Takes `slot` out of its ring. */
  unlink(slot: number): void {
    const { words, stride } = this
    const previous = words[slot * stride + PREVIOUS] as number
    const next = words[slot * stride + NEXT] as number
    words[previous * stride + NEXT] = next
    words[next * stride + PREVIOUS] = previous
  }

  /** The slots in the ring of `anchor`, from its start. */
  *ring(anchor: number): IterableIterator<number> {
    for (let slot = this.next(anchor); slot !== anchor; slot = this.next(slot)) yield slot
  }

  /** The released slots. */
  *free(): IterableIterator<number> {
    for (let slot = this.#free; slot !== 0; slot = this.#nextFree(slot)) yield slot
  }

  #takeFree(): number {
    const slot = this.#free
    this.#free = this.#nextFree(slot)
    return slot
  }

  #nextFree(slot: number): number {
    return this.words[slot * this.stride + WHEEL_NEXT] as number
  }

  #takeFresh(): number {
    if (this.#fresh === this.capacity) this.#grow()
    return this.#fresh++
  }

  #grow(): void {
    const capacity = this.#capacityFor((this.capacity - this.anchors) * 2)
    const { words, weights } = this
    this.words = new Int32Array(capacity * this.stride)
    this.words.set(words)
    this.pairs = emptyArray(2 * capacity, this.pairs)
    if (!this.#weighed) return
    this.weights = new Float64Array(capacity)
    this.weights.set(weights)
  }

  #capacityFor(entries: number): number {
    return this.anchors + Math.min(entries, this.limit)
  }

  #closeRing(anchor: number): void {
    this.words[anchor * this.stride + PREVIOUS] = anchor
    this.words[anchor * this.stride + NEXT] = anchor
  }
}

/**
 * An array of exactly `length`, beginning with `head`. Filling it with `undefined` first makes it one of tagged
 * values for good: an array that V8 took for one of doubles would allocate a number on every read.
 */
function emptyArray<T>(length: number, head: readonly (T | undefined)[] = []): (T | undefined)[] {
  const array = new Array<T | undefined>(length).fill(undefined)
  for (let i = 0; i < head.length; i++) array[i] = head[i]
  return array
}
