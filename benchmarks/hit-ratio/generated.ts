import { permutation, seededRandom } from '../lib/random.ts'
import { zipf } from '../lib/zipf.ts'
import type { Trace } from './trace.ts'

const KEYS = 20_000
const LENGTH = 400_000

/** Built-in traces by name, each of a kind that tells policies apart; the same on every machine. */
export const GENERATED: ReadonlyMap<string, () => Trace> = new Map([
  ['zipf', () => zipfTrace()],
  ['zipf+scan', () => zipfWithScans()],
  ['loop', () => loop()],
  ['drift', () => drift()],
])

/** The same few keys are popular all the time. */
function zipfTrace(): Trace {
  const next = popular()
  return trace(
    'zipf',
    Uint32Array.from({ length: LENGTH }, () => next()),
  )
}

/** Popular keys, and now and then a run over keys that nobody asks for again: a crawler, an export, a backup. */
function zipfWithScans(): Trace {
  const next = popular()
  const [every, length] = [40_000, 10_000]
  let scanned = KEYS
  return trace(
    'zipf+scan',
    Uint32Array.from({ length: LENGTH }, (_, i) => (i % every < every - length ? next() : scanned++)),
  )
}

/** The same keys in the same order, over and over. */
function loop(): Trace {
  return trace(
    'loop',
    Uint32Array.from({ length: LENGTH }, (_, i) => i % KEYS),
  )
}

/** What is popular changes: the ranking moves through the keys, twice its length in all. */
function drift(): Trace {
  const rank = zipf(KEYS, seededRandom(1))
  const pace = (2 * KEYS) / LENGTH
  return trace(
    'drift',
    Uint32Array.from({ length: LENGTH }, (_, i) => rank() + Math.floor(i * pace)),
  )
}

function popular(): () => number {
  const random = seededRandom(1)
  const keyOfRank = permutation(KEYS, random)
  const rank = zipf(KEYS, random)
  return () => keyOfRank[rank()] as number
}

function trace(name: string, references: Uint32Array): Trace {
  return { name, references, unique: new Set(references).size }
}
