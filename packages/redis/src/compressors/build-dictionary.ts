import { CacheError, integer, invalidOption } from '@cache/core'

export interface BuildDictionaryOptions {
  /** The most bytes it may have, 64 to 1 MiB: twice as many save a few percent more and cost a write a third more time. @default 8_192 */
  readonly maxBytes?: number
}

const MIN_BYTES = 64
const MAX_BYTES = 1 << 20
/** What is looked at: a hundred times and more what a dictionary usually has. */
const MAX_SAMPLE_BYTES = 4 << 20
const GRAM_BYTES = 6
const SEGMENT_BYTES = 256
/** An epoch of less would leave no choice between segments. */
const SEGMENTS_PER_EPOCH = 10
const MAX_PASSES = 8
/** Grams are counted by hash: 8 MiB of counters, however many there are. */
const HASH_BITS = 20

/**
 * Builds a dictionary for `compression.dictionary` from serialized values, some hundreds and better thousands of them, of
 * the kinds that will be stored. It consists of pieces of the samples: **whoever has it reads what is in them**.
 *
 * The pieces are those that cover the most six-byte grams which several samples share, chosen greedily, one from each
 * part of the samples (Liao, Petri, Moffat, Wirth: Effective construction of relative Lempel-Ziv dictionaries, WWW 2016).
 * The same samples make the same dictionary; of more than 4 MiB only every n-th is looked at. It takes a quarter of a second
 * per MiB of samples, synchronously, and 16 MiB of memory: a task for a script, whose result is deployed with the program.
 *
 * @throws CacheError `INVALID_OPTION` for samples that have nothing in common, too
 */
export function buildDictionary(
  samples: readonly Uint8Array[],
  { maxBytes = 8_192 }: BuildDictionaryOptions = {},
): Uint8Array {
  if (integer(maxBytes, 'maxBytes', MIN_BYTES) > MAX_BYTES) {
    throw invalidOption('maxBytes', maxBytes, `an integer of ${MIN_BYTES} to ${MAX_BYTES}`)
  }
  if (!Array.isArray(samples) || !samples.every(each => each instanceof Uint8Array)) {
    throw invalidOption('samples', samples, 'an array of Uint8Arrays')
  }
  const looked = withinBounds(samples)
  const grams = new Grams(looked)
  const segmentBytes = Math.min(SEGMENT_BYTES, maxBytes)
  const epochs = epochsOf(grams.count, { segmentBytes, count: Math.floor(maxBytes / segmentBytes) })
  const dictionary = Buffer.alloc(maxBytes)
  let room = maxBytes
  let idle = 0
  for (let turn = 0; room > 0 && idle < epochs.length && turn < epochs.length * MAX_PASSES; turn++) {
    const segment = grams.takeBest(epochs[turn % epochs.length] as Range, segmentBytes - GRAM_BYTES + 1)
    idle = segment.length === 0 ? idle + 1 : 0
    const taken = segment.subarray(0, room)
    room -= taken.length
    // From the end on: the first ones cover most, and what is near is cheapest to point at.
    dictionary.set(taken, room)
  }
  if (room < maxBytes) return dictionary.subarray(room)
  throw new CacheError(
    'INVALID_OPTION',
    'samples must have something in common: of these no dictionary can be made',
  )
}

/** From one gram up to, but without, another. */
interface Range {
  readonly from: number
  readonly to: number
}

/** The text of all samples as overlapping strings of six bytes, and in how many samples each of them is. */
class Grams {
  readonly #text: Buffer
  readonly count: number
  /** By hash: in how many samples beside the first one. 0 too for what the dictionary has. */
  readonly #shared = new Uint32Array(1 << HASH_BITS)
  /** By hash: how often within the window. */
  readonly #inside = new Uint16Array(1 << HASH_BITS)

  constructor(samples: readonly Uint8Array[]) {
    this.#text = Buffer.concat(samples)
    this.count = Math.max(0, this.#text.length - GRAM_BYTES + 1)
    const lastSeen = new Uint32Array(1 << HASH_BITS)
    let start = 0
    for (const [index, { length }] of samples.entries()) {
      for (let at = start; at + GRAM_BYTES <= start + length; at++) {
        const gram = this.#hash(at)
        if (lastSeen[gram] === index + 1) continue
        if (lastSeen[gram] !== 0) this.#shared[gram] = (this.#shared[gram] as number) + 1
        lastSeen[gram] = index + 1
      }
      start += length
    }
  }

  /** The segment of so many grams that covers most, whose grams then count no more; empty if none covers anything. */
  takeBest(epoch: Range, length: number): Buffer {
    const { from, to } = this.#trimmed(this.#best(epoch, length))
    if (from >= to) return this.#text.subarray(0, 0)
    for (let at = from; at < to; at++) this.#shared[this.#hash(at)] = 0
    return this.#text.subarray(from, to + GRAM_BYTES - 1)
  }

  /** A window slides over the epoch; its score is the sum of its distinct grams. */
  #best({ from, to }: Range, length: number): Range {
    let best: Range = { from, to: from }
    let bestScore = 0
    let score = 0
    let begin = from
    for (let at = from; at < to; at++) {
      score += this.#enter(this.#hash(at))
      if (at - begin >= length) score -= this.#leave(this.#hash(begin++))
      if (score <= bestScore) continue
      bestScore = score
      best = { from: begin, to: at + 1 }
    }
    for (let at = begin; at < to; at++) this.#leave(this.#hash(at))
    return best
  }

  #enter(gram: number): number {
    const times = this.#inside[gram] as number
    this.#inside[gram] = times + 1
    return times === 0 ? (this.#shared[gram] as number) : 0
  }

  #leave(gram: number): number {
    const times = (this.#inside[gram] as number) - 1
    this.#inside[gram] = times
    return times === 0 ? (this.#shared[gram] as number) : 0
  }

  /** Without what nobody shares at either end. */
  #trimmed({ from, to }: Range): Range {
    const isIdle = (at: number): boolean => this.#shared[this.#hash(at)] === 0
    while (from < to && isIdle(from)) from++
    while (from < to && isIdle(to - 1)) to--
    return { from, to }
  }

  #hash(at: number): number {
    const low = this.#text.readInt32LE(at)
    const high = this.#text.readInt32LE(at + GRAM_BYTES - 4)
    let mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high ^ (low >>> 15), 0x85ebca77)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
    return mixed >>> (32 - HASH_BITS)
  }
}

function withinBounds(samples: readonly Uint8Array[]): readonly Uint8Array[] {
  const total = samples.reduce((sum, { length }) => sum + length, 0)
  const step = Math.max(1, Math.ceil(total / MAX_SAMPLE_BYTES))
  let room = MAX_SAMPLE_BYTES
  return samples
    .filter((_, index) => index % step === 0)
    .map(sample => {
      const part = sample.subarray(0, room)
      room -= part.length
      return part
    })
}

/** Parts of the text, one for each segment that there is room for. */
function epochsOf(
  grams: number,
  { segmentBytes, count }: { readonly segmentBytes: number; readonly count: number },
): readonly Range[] {
  const size = Math.max(segmentBytes * SEGMENTS_PER_EPOCH, Math.ceil(grams / Math.max(1, count)))
  return Array.from({ length: Math.ceil(grams / size) }, (_, index) => ({
    from: index * size,
    to: Math.min((index + 1) * size, grams),
  }))
}
