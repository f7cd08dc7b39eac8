import { runCommand } from '../lib/command.ts'
import { describeMachine } from '../lib/machine.ts'
import { count } from '../lib/numbers.ts'
import { markdownTable, textTable } from '../lib/table.ts'
import { helpText, parseArguments } from './arguments.ts'
import { deleteFromMap, expireTogether, type Turn } from './burst.ts'

await runCommand(async argv => {
  const args = parseArguments(argv)
  if (args.help) {
    process.stdout.write(helpText)
    return 0
  }
  const rows: string[][] = []
  for (let run = 1; run <= args.runs; run++) {
    process.stderr.write(`round ${run} of ${args.runs}\n`)
    rows.push(row(`BoundedMap, round ${run}`, await expireTogether(args.entries)))
    rows.push(row(`bare Map, round ${run}`, await deleteFromMap(args.entries)))
  }
  const { date, cpu, cores, platform, node } = describeMachine([])
  const table = {
    header: [
      'turns of the loop, ms',
      'turns',
      'median',
      'p99',
      'longest',
      'longest with a rehash',
      'collections',
    ],
    rows,
  }
  process.stdout.write(
    `${date}, Node ${node}, ${platform}, ${cores} × ${cpu}: ${count(args.entries)} entries that end in one second.\n\n` +
      `${(args.markdown ? markdownTable : textTable)(table)}\n`,
  )
  return 0
})

/** Collections of garbage are left out of the turns, and have a column of their own. */
function row(name: string, turns: readonly Turn[]): string[] {
  const own = turns.filter(({ rehashes }) => !rehashes).map(({ ms }) => ms)
  const rehashing = turns.filter(({ rehashes }) => rehashes).map(({ ms }) => ms)
  const collecting = turns.reduce((sum, { gcMs }) => sum + gcMs, 0)
  const sorted = own.toSorted((a, b) => a - b)
  const at = (share: number): string => fixed(sorted[Math.ceil((sorted.length - 1) * share)] ?? 0)
  return [
    name,
    count(turns.length),
    at(0.5),
    at(0.99),
    at(1),
    fixed(Math.max(0, ...rehashing)),
    fixed(collecting),
  ]
}

function fixed(ms: number): string {
  return ms.toFixed(2)
}
