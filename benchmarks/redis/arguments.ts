import { listed, parseOptions, positiveInteger, selectNames, UsageError } from '../lib/command.ts'
import { REFERENCE } from './contestants.ts'
import { WORKLOADS, type Workload } from './subject.ts'

export interface Arguments {
  readonly workloads: readonly Workload[]
  readonly runs: number
  /** Milliseconds each measurement takes; on the link several times that. */
  readonly budgetMs: number
  /** Whom to measure, the reference first. */
  readonly contestants: readonly string[]
  readonly markdown: boolean
  readonly help: boolean
  /** Where to write every sample. */
  readonly json?: string
}

const OPTIONS = {
  quick: { type: 'boolean' },
  workloads: { type: 'string', multiple: true },
  runs: { type: 'string' },
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  markdown: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/**
 * @param contestants the names of all
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[], contestants: readonly string[]): Arguments {
  const { values, positionals } = parseOptions(argv, { options: OPTIONS, allowPositionals: true })
  const { quick = false, workloads, runs, only, json, markdown = false, help = false } = values
  if (only === undefined && positionals.length > 0) {
    throw new UsageError(`unexpected argument "${positionals[0]}"; names of contestants follow --only`)
  }
  if (json === '') throw new UsageError('--json must name a file; received nothing')
  return {
    workloads: workloads === undefined ? WORKLOADS : selectWorkloads(workloads),
    runs: runs === undefined ? (quick ? 1 : 5) : positiveInteger(runs, '--runs'),
    budgetMs: quick ? 40 : 1_000,
    contestants:
      only === undefined ? contestants : selectNames([...only, ...positionals], contestants, REFERENCE),
    markdown,
    help,
    ...(json === undefined ? {} : { json }),
  }
}

function selectWorkloads(values: readonly string[]): Workload[] {
  const selected = listed(values)
  const unknown = selected.find(name => !WORKLOADS.some(workload => workload === name))
  if (unknown !== undefined || selected.length === 0) {
    throw new UsageError(`--workloads must be of ${WORKLOADS.join(', ')}; received "${unknown ?? ''}"`)
  }
  return WORKLOADS.filter(workload => selected.includes(workload))
}

export function helpText(contestants: readonly string[]): string {
  return `Usage: bench:redis [options]

Measures caches with Redis behind them beside a bare ioredis client, each in processes of its own, in turn, against a
redis-server that it starts for itself.

Options:
  --workloads W…  of ${WORKLOADS.join(', ')} (default: all)
  --runs N        rounds, the median of which counts (default: 5)
  --only NAME…    whom to measure beside ioredis; * stands for anything: --only '@cache/*' bentocache
  --quick         1 round, short measurements: shows that it works, not how fast
  --markdown      print a section for RESULTS.md instead of tables for a terminal
  --json FILE     also write every sample to a file
  -h, --help      print this

Contestants: ${contestants.join(', ')}

Exit code: 0 if all went well, 1 if a contestant failed, 2 for options it does not understand.
`
}
