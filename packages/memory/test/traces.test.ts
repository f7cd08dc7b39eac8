import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { mix } from '../src/hashing.ts'
import { BoundedMap, POLICY_NAMES, type PolicyName } from '../src/index.ts'
import { TinyLfu } from '../src/policies/tiny-lfu.ts'
import { PolicyHost } from './policy-host.ts'

/** As a service would: get; set on a miss. */
function missRatio(policy: PolicyName, maxItems: number, keys: ArrayLike<number>, maxBytes?: number): number {
  const bytes = maxBytes === undefined ? {} : { maxBytes, weigh: () => 1 }
  const map = new BoundedMap<number, true>({ maxItems, policy, ...bytes })
  return misses(keys, key => map.get(key) === true || !map.set(key, true)) / keys.length
}

/** With the hashes of a seed, so that the result is always the same. */
function tinyLfuMissRatio(maxItems: number, keys: ArrayLike<number>, seed = 1): number {
  const host = new PolicyHost<number>(TinyLfu, maxItems, slots => new TinyLfu(slots, seed))
  return misses(keys, key => host.read(key)) / keys.length
}

function misses(keys: ArrayLike<number>, read: (key: number) => boolean): number {
  let count = 0
  for (let i = 0; i < keys.length; i++) if (!read(keys[i] as number)) count++
  return count
}

/** Numbers in [0, 1) that are always the same. */
function uniform(seed: number): (i: number) => number {
  return i => (mix(i + Math.imul(seed, 0x9e3779b1)) >>> 0) / 2 ** 32
}

const LENGTH = 60_000
const KEYS = 5_000
const SIZE = 250

/** Popular keys: the n-th about 1/n as often as the first. */
const zipf = (i: number): number => Math.floor(KEYS ** uniform(1)(i))

const GENERATED: Readonly<Record<string, Uint32Array>> = {
  zipf: Uint32Array.from({ length: LENGTH }, (_, i) => zipf(i)),
  'zipf and scans': Uint32Array.from({ length: LENGTH }, (_, i) => (i % 1_500 < 1_000 ? zipf(i) : KEYS + i)),
  loop: Uint32Array.from({ length: LENGTH }, (_, i) => i % (2 * SIZE)),
  drift: Uint32Array.from({ length: LENGTH }, (_, i) => Math.floor(i / 20) + 400 * uniform(2)(i) ** 2),
  pairs: Uint32Array.from({ length: LENGTH }, (_, i) => (i % 2 === 0 ? i / 2 + 100 : (i - 1) / 2)),
}

describe.each(Object.entries(GENERATED))('%s', (_, keys) => {
  const lru = missRatio('lru', SIZE, keys)

  test.each([1, 2, 3])('tiny-lfu misses hardly more than lru ever (seed %d)', seed => {
    expect(tinyLfuMissRatio(SIZE, keys, seed)).toBeLessThan(lru + 0.02)
  })
})

test('tiny-lfu, sieve and s3-fifo keep favourites that scans flush out of lru', () => {
  const keys = GENERATED['zipf and scans'] as Uint32Array
  const lru = missRatio('lru', SIZE, keys)
  for (const policy of ['tiny-lfu', 'sieve', 's3-fifo'] as const) {
    expect(missRatio(policy, SIZE, keys), policy).toBeLessThan(lru - 0.04)
  }
})

test('tiny-lfu hits in a loop of twice its size nearly as often as can be', () => {
  const keys = GENERATED.loop as Uint32Array
  expect(missRatio('lru', SIZE, keys)).toBe(1)
  expect(tinyLfuMissRatio(SIZE, keys)).toBeLessThan(0.54)
})

test("yesterday's favourites leave tiny-lfu", () => {
  const host = new PolicyHost<number>(TinyLfu, 100, slots => new TinyLfu(slots, 1))
  for (let i = 0; i < 50_000; i++) host.read(i % 90)
  for (let i = 0; i < 20_000; i++) host.read(1_000 + (i % 80))
  expect(host.keys().filter(key => key >= 1_000)).toHaveLength(80)
})

