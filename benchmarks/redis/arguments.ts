import { listed, parseOptions, UsageError } from '../lib/command.ts'
import { COMPARISON_OPTIONS, type ComparisonArguments, comparisonOf } from '../lib/comparison.ts'
import { REFERENCE } from './contestants.ts'
import { WORKLOADS, type Workload } from './subject.ts'

export interface Arguments extends ComparisonArguments {
  readonly workloads: readonly Workload[]
  /** Milliseconds each measurement takes; on the link several times that. */
  readonly budgetMs: number
}

const OPTIONS = { ...COMPARISON_OPTIONS, workloads: { type: 'string', multiple: true } } as const

/**
 * @param contestants the names of all
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[], contestants: readonly string[]): Arguments {
  const parsed = parseOptions(argv, { options: OPTIONS, allowPositionals: true })
  const { quick, workloads } = parsed.values
  return {
    ...comparisonOf(parsed, { names: contestants, reference: REFERENCE, runs: quick ? 1 : 5 }),
    workloads: workloads === undefined ? WORKLOADS : selectWorkloads(workloads),
    budgetMs: quick ? 40 : 1_000,
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
