import { POLICY_NAMES, type PolicyName } from '@cache/memory'
import { listed, parseOptions, UsageError } from '../lib/command.ts'
import { GENERATED } from './generated.ts'
import { parseSizes, type Size } from './sizes.ts'

export interface Arguments {
  /** Files, or names of built-in traces. */
  readonly traces: readonly string[]
  /** Instead of traces: the keys of a log. */
  readonly log?: { readonly files: readonly string[]; readonly pattern: RegExp }
  readonly sizes: readonly Size[]
  readonly policies: readonly PolicyName[]
  /** Instead of sizes: the cells of this file. */
  readonly reference?: string
  readonly svg?: string
  readonly json: boolean
  readonly help: boolean
}

const OPTIONS = {
  from: { type: 'string', multiple: true },
  key: { type: 'string' },
  sizes: { type: 'string', multiple: true },
  policies: { type: 'string', multiple: true },
  reference: { type: 'string' },
  svg: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const DEFAULT_SIZES = ['0.1%', '1%', '10%']

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals: traces } = parseOptions(argv, { options: OPTIONS, allowPositionals: true })
  const { from, key, reference, svg, json = false, help = false } = values
  if (from !== undefined && traces.length > 0) throw new UsageError('give either traces or --from, not both')
  if (from === undefined && key !== undefined) throw new UsageError('--key needs a log: --from FILE')
  if (reference !== undefined && from !== undefined)
    throw new UsageError('--reference needs traces, not --from')
  if (reference !== undefined && values.sizes !== undefined) {
    throw new UsageError('--reference brings its own sizes: leave --sizes out')
  }
  for (const [option, file] of Object.entries({ reference, svg, from: from?.find(name => name === '') })) {
    if (file === '') throw new UsageError(`--${option} must name a file; received nothing`)
  }
  return {
    traces,
    sizes: parseSizes(listed(values.sizes ?? DEFAULT_SIZES)),
    policies: parsePolicies(values.policies),
    json,
    help,
    ...(from === undefined ? {} : { log: { files: from, pattern: parsePattern(key ?? '.+') } }),
    ...(reference === undefined ? {} : { reference }),
    ...(svg === undefined ? {} : { svg }),
  }
}

function parsePolicies(values: readonly string[] | undefined): readonly PolicyName[] {
  if (values === undefined) return POLICY_NAMES
  const names = listed(values)
  const unknown = names.find(name => !POLICY_NAMES.includes(name as PolicyName))
  if (unknown !== undefined || names.length === 0) {
    throw new UsageError(`--policies must be some of ${POLICY_NAMES.join(', ')}; received "${unknown ?? ''}"`)
  }
  return POLICY_NAMES.filter(name => names.includes(name))
}

function parsePattern(source: string): RegExp {
  try {
    return new RegExp(source)
  } catch (error) {
    throw new UsageError(`--key must be a regular expression; ${(error as Error).message}`)
  }
}

export function helpText(): string {
  return `Usage: bench:hit-ratio [TRACE…] [options]
       bench:hit-ratio --from LOG [--key REGEX] [options]

Replays what was asked for under every eviction policy, and tells how much each would have missed.

A TRACE is a file of keys, one a line, .gz too, or built in: ${[...GENERATED.keys()].join(', ')}.
Default: every *.txt.gz in TRACES_DIR if that is set, otherwise all that are built in.

Options:
  --from LOG        your own log, .gz too; several are read one after the other
  --key REGEX       what the key is in a line of it: the first group, or the whole match (default: the line)
  --sizes S,S…      cache sizes, in entries or as shares of the distinct keys (default: ${DEFAULT_SIZES.join(',')})
  --policies P,P…   default: ${POLICY_NAMES.join(',')}
  --svg FILE        draw hit ratio over cache size, from the smallest size to the largest
  --reference FILE  compare with another implementation: CSV of trace,refs,unique,size,policy,miss
  --json            print one JSON object instead of tables
  -h, --help        print this

Example: which policy, and is a larger cache worth its memory, for the GET requests of a web server?
  pnpm bench:hit-ratio --from access.log.1.gz --from access.log --key 'GET (\\S+)' --sizes 1000,10000,100000

Exit code: 0 if all went well, 2 for options it does not understand and files it cannot use.
`
}
