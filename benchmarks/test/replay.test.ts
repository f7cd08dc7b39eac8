import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { POLICY_NAMES } from '@cache/memory'
import { describe, expect, test } from 'vitest'
import { compare, comparisonTable, summaryTable } from '../hit-ratio/comparison.ts'
import { readTrace } from '../hit-ratio/read-trace.ts'
import { bestOf, counterpart, readReference } from '../hit-ratio/reference.ts'
import { missRatio, type Result, replay } from '../hit-ratio/replay.ts'
import { advice, missTable } from '../hit-ratio/report.ts'
import { curveSizes, parseSizes, resolveSizes } from '../hit-ratio/sizes.ts'
import { type Trace, TraceBuilder } from '../hit-ratio/trace.ts'
import { temporaryDirectory } from './files.ts'

const directory = temporaryDirectory()

function traceOf(keys: string): Trace {
  const builder = new TraceBuilder()
  for (const key of keys) builder.add(key)
  return builder.build('tiny')
}

describe('replay', () => {
  test.each(POLICY_NAMES)('%s: misses are at least one a key, at most one a reference', policy => {
    const trace = traceOf('abcabdabeabfabg'.repeat(20))
    expect(missRatio(trace, 100, policy)).toBe(7 / 300)
    const tight = missRatio(trace, 3, policy)
    expect(tight).toBeGreaterThan(7 / 300)
    expect(tight).toBeLessThanOrEqual(1)
  })

  test('counts what a cache of two entries misses', () => {
    // fifo drops the a that was just read, lru the b.
    expect(missRatio(traceOf('abaacb'), 2, 'lru')).toBe(4 / 6)
    expect(missRatio(traceOf('abaca'), 2, 'fifo')).toBe(4 / 5)
    expect(missRatio(traceOf('abaca'), 2, 'lru')).toBe(3 / 5)
  })

  test('comes to one cell for each policy and size', () => {
    const { cells } = replay(traceOf('abcab'), [1, 2], ['lru', 'fifo'])
    expect(cells.map(({ policy, size }) => `${policy} ${size}`)).toEqual([
      'lru 1',
      'fifo 1',
      'lru 2',
      'fifo 2',
    ])
  })
})

describe('sizes', () => {
  test('are entries or shares, rounded down, at least one entry, each once, ascending', () => {
    expect(resolveSizes(parseSizes(['10%', '50', '0.1%', '2.5 %']), 199)).toEqual([1, 4, 19, 50])
    expect(resolveSizes(parseSizes(['5', '5', '50%']), 10)).toEqual([5])
  })

  test.each(['0', '-1', '1.5', '0%', '101%', 'many', '%', '1e3', '16000000'])('refuse "%s"', text => {
    expect(() => parseSizes([text])).toThrow(`received "${text}"`)
  })

  test('of a curve lie between the smallest and the largest, and those asked for are among them', () => {
    const sizes = curveSizes([10, 123, 1_000], 5_000)
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
    expect([sizes[0], sizes.at(-1)]).toEqual([10, 1_000])
    expect(sizes).toContain(123)
    expect(sizes.length).toBeGreaterThan(10)
  })

  test('of a curve around a single size reach a decade either way, but not beyond the keys', () => {
    const sizes = curveSizes([100], 500)
    expect([sizes[0], sizes.at(-1)]).toEqual([10, 500])
    expect(curveSizes([1], 1)).toEqual([1])
  })
})

const result: Result = {
  trace: { name: 'shop', references: new Uint32Array(1_000), unique: 100 },
  sizes: [1, 10],
  cells: [
    { policy: 'lru', size: 1, miss: 0.9 },
    { policy: 'lfu', size: 1, miss: 0.95 },
    { policy: 'lru', size: 10, miss: 0.5 },
    { policy: 'lfu', size: 10, miss: 0.2 },
  ],
}

describe('report', () => {
  test('marks the lowest miss ratio of each size', () => {
    const table = missTable(result)
    expect(table).toContain('shop: 1,000 references, 100 keys')
    expect(table).toMatch(/lru +\*0\.9000 +0\.5000/)
    expect(table).toMatch(/lfu +0\.9500 +\*0\.2000/)
    expect(table).toContain('below 0.1000')
  })

  test('names in words who would have done best, at each size and over all', () => {
    expect(advice(result).split('\n')).toEqual([
      'With room for 1 entry (1 % of your keys), lru would have done best: 90.0 % of requests would have gone to the source.',
      'With room for 10 entries (10 % of your keys), lfu would have done best: 20.0 % of requests would have gone to the source, against 50.0 % with lru (60.0 % fewer).',
      "Over these sizes together, pick lfu: new BoundedMap({ maxItems, policy: 'lfu' }).",
    ])
  })
})