test('tiny-lfu tries its windows anew when it has become much larger or smaller', () => {
  const keys = GENERATED.pairs as Uint32Array
  const host = new PolicyHost<number>(TinyLfu, 20, slots => new TinyLfu(slots, 1))
  misses(keys.subarray(0, 5_000), key => host.read(key))
  host.resize(250)
  misses(keys.subarray(5_000, 20_000), key => host.read(key))
  const large = keys.subarray(20_000, 30_000)
  expect(misses(large, key => host.read(key)) / large.length).toBeLessThan(0.52)
  host.resize(20)
  const loop = Uint32Array.from({ length: 10_000 }, (_, i) => i % 40)
  misses(loop, key => host.read(key))
  expect(misses(loop, key => host.read(key)) / loop.length).toBeLessThan(0.6)
})

describe.each(['s3-fifo', 'tiny-lfu', 'sieve'] as const)('%s', policy => {
  test('a bound on bytes is as good as one on entries', () => {
    const keys = GENERATED['zipf and scans'] as Uint32Array
    const difference = missRatio(policy, 1_000_000, keys, SIZE) - missRatio(policy, SIZE, keys)
    expect(Math.abs(difference)).toBeLessThan(0.01)
  })
})

test.each(POLICY_NAMES)('%s: ten entries under a bound of ten million take little memory', policy => {
  const before = process.memoryUsage().arrayBuffers
  const map = new BoundedMap<number, number>({ maxItems: 10_000_000, policy })
  for (let i = 0; i < 10; i++) map.set(i, i)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000)
  expect(map.size).toBe(10)
})

/** Traces of others are too large for this repository: who has them says where. */
const directory = process.env.TRACES_DIR ?? ''
const MOST_REFERENCES = 140_000

interface Cell {
  readonly trace: string
  readonly size: number
  readonly miss: Readonly<Record<string, number>>
}

function referenceCells(): Cell[] {
  const file = join(directory, 'reference.csv')
  if (directory === '' || !existsSync(file)) return []
  const rows = readFileSync(file, 'utf8').trim().split('\n').slice(1)
  const cells = new Map<string, Cell & { miss: Record<string, number> }>()
  for (const row of rows) {
    const [trace = '', references, , size, policy = '', miss] = row.split(',')
    if (Number(references) > MOST_REFERENCES) continue
    const cell = cells.get(`${trace} ${size}`) ?? { trace, size: Number(size), miss: {} }
    cell.miss[policy] = Number(miss)
    cells.set(`${trace} ${size}`, cell)
  }
  return [...cells.values()]
}

function readTrace(name: string): Uint32Array {
  const text = gunzipSync(readFileSync(join(directory, `${name}.txt.gz`))).toString()
  return Uint32Array.from(text.trim().split('\n'), Number)
}

const cells = referenceCells()

if (cells.length > 0) {
  describe.each(cells)('$trace with $size entries, beside the reference', ({ trace, size, miss }) => {
    const keys = readTrace(trace)

    test.each([
      ['fifo', 'FIFO'],
      ['lru', 'LRU'],
      ['sieve', 'Sieve'],
      ['s3-fifo', 'S3FIFO'],
    ] as const)('%s misses as often, to the digits printed', (policy, column) => {
      expect(missRatio(policy, size, keys).toFixed(4)).toBe(miss[column]?.toFixed(4))
    })

    test('tiny-lfu misses at most 0.05 more than the best, and 0.02 more than lru', () => {
      const ours = tinyLfuMissRatio(size, keys)
      expect(ours - Math.min(...Object.values(miss))).toBeLessThan(0.05)
      expect(ours - (miss.LRU as number)).toBeLessThan(0.02)
    })
  })

  test('tiny-lfu misses 0.01 more than the best at most, in the mean', () => {
    const regrets = cells.map(({ trace, size, miss }) => {
      return tinyLfuMissRatio(size, readTrace(trace)) - Math.min(...Object.values(miss))
    })
    expect(regrets.reduce((sum, regret) => sum + regret, 0) / regrets.length).toBeLessThan(0.01)
  })
}
