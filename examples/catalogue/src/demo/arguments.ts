import { parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

export interface Arguments {
  /** A file of keys, one a line; without it the demo makes its own traffic. */
  readonly trace?: string
  /** Seconds of traffic. */
  readonly duration: number
  /** Eviction policy of the memory tier. */
  readonly policy: string
  readonly json: boolean
  readonly keep: boolean
  readonly help: boolean
}

/**
 * @param policies what the memory tier knows; the first is the default
 * @throws UsageError for an unknown option or a value that is not accepted
 */
export function parseArguments(argv: readonly string[], policies: readonly string[]): Arguments {
  const { trace, duration = '30', policy = policies[0] ?? '', ...flags } = optionsOf(argv)
  const seconds = Number(duration)
  if (!(seconds >= 1 && seconds <= 86_400)) {
    throw new UsageError(`--duration must be a number of seconds from 1 to 86400; received "${duration}"`)
  }
  if (!policies.includes(policy)) {
    throw new UsageError(`--policy must be one of ${policies.join(', ')}; received "${policy}"`)
  }
  if (trace === '') throw new UsageError('--trace must name a file of keys, one a line; received nothing')
  const { json = false, keep = false, help = false } = flags
  return { duration: seconds, policy, json, keep, help, ...(trace === undefined ? {} : { trace }) }
}

const OPTIONS = {
  trace: { type: 'string' },
  duration: { type: 'string' },
  policy: { type: 'string' },
  json: { type: 'boolean' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function optionsOf(argv: readonly string[]) {
  // `pnpm demo -- --json` hands the dashes on.
  const args = argv[0] === '--' ? argv.slice(1) : [...argv]
  try {
    return parseArgs({ args, options: OPTIONS }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

export function helpText(policies: readonly string[]): string {
  return `Usage: demo [options]

Starts a product API, plays traffic against it over HTTP, and shows what its cache does. Halfway it kills
its own Redis and starts it again some seconds later: no request may fail.

Options:
  --trace FILE        keys to play, one a line, .gz too (default: a built-in Zipf distribution)
  --duration SECONDS  how long to play; a trace that ends earlier starts again (default: 30)
  --policy NAME       eviction in the memory tier: ${policies.join(', ')} (default: ${policies[0]})
  --json              print one JSON object as the last line of stdout, everything else to stderr
  --keep              leave the service and its metrics running afterwards, until Ctrl-C
  -h, --help          print this

Environment:
  REDIS_URL     use this Redis, and never kill it; keys get a prefix of their own and are removed at the end
  METRICS_PORT  where the metrics are, or the next free port after it (default: 8000)
  REDIS_SERVER  the redis-server to start (default: the one on the PATH; without one, memory only)

Exit code: 0 if no request failed and no read was stale, 1 otherwise, 2 for options it does not understand.
`
}
