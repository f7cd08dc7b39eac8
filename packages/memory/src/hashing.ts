/** Every bit of the result depends on every bit of `word` (the finalizer of MurmurHash3; Appleby 2011). */
export function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/** 32 bits drawn by lot. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] as number
}
