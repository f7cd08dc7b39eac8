import { expect, test } from 'vitest'
import { spread } from '../lib/numbers.ts'
import { markdownTable, textTable } from '../lib/table.ts'
import { failures, markdownReport, textReport } from '../memory/report.ts'
import type { Series } from '../memory/rounds.ts'

test('a median is the middle one, or between the two in the middle', () => {
  expect(spread([9, 1, 4])).toEqual({ median: 4, min: 1, max: 9 })
  expect(spread([10, 1, 4, 9])).toEqual({ median: 6.5, min: 1, max: 10 })
  expect(spread([7])).toEqual({ median: 7, min: 7, max: 7 })
})

const table = {
  header: ['', 'short', 'x|y'],
  rows: [
    ['a name', '1', '22'],
    ['b', '333333'],
  ],
}

test('on a terminal names stand left and figures right', () => {
  expect(textTable(table)).toBe(
    ['         short  x|y', '------  ------  ---', 'a name       1   22', 'b       333333'].join('\n'),
  )
})

test('a bar in a cell does not break a Markdown table', () => {
  expect(markdownTable(table).split('\n').slice(0, 3)).toEqual([
    '|  | short | x\\|y |',
    '| --- | ---: | ---: |',
    '| a name | 1 | 22 |',
  ])
})

const machine = {
  date: '2026-01-02',
  cpu: 'A CPU',
  cores: 2,
  platform: 'linux x64',
  node: 'v24.0.0',
  packages: { 'lru-cache': '11.0.0' },
}

function series(workload: Series['workload'], contestant: string, ...figures: number[]): Series {
  return { keys: 1_000, workload, contestant, rounds: figures.map(figure => ({ figure })) }
}

test('a ratio is to the Map of the same round, whatever the noise of another round', () => {
  const report = textReport(
    [series('hit', 'Map', 100, 1_000, 50), series('hit', 'other', 200, 2_000, 150)],
    machine,
  )
  expect(report).toContain('2.00 (2.00–3.00) 200 ns')
})

test('bytes are those above the Map of the same round; for the Map itself all', () => {
  const report = textReport([series('bytes', 'Map', 20, 22), series('bytes', 'other', 60, 64)], machine)
  expect(report).toMatch(/Map +in all 21\.0 \(20\.0–22\.0\)/)
  expect(report).toMatch(/other +41\.0 \(40\.0–42\.0\)/)
})

test('the hit ratio of the mixed workload is told', () => {
  const rounds = [{ figure: 100, hitRatio: 0.75 }]
  const report = textReport([{ keys: 1_000, workload: 'mixed', contestant: 'Map', rounds }], machine)
  expect(report).toContain('100 ns, 75 %')
})

test('a failed round leaves the others standing and is told', () => {
  const broken: Series = {
    ...series('hit', 'other'),
    rounds: [{ error: 'Error: out of luck' }, { figure: 300 }],
  }
  const all = [series('hit', 'Map', 100, 100), broken]
  expect(textReport(all, machine)).toContain('3.00 (3.00–3.00) 300 ns')
  expect(failures(all)).toEqual(['other, hit, 1,000 keys: Error: out of luck'])
})

test('a contestant that failed in every round has no figure', () => {
  const broken: Series = { ...series('hit', 'other'), rounds: [{ error: 'Error: out of luck' }] }
  expect(textReport([series('hit', 'Map', 100), broken], machine)).toMatch(/other +failed/)
})

test('the Markdown section names date, machine and versions', () => {
  const report = markdownReport([series('hit', 'Map', 100)], machine)
  expect(report).toMatch(/^## In-process caches, 2026-01-02\n/)
  for (const fact of ['Node v24.0.0', '2 × A CPU', 'lru-cache 11.0.0', '### 1,000 keys', '| Map |']) {
    expect(report).toContain(fact)
  }
})
