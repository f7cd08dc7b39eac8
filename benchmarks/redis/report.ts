import { type Machine, machineLines } from '../lib/machine.ts'
import { count, spread, withSpread } from '../lib/numbers.ts'
import { markdownTable, type Table, textTable } from '../lib/table.ts'
import { REFERENCE } from './contestants.ts'
import { type Goal, reached } from './goals.ts'
import type { Series } from './rounds.ts'
import { WORKLOADS, type Workload } from './subject.ts'
import type { Measurement } from './workloads.ts'

/** Above so many bytes of JSON our store compresses, unless told otherwise. */
const THRESHOLD = 1_024

const TITLES: Readonly<Record<Exclude<Workload, 'link'>, string>> = {
  get: 'get',
  getMany: 'getMany of 100',
  setMany: 'setMany of 100',
  miss: 'miss, loaded and stored',
}

interface Section {
  readonly title: string
  readonly table: Table
}

/** For a terminal. */
export function textReport(series: readonly Series[], machine: Machine): string {
  const sections = sectionsOf(series).map(({ title, table }) => `${title}\n\n${textTable(table)}`)
  return [machineLines(machine).join('\n'), ...sections, legend(series)].join('\n\n')
}

/** The same as a section of a Markdown file. */
export function markdownReport(series: readonly Series[], machine: Machine): string {
  const sections = sectionsOf(series).map(({ title, table }) => `### ${title}\n\n${markdownTable(table)}`)
  const facts = machineLines(machine).map(line => `- ${line}`)
  return [`## With Redis behind, ${machine.date}`, facts.join('\n'), legend(series), ...sections].join('\n\n')
}

/** Failures in words, one a line. */
export function failures(series: readonly Series[]): string[] {
  return series.flatMap(({ bytes, workload, contestant, rounds }) =>
    rounds.flatMap(round =>
      'error' in round ? [`${contestant}, ${workload}, ${count(bytes)} bytes: ${round.error}`] : [],
    ),
  )
}

function legend(series: readonly Series[]): string {
  const rounds = Math.max(...series.map(one => one.rounds.length))
  return (
    `Median ratio to the time of ${REFERENCE} in the same round (lowest–highest, of ${rounds}), ` +
    'time of an operation, commands that Redis executed for it.'
  )
}

function sectionsOf(series: readonly Series[]): Section[] {
  const cache = series.filter(({ workload }) => workload !== 'link')
  const link = series.filter(({ workload }) => workload === 'link')
  const goals = goalTable(series)
  return [
    ...sizesOf(cache).map(bytes => ({
      title: `${count(bytes)} bytes of JSON, ${bytes > THRESHOLD ? 'above' : 'below'} our threshold of compression`,
      table: cacheTable(cache.filter(one => one.bytes === bytes)),
    })),
    ...(link.length === 0
      ? []
      : [{ title: 'Small reads beside readers of 5 MB, on a shaped link', table: linkTable(link) }]),
    ...(goals.rows.length === 0 ? [] : [{ title: 'Goals', table: goals }]),
  ]
}

function cacheTable(series: readonly Series[]): Table {
  const workloads = WORKLOADS.filter(workload => series.some(one => one.workload === workload))
  const find = (contestant: string, workload: Workload): Series | undefined =>
    series.find(one => one.contestant === contestant && one.workload === workload)
  const header = workloads.map(workload => (workload === 'link' ? '' : TITLES[workload]))
  return {
    header: ['', ...header],
    rows: namesOf(series).map(name => [
      name,
      ...workloads.map(workload => timeCell(find(name, workload), find(REFERENCE, workload))),
    ]),
  }
}

function timeCell(series: Series | undefined, reference: Series | undefined): string {
  if (series === undefined || reference === undefined) return ''
  const pairs = series.rounds.flatMap((round, index) => {
    const base = reference.rounds[index]
    return 'error' in round || base === undefined || 'error' in base ? [] : [[round, base] as const]
  })
  if (pairs.length === 0) return 'failed'
  const ratio = spread(pairs.map(([own, base]) => own.figure / base.figure))
  const microseconds = spread(pairs.map(([own]) => own.figure)).median
  const commands = spread(pairs.map(([own]) => own.commands ?? 0)).median
  return `${withSpread(ratio)} ${count(microseconds)} µs, ${commands.toFixed(0)} cmd`
}

function linkTable(series: readonly Series[]): Table {
  return {
    header: ['p99, ms', 'without', 'beside', 'ratio', 'event loop, beside'],
    rows: series.map(({ contestant, rounds }) => {
      const good = rounds.filter((round): round is Measurement => !('error' in round))
      if (good.length === 0) return [contestant, 'failed']
      const milliseconds = (pick: (round: Measurement) => number | undefined): string =>
        withSpread(spread(good.map(round => (pick(round) ?? 0) / 1_000)))
      return [
        contestant,
        milliseconds(({ alone }) => alone),
        milliseconds(({ figure }) => figure),
        withSpread(spread(good.map(({ figure, alone }) => figure / (alone ?? 0)))),
        milliseconds(({ stall }) => stall),
      ]
    }),
  }
}

function goalTable(series: readonly Series[]): Table {
  return {
    header: ['', 'bytes', 'goal', 'measured', ''],
    rows: reached(series).map(({ goal, bytes, ratio, met }) => [
      `${goal.contestant}: ${goal.what}`,
      count(bytes),
      limitOf(goal),
      withSpread(ratio),
      met ? 'met' : 'missed',
    ]),
  }
}

function limitOf({ as, limit }: Goal): string {
  return as === 'time' ? `time ≤ ${limit}` : `throughput ≥ ${limit}`
}

function sizesOf(series: readonly Series[]): number[] {
  return [...new Set(series.map(({ bytes }) => bytes))]
}

function namesOf(series: readonly Series[]): string[] {
  return [...new Set(series.map(({ contestant }) => contestant))]
}
