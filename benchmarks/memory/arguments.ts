import { listed, parseOptions, positiveInteger, selectNames, UsageError } from '../lib/command.ts'
import { REFERENCE } from './contestants.ts'

export interface Arguments {
  readonly keys: readonly number[]
  readonly runs: number
  /** Milliseconds each measurement takes. */
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
  keys: { type: 'string', multiple: true },
  runs: { type: 'string' },
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  markdown: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** A `Map` of V8 ends at 2^24 entries, and our own bound is below. */
const MAX_KEYS = 15_000_000

/**
 * @param contestants the names of all
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[], contestants: readonly string[]): Arguments {
  const { values, positionals } = parseOptions(argv, { options: OPTIONS, allowPositionals: true })
  const { quick = false, keys, runs, only, json, markdown = false, help = false } = values
  if (only === undefined && positionals.length > 0) {
    throw new UsageError(`unexpected argument "${positionals[0]}"; names of contestants follow --only`)
  }
  if (json === '') throw new UsageError('--json must name a file; received nothing')
  return {
    keys: keys === undefined ? (quick ? [10_000] : [10_000, 100_000, 1_000_000]) : keyCounts(keys),
    runs: runs === undefined ? (quick ? 2 : 5) : positiveInteger(runs, '--runs'),
    budgetMs: quick ? 40 : 400,
    contestants:
      only === undefined ? contestants : selectNames([...only, ...positionals], contestants, REFERENCE),
    markdown,
    help,
    ...(json === undefined ? {} : { json }),
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
