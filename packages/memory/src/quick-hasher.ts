import { mix, randomSeed } from './hashing.ts'

/** Instead of a hash: the key is none of those that are hashed here. */
const UNHASHED = 0

/**
 * The longest string that is hashed here. V8 keeps the hash of a string that it has hashed before; from some length on,
 * asking a `Map` is faster then. A string just put together, as callers do, costs V8 several times as much.
 */
const LONGEST = 48

/** Bits that tell the kinds apart, so that only keys of one kind are ever compared, and that no hash is 0. */
const TEXT = 0x8000_0000
const INTEGER = 0x4000_0000

/**
 * Hashes the keys that it takes little to hash: integers of 32 bits, and strings up to 48 characters. Seeded anew for
 * each map, so that nobody outside can make up keys that collide.
 *
 * The index is one, rather than having one, and the hash is made in one piece: of what a hit takes in a small map, going
 * through another object and imported names was a tenth.
 */
export class QuickHasher {
  readonly #start: number
  /** Odd: nothing is lost in the product. Secret as well: what collides depends on it. */
  readonly #multiplier: number

  /** @param seed 32 bits; drawn by lot by default */
  constructor(seed: number = randomSeed()) {
    this.#start = mix(seed)
    this.#multiplier = mix(seed ^ 0x9e3779b9) | 1
  }

  /** The hash of a key, as a signed integer; 0 if it is none of those that are hashed here. */
  hash(key: unknown): number {
    // Words from the start, which V8 would else convert in every step.
    const multiplier = this.#multiplier | 0
    let hash = this.#start | 0
    if (typeof key === 'string') {
      const { length } = key
      if (length > LONGEST) return UNHASHED
      hash = (hash + Math.imul(length, 0x9e3779b9)) | 0
      // Four characters a step: what takes time is not the arithmetic but each `charCodeAt`.
      const inFours = length - 3
      let i = 0
      for (; i < inFours; i += 4) {
        const one = key.charCodeAt(i) | (key.charCodeAt(i + 1) << 16)
        const two = key.charCodeAt(i + 2) | (key.charCodeAt(i + 3) << 16)
        hash = Math.imul(hash ^ one ^ Math.imul(two, multiplier), multiplier)
        // A product's low bits know nothing of the high ones: bring those down.
        hash ^= hash >>> 15
      }
      for (; i < length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), multiplier)
      hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
      return (hash ^ (hash >>> 13)) | TEXT
    }
    // -0 is the key 0 here, as it is in a Map.
    if (typeof key !== 'number' || (key | 0) !== key) return UNHASHED
    return (mix(Math.imul(hash ^ key, multiplier)) & ~TEXT) | INTEGER
  }
}
