import { type Machine, machineLines } from '../lib/machine.ts'
import { count, spread, withSpread } from '../lib/numbers.ts'
import { markdownTable, type Table, textTable } from '../lib/table.ts'
import { REFERENCE } from './contestants.ts'
import type { Series } from './rounds.ts'
import { type Measurement, WORKLOADS, type Workload } from './workloads.ts'

const TITLES: Readonly<Record<Workload, string>> = {
  hit: 'hit',
  set: 'set, evicting',
  mixed: 'mixed, room for 10 %',
  bytes: 'bytes/entry above Map',
}

/** For a terminal: one table for each number of keys. */
export function textReport(series: readonly Series[], machine: Machine): string {
  const sections = sizesOf(series).map(keys => `${count(keys)} keys\n\n${textTable(tableOf(series, keys))}`)
  return [machineLines(machine).join('\n'), ...sections, legend(series)].join('\n\n')
}

/** The same as a section of a Markdown file. */
export function markdownReport(series: readonly Series[], machine: Machine): string {
  const sections = sizesOf(series).map(
    keys => `### ${count(keys)} keys\n\n${markdownTable(tableOf(series, keys))}`,
  )
  const facts = machineLines(machine)
    .map(line => `- ${line}`)
    .join('\n')
  return [`## In-process caches, ${machine.date}`, facts, legend(series), ...sections].join('\n\n')
}

/** Failures in words, one a line. */
export function failures(series: readonly Series[]): string[] {
  return series.flatMap(({ keys, workload, contestant, rounds }) =>
    rounds.flatMap(round =>
      'error' in round ? [`${contestant}, ${workload}, ${count(keys)} keys: ${round.error}`] : [],
    ),
  )
}

function legend(series: readonly Series[]): string {
  const rounds = Math.max(...series.map(one => one.rounds.length))
  return [
    `Times: median ratio to a bare Map in the same round (lowest–highest, of ${rounds}), and ns an operation.`,
    'The Map evicts nothing: in "mixed" it comes to hold every key. The percentage there is the hit ratio.',
  ].join('\n')
}

function tableOf(series: readonly Series[], keys: number): Table {
  const here = series.filter(one => one.keys === keys)
  const names = [...new Set(here.map(({ contestant }) => contestant))]
  const find = (contestant: string, workload: Workload): Series | undefined =>
    here.find(one => one.contestant === contestant && one.workload === workload)
  return {
    header: ['', ...WORKLOADS.map(workload => TITLES[workload])],
    rows: names.map(name => [
      name,
      ...WORKLOADS.map(workload => cell(find(name, workload), find(REFERENCE, workload))),
    ]),
  }
}

function cell(series: Series | undefined, reference: Series | undefined): string {
  if (series === undefined || reference === undefined) return ''
  const pairs = series.rounds.flatMap((round, index) => {
    const base = reference.rounds[index]
    return 'error' in round || base === undefined || 'error' in base ? [] : [[round, base] as const]
  })
  if (pairs.length === 0) return 'failed'
  return series.workload === 'bytes' ? bytesCell(pairs, series.contestant === REFERENCE) : timeCell(pairs)
}

type Pair = readonly [Measurement, Measurement]

/** The reference itself shows what it takes in all. */
function bytesCell(pairs: readonly Pair[], isReference: boolean): string {
  const above = spread(pairs.map(([own, base]) => (isReference ? own.figure : own.figure - base.figure)))
  return `${isReference ? 'in all ' : ''}${withSpread(above, 1)}`
}

function timeCell(pairs: readonly Pair[]): string {
  const ratio = spread(pairs.map(([own, base]) => own.figure / base.figure))
  const nanoseconds = spread(pairs.map(([own]) => own.figure)).median
  const hitRatios = pairs.flatMap(([{ hitRatio }]) => (hitRatio === undefined ? [] : [hitRatio]))
  const hits = hitRatios.length === 0 ? '' : `, ${(spread(hitRatios).median * 100).toFixed(0)} %`
  return `${withSpread(ratio, 2)} ${count(nanoseconds)} ns${hits}`
}

function sizesOf(series: readonly Series[]): number[] {
  return [...new Set(series.map(({ keys }) => keys))]
}