test('where policies do not differ, none is praised', () => {
  const text = advice(replay(traceOf('abcd'), [2], POLICY_NAMES))
  expect(text).toContain('the policy makes no difference: 100.0 % of requests')
})

describe('reference', () => {
  const head = 'trace,refs,unique,size,policy,miss\n'

  test('ours is compared with the same policy and with the best', async () => {
    const rows = 'shop,1000,100,10,LRU,0.5000\nshop,1000,100,10,LIRS,0.1500\nshop,1000,100,10,LFU,0.2500\n'
    const cells = await readReference(directory.file('reference.csv', head + rows))
    const compared = compare(result, cells)
    expect(compared).toHaveLength(2)
    expect(compared[1]).toMatchObject({ trace: 'shop', size: 10, policy: 'lfu', miss: 0.2, reference: 0.25 })
    expect(compared[1]?.regret).toBeCloseTo(0.05)
    expect(compared[1]?.aboveLru).toBeCloseTo(-0.3)
    const table = comparisonTable(compared, cells)
    expect(table).toContain('shop, 10 entries; best of the reference: LIRS 0.1500')
    expect(table).toMatch(/lru +0\.5000 +0\.5000 += +0\.3500/)
    expect(table).toMatch(/lfu +0\.2000 +0\.2500 +-0\.0500 +0\.0500/)
  })

  test('the summary has mean and worst regret of each policy', () => {
    const cell = { trace: 'shop', policy: 'lru', miss: 0.5, reference: 0.5, aboveLru: 0 } as const
    const table = summaryTable([
      { ...cell, size: 1, regret: 0.1 },
      { ...cell, size: 10, regret: 0.3, reference: 0.4, aboveLru: 0.02 },
    ])
    expect(table).toMatch(/lru +0\.2000 +0\.3000 \(shop, 10\) +0\.0200 +1 of 2 +0\.1000/)
  })

  test('policies are known under the spelling of others', () => {
    const names = ['FIFO', 'S3FIFO', 'Sieve', 'WTinyLFU', 'TwoQ']
    const cell = { trace: '', references: 1, size: 1, miss: new Map(names.map((name, i) => [name, i])) }
    expect(['fifo', 's3-fifo', 'sieve', 'tiny-lfu', 'lru'].map(name => counterpart(name, cell))).toEqual([
      0,
      1,
      2,
      3,
      undefined,
    ])
    expect(bestOf(cell)).toEqual({ policy: 'FIFO', miss: 0 })
  })

  test.each([
    ['no header', 'shop,1,1,1,LRU,0.5\n', /must begin with the line trace,refs/],
    ['no rows', head, /no rows/],
    ['a ratio above 1', `${head}shop,1,1,1,LRU,1.5\n`, /line 2/],
    ['a missing column', `${head}shop,1,1,1,LRU,0.5\nshop,1,1,LRU,0.5\n`, /line 3/],
    ['words for numbers', `${head}shop,one,1,1,LRU,0.5\n`, /line 2/],
  ])('a file with %s is refused', async (_, content, message) => {
    await expect(readReference(directory.file('bad.csv', content))).rejects.toThrow(message)
  })
})

/** Traces of others are too large for this repository: who has them says where. */
const tracesDirectory = process.env.TRACES_DIR
/** More references than these take too long here; the tool itself replays them all. */
const MOST_REFERENCES = 140_000

if (tracesDirectory) {
  describe('real traces', async () => {
    const cells = await readReference(join(tracesDirectory, 'reference.csv'))
    const present = new Set(readdirSync(tracesDirectory))
    const small = Map.groupBy(
      cells.filter(cell => cell.references <= MOST_REFERENCES && present.has(`${cell.trace}.txt.gz`)),
      cell => cell.trace,
    )
    const deterministic = POLICY_NAMES.filter(name => ['fifo', 'lru', 'sieve'].includes(name))

    test.each([...small])('%s: misses as the reference does, to the digits printed', async (name, own) => {
      const trace = await readTrace(join(tracesDirectory, `${name}.txt.gz`))
      expect(trace.references.length).toBe(own[0]?.references)
      for (const cell of own) {
        for (const policy of deterministic) {
          const miss = missRatio(trace, cell.size, policy)
          expect(miss.toFixed(4), `${policy} ${cell.size}`).toBe(counterpart(policy, cell)?.toFixed(4))
        }
      }
    })
  })
}
