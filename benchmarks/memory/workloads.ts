import { permutation, seededRandom } from '../lib/random.ts'
import { zipf } from '../lib/zipf.ts'
import type { Subject, Value } from './contestants.ts'

/**
 * - `hit`: everything is resident; get only, Zipf.
 * - `set`: room for a tenth of the keys; all keys set in turn, so that each set evicts.
 * - `mixed`: room for a tenth of the keys; get, and set on a miss, Zipf.
 * - `bytes`: everything is resident; memory taken per entry beside key and value.
 */
export const WORKLOADS = ['hit', 'set', 'mixed', 'bytes'] as const
export type Workload = (typeof WORKLOADS)[number]

export interface Measurement {
  /** Nanoseconds an operation, or bytes an entry. */
  readonly figure: number
  /** The share of gets that found something; only for `mixed`. */
  readonly hitRatio?: number
}

export interface Task {
  readonly workload: Workload
  /** How many keys there are. */
  readonly keys: number
  /** How long to measure, in milliseconds, after half as long of warming up. */
  readonly budgetMs: number
}

type Open = (capacity: number) => Subject
/** Does operations `from` to `to`, and says how many gets found something. */
type Work = (from: number, to: number) => number

/** Between two looks at the clock. */
const CHUNK = 8_192
/** Length of the sequence of keys asked for, which repeats. */
const SEQUENCE = 2 ** 20

/** Runs one workload on a cache in this process. `bytes` needs `--expose-gc`. */
export function measure(open: Open, task: Task): Promise<Measurement> | Measurement {
  const entries = makeEntries(task.keys)
  switch (task.workload) {
    case 'hit': {
      const work = getSequence(fill(open(task.keys), entries), zipfSequence(entries.keys))
      const { figure, hitRatio } = time(work, task)
      if (hitRatio !== 1) throw new Error(`holds only ${hitRatio} of what it has room for`)
      return { figure }
    }
    case 'set':
      return { figure: time(setInTurn(open(tenth(task.keys)), entries), task).figure }
    case 'mixed':
      return time(getOrSetSequence(open(tenth(task.keys)), zipfSequence(entries.keys)), task)
    case 'bytes':
      return bytesPerEntry(open, entries)
  }
}

interface Entries {
  readonly keys: readonly string[]
  readonly values: readonly Value[]
}

function makeEntries(count: number): Entries {
  const values = Array.from({ length: count }, (_, id): Value => ({ id }))
  return { keys: values.map(({ id }) => `key:${id}`), values }
}

function tenth(keys: number): number {
  return Math.max(1, Math.floor(keys / 10))
}

/** Keys drawn by Zipf, popular ones anywhere: side by side in memory they would be found too easily. */
function zipfSequence(keys: readonly string[]): readonly string[] {
  const random = seededRandom(1)
  const keyOfRank = permutation(keys.length, random)
  const rank = zipf(keys.length, random)
  return Array.from({ length: SEQUENCE }, () => keys[keyOfRank[rank()] as number] as string)
}

function fill(cache: Subject, { keys, values }: Entries): Subject {
  for (let i = 0; i < keys.length; i++) cache.set(keys[i] as string, values[i] as Value)
  return cache
}

function getSequence(cache: Subject, sequence: readonly string[]): Work {
  return (from, to) => {
    let hits = 0
    for (let i = from; i < to; i++) {
      if (cache.get(sequence[i % SEQUENCE] as string) !== undefined) hits++
    }
    return hits
  }
}

function setInTurn(cache: Subject, { keys, values }: Entries): Work {
  return (from, to) => {
    for (let i = from; i < to; i++) {
      const turn = i % keys.length
      cache.set(keys[turn] as string, values[turn] as Value)
    }
    return 0
  }
}

function getOrSetSequence(cache: Subject, sequence: readonly string[]): Work {
  const value: Value = { id: 0 }
  return (from, to) => {
    let hits = 0
    for (let i = from; i < to; i++) {
      const key = sequence[i % SEQUENCE] as string
      if (cache.get(key) !== undefined) hits++
      else cache.set(key, value)
    }
    return hits
  }
}

/** Warms up for half the budget and until every key had its turn; then counts what is done within the budget. */
function time(work: Work, { keys, budgetMs }: Task): Required<Measurement> {
  const warm = runFor(work, 0, { ms: budgetMs / 2, operations: keys })
  const { operations, hits, ms } = runFor(work, warm.operations, { ms: budgetMs, operations: 1 })
  return { figure: (ms * 1e6) / operations, hitRatio: hits / operations }
}

interface Extent {
  readonly ms: number
  readonly operations: number
}

/** Works until both time and operations are reached. */
function runFor(work: Work, start: number, atLeast: Extent): Extent & { readonly hits: number } {
  const begin = performance.now()
  let operations = 0
  let hits = 0
  let ms = 0
  while (ms < atLeast.ms || operations < atLeast.operations) {
    hits += work(start + operations, start + operations + CHUNK)
    operations += CHUNK
    ms = performance.now() - begin
  }
  return { operations, hits, ms }
}

/** Below so many entries, what the engine itself takes now and then would show: several caches are filled then. */
const MIN_ENTRIES = 200_000

async function bytesPerEntry(open: Open, entries: Entries): Promise<Measurement> {
  const count = entries.keys.length
  const fillOne = (): Subject => fill(open(count), entries)
  // Once for nothing: what compiling takes is not the cache's.
  fillOne()
  const before = await bytesInUse()
  const caches = Array.from({ length: Math.ceil(MIN_ENTRIES / count) }, fillOne)
  const after = await bytesInUse()
  const lastKey = entries.keys.at(-1) as string
  if (!caches.every(cache => cache.get(lastKey) !== undefined)) throw new Error('lost what it has room for')
  return { figure: (after - before) / (count * caches.length) }
}

/** Heap and typed arrays (`external` comprises them) after all that is garbage went. */
async function bytesInUse(): Promise<number> {
  if (gc === undefined) throw new Error('bytes are measured with node --expose-gc')
  for (let i = 0; i < 4; i++) {
    // What a WeakRef was made for lives until the end of the turn.
    await new Promise(resolve => setImmediate(resolve))
    gc()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
