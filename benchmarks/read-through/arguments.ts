import { parseOptions, positiveInteger, selectNames, UsageError } from '../lib/command.ts'
import { CONTESTANTS } from './contestants.ts'

export interface Arguments {
  readonly keys: number
  readonly runs: number
  /** Milliseconds each measurement takes. */
  readonly budgetMs: number
  readonly contestants: readonly string[]
  readonly markdown: boolean
  readonly help: boolean
  /** Where to write every sample. */
  readonly json?: string
}

const OPTIONS = {
  quick: { type: 'boolean' },
  keys: { type: 'string' },
  runs: { type: 'string' },
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  markdown: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const NAMES = CONTESTANTS.map(({ name }) => name)

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parseOptions(argv, { options: OPTIONS, allowPositionals: true })
  const { quick = false, keys, runs, only, json, markdown = false, help = false } = values
  if (only === undefined && positionals.length > 0) {
    throw new UsageError(`unexpected argument "${positionals[0]}"; names of contestants follow --only`)
  }
  if (json === '') throw new UsageError('--json must name a file; received nothing')
  return {
    keys: keys === undefined ? (quick ? 1_000 : 100_000) : positiveInteger(keys, '--keys'),
    runs: runs === undefined ? (quick ? 1 : 5) : positiveInteger(runs, '--runs'),
    budgetMs: quick ? 40 : 1_500,
    contestants:
      only === undefined ? NAMES : selectNames([...only, ...positionals], NAMES, NAMES[0] as string),
    markdown,
    help,
    ...(json === undefined ? {} : { json }),
  }
}

export const HELP = `Usage: bench:read-through [options]

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
