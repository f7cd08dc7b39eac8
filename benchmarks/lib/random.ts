/**
 * A seeded generator of numbers in [0, 1): xoshiro128** of Blackman and Vigna (2018), period 2^128 - 1, its state
 * filled by splitmix32. In 32-bit arithmetic throughout: a congruential generator in doubles loses bits and soon
 * repeats itself, and a short cycle of keys flatters every cache.
 */
export function seededRandom(seed: number): () => number {
  const mix = splitmix32(seed)
  let [a, b, c, d] = [mix(), mix(), mix(), mix()]
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotateLeft(d, 11)
    return (result >>> 0) / 2 ** 32
  }
}

/** The numbers below `length` in random order (Fisher and Yates). */
export function permutation(length: number, random: () => number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length }, (_, index) => index)
  for (let last = length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const moved = order[last] as number
    order[last] = order[other] as number
    order[other] = moved
  }
  return order
}

function splitmix32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return mixed ^ (mixed >>> 16)
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
