import { mix, randomSeed } from '../hashing.ts'

/**
 * Hashes keys of any kind to 32 well-mixed bits. Seeded anew for each map, so that nobody outside can make up keys
 * that collide.
 *
 * Strings are hashed in full, numbers, bigints, booleans, `undefined` and `null` by value (`-0` as `0`, as in a `Map`),
 * registered symbols by their name. Objects, functions and other symbols have no value to go by: each gets a number of
 * its own, kept in a `WeakMap`, which does not keep them alive.
 */
export class KeyHasher {
  readonly #start: number
  /** Odd: nothing is lost in the product. Secret as well: what collides depends on it. */
  readonly #multiplier: number
  readonly #identities = new WeakMap<WeakKey, number>()
  #lastIdentity = 0

  /** @param seed 32 bits; drawn by lot by default */
  constructor(seed: number = randomSeed()) {
    this.#start = mix(seed)
    this.#multiplier = mix(seed ^ 0x9e3779b9) | 1
  }

  /** The hash of a key, as a signed integer. */
  hash(key: unknown): number {
    switch (typeof key) {
      case 'string':
        return this.#text(key)
      case 'number':
        return this.#number(key)
      case 'symbol': {
        const name = Symbol.keyFor(key)
        return name === undefined ? this.#identity(key) : this.#text(name)
      }
      case 'object':
        return key === null ? this.#text('null') : this.#identity(key)
      case 'function':
        return this.#identity(key)
      default:
        return this.#text(String(key))
    }
  }

  #text(text: string): number {
    const multiplier = this.#multiplier
    let hash = this.#start
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), multiplier)
      // A product's low bits know nothing of the high ones: bring those down.
      hash = (hash << 13) | (hash >>> 19)
    }
    return mix(hash)
  }

  #number(key: number): number {
    if ((key | 0) === key) return this.#word(this.#start, key)
    // There are many patterns of bits for it, but only one key.
    if (Number.isNaN(key)) return this.#text('NaN')
    double[0] = key
    return this.#word(this.#word(this.#start, halves[0] as number), halves[1] as number)
  }

  #identity(key: WeakKey): number {
    let identity = this.#identities.get(key)
    if (identity === undefined) {
      identity = ++this.#lastIdentity
      this.#identities.set(key, identity)
    }
    return this.#word(this.#start, identity)
  }

  #word(hash: number, word: number): number {
    return mix(Math.imul(hash ^ word, this.#multiplier))
  }
}

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)
