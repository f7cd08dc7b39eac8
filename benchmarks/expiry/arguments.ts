import { parseOptions, positiveInteger } from '../lib/command.ts'

export interface Arguments {
  readonly entries: number
  readonly runs: number
  readonly markdown: boolean
  readonly help: boolean
}

const OPTIONS = {
  entries: { type: 'string', default: '1000000' },
  runs: { type: 'string', default: '5' },
  markdown: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): Arguments {
  const { entries, runs, markdown, help } = parseOptions(argv, { options: OPTIONS }).values
  return {
    entries: positiveInteger(entries, '--entries'),
    runs: positiveInteger(runs, '--runs'),
    markdown,
    help,
  }
}

export const helpText = `Usage: bench:expiry [options]

Lets many entries of a BoundedMap end within one second, and times each turn of the event loop in which it
reclaims some; beside it, what a bare Map takes for the same removals, a thousand a turn.

Options:
  --entries N   how many (default: 1000000)
  --runs N      rounds (default: 5)
  --markdown    print a table for RESULTS.md
  -h, --help    print this
`
