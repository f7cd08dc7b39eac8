import { type Machine, machineLines } from '../lib/machine.ts'
import { count, type Spread, spread, withSpread } from '../lib/numbers.ts'
import { markdownTable, type Table, textTable } from '../lib/table.ts'
import { contestant } from './contestants.ts'
import { reached } from './goals.ts'
import type { Measurement } from './measure.ts'
import type { Series } from './rounds.ts'

/** For a terminal. */
export function textReport(series: readonly Series[], machine: Machine, keys: number): string {
  const tables = [figures(series, keys), goals(series)].map(textTable)
  return [machineLines(machine).join('\n'), legend(series), ...tables].join('\n\n')
}

/** The same as a section of a Markdown file. */
export function markdownReport(series: readonly Series[], machine: Machine, keys: number): string {
  const facts = machineLines(machine).map(line => `- ${line}`)
  const tables = [figures(series, keys), goals(series)].map(markdownTable)
  return [`## Read-through, ${machine.date}`, facts.join('\n'), legend(series), ...tables].join('\n\n')
}

/** Failures in words, one a line. */
export function failures(series: readonly Series[]): string[] {
  return series.flatMap(({ contestant, rounds }) =>
    rounds.flatMap(round => ('error' in round ? [`${contestant}: ${round.error}`] : [])),
  )
}

function legend(series: readonly Series[]): string {
  const rounds = Math.max(...series.map(one => one.rounds.length))
  return [
    `Hits are awaited: median ratio (lowest–highest, of ${rounds} processes) to an async function that does one Map.get, measured in`,
    'turn with it in the same process, and ns. A miss: microseconds of the processor beyond its loader.',
  ].join('\n')
}

function figures(series: readonly Series[], keys: number): Table {
  const rows = series.map(({ contestant: name, rounds }) => {
    const measured = rounds.flatMap(round => ('error' in round ? [] : [round]))
    if (measured.length === 0) return [name, 'failed', '', '', '']
    const { beside } = contestant(name)
    const of = (figureOf: (measurement: Measurement) => number): Spread => spread(measured.map(figureOf))
    const times = (['zipf', 'hot'] as const).map(
      which =>
        `${withSpread(
          of(each => each[which].ratio),
          2,
        )} ${count(of(each => each[which].ns).median)} ns`,
    )
    const others = [
      withSpread(
        of(each => each.missUs),
        1,
      ),
      count(of(each => each.flightBytes).median),
    ]
    return [beside === undefined ? name : `${name} (to ${beside})`, ...times, ...others]
  })
  return {
    header: ['', `hit, zipf over ${count(keys)} keys`, 'hit, one key', 'miss, µs', 'bytes a key in flight'],
    rows,
  }
}

function goals(series: readonly Series[]): Table {
  const rows = reached(series).map(({ goal, figure, met }) => [
    goal.what,
    `≤ ${goal.limit}`,
    withSpread(figure, 2),
    met ? 'reached' : 'missed',
  ])
  return { header: ['goal', 'limit', 'measured', ''], rows }
}
