import { parseOptions, positiveInteger } from '../lib/command.ts'
import { COMPARISON_OPTIONS, type ComparisonArguments, comparisonOf } from '../lib/comparison.ts'
import { CONTESTANTS } from './contestants.ts'

export interface Arguments extends ComparisonArguments {
  readonly keys: number
  /** Milliseconds each measurement takes. */
  readonly budgetMs: number
}

const OPTIONS = { ...COMPARISON_OPTIONS, keys: { type: 'string' } } as const

const NAMES = CONTESTANTS.map(({ name }) => name)

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): Arguments {
  const parsed = parseOptions(argv, { options: OPTIONS, allowPositionals: true })
  const { quick, keys } = parsed.values
  return {
    ...comparisonOf(parsed, { names: NAMES, reference: NAMES[0] as string, runs: quick ? 1 : 5 }),
    keys: keys === undefined ? (quick ? 1_000 : 100_000) : positiveInteger(keys, '--keys'),
    budgetMs: quick ? 40 : 1_500,
  }
}

export const HELP: string = `Usage: bench:read-through [options]

Measures hits, misses and loads in flight of read-through caches, each in processes of its own, in turn; hits beside an
async function that does one Map.get.

Options:
  --keys N        how many keys (default: 100000)
  --runs N        rounds, the median of which counts (default: 5)
  --only NAME…    whom to measure beside ${NAMES[0]}; * stands for anything: --only '@cache/*'
  --quick         1,000 keys, 1 round, short measurements: shows that it works, not how fast
  --markdown      print a section for RESULTS.md instead of tables for a terminal
  --json FILE     also write every sample to a file
  -h, --help      print this

Contestants: ${NAMES.join(', ')}

Needs a redis-server, which it starts by itself. Exit code: 0 if all went well, 1 if a contestant failed, 2 for options it
does not understand.
`
