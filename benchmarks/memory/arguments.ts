import { listed, parseOptions, positiveInteger, UsageError } from '../lib/command.ts'
import { COMPARISON_OPTIONS, type ComparisonArguments, comparisonOf } from '../lib/comparison.ts'
import { REFERENCE } from './contestants.ts'

export interface Arguments extends ComparisonArguments {
  readonly keys: readonly number[]
  /** Milliseconds each measurement takes. */
  readonly budgetMs: number
}

const OPTIONS = { ...COMPARISON_OPTIONS, keys: { type: 'string', multiple: true } } as const

/** A `Map` of V8 ends at 2^24 entries, and our own bound is below. */
const MAX_KEYS = 15_000_000

/**
 * @param contestants the names of all
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[], contestants: readonly string[]): Arguments {
  const parsed = parseOptions(argv, { options: OPTIONS, allowPositionals: true })
  const { quick, keys } = parsed.values
  return {
    ...comparisonOf(parsed, { names: contestants, reference: REFERENCE, runs: quick ? 2 : 5 }),
    keys: keys === undefined ? (quick ? [10_000] : [10_000, 100_000, 1_000_000]) : keyCounts(keys),
    budgetMs: quick ? 40 : 400,
  }
}

function keyCounts(values: readonly string[]): number[] {
  const counts = listed(values).map(value => positiveInteger(value, '--keys'))
  if (counts.length === 0) throw new UsageError('--keys must be numbers of keys; received nothing')
  const excess = counts.find(count => count > MAX_KEYS)
  if (excess !== undefined) throw new UsageError(`--keys must be at most ${MAX_KEYS}; received ${excess}`)
  return [...new Set(counts)]
}

export function helpText(contestants: readonly string[]): string {
  return `Usage: bench:memory [options]

Measures in-process caches beside a bare Map, each in processes of its own, in turn.

Options:
  --keys N,N…     how many keys (default: 10000,100000,1000000)
  --runs N        rounds, the median of which counts (default: 5)
  --only NAME…    whom to measure beside the Map; * stands for anything: --only 'bounded-map/*' lru-cache
  --quick         10,000 keys, 2 rounds, short measurements: shows that it works, not how fast
  --markdown      print a section for RESULTS.md instead of tables for a terminal
  --json FILE     also write every sample to a file
  -h, --help      print this

Contestants: ${contestants.join(', ')}

Exit code: 0 if all went well, 1 if a contestant failed, 2 for options it does not understand.
`
}
