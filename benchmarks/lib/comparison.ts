import { positiveInteger, selectNames, UsageError } from './command.ts'

/** What every benchmark that compares contestants is told. */
export interface ComparisonArguments {
  readonly runs: number
  /** Whom to measure, the reference first. */
  readonly contestants: readonly string[]
  readonly markdown: boolean
  readonly help: boolean
  /** Where to write every sample. */
  readonly json?: string
}

/** To be parsed with `allowPositionals`, for the names that follow `--only`. */
export const COMPARISON_OPTIONS = {
  quick: { type: 'boolean', default: false },
  runs: { type: 'string' },
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  markdown: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

interface Parsed {
  readonly values: {
    readonly runs?: string
    readonly only?: string[]
    readonly json?: string
    readonly markdown: boolean
    readonly help: boolean
  }
  readonly positionals: readonly string[]
}

interface Comparison {
  /** The names of all contestants. */
  readonly names: readonly string[]
  /** The one that is always measured. */
  readonly reference: string
  /** How many runs unless told otherwise. */
  readonly runs: number
}

/** @throws UsageError */
export function comparisonOf(parsed: Parsed, { names, reference, runs }: Comparison): ComparisonArguments {
  const { only, json, markdown, help } = parsed.values
  const [stray] = parsed.positionals
  if (only === undefined && stray !== undefined) {
    throw new UsageError(`unexpected argument "${stray}"; names of contestants follow --only`)
  }
  if (json === '') throw new UsageError('--json must name a file; received nothing')
  return {
    runs: parsed.values.runs === undefined ? runs : positiveInteger(parsed.values.runs, '--runs'),
    contestants: only === undefined ? names : selectNames([...only, ...parsed.positionals], names, reference),
    markdown,
    help,
    ...(json === undefined ? {} : { json }),
  }
}
