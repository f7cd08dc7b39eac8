import { listed, parseOptions, positiveInteger } from '../lib/command.ts'

export interface Arguments {
  /** KiB of the values that are compressed as a whole. */
  readonly sizes: readonly number[]
  /** Bytes of the dictionaries; none are measured if it is empty. */
  readonly dictionaries: readonly number[]
  /** How often each call is timed, at most; large values get fewer. */
  readonly runs: number
  readonly markdown: boolean
  readonly help: boolean
}

const OPTIONS = {
  sizes: { type: 'string', default: '16,32,64,128,256,1024,4096' },
  dictionaries: { type: 'string', default: '2048,4096,8192,16384,32768,65536' },
  runs: { type: 'string', default: '200' },
  markdown: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): Arguments {
  const { sizes, dictionaries, runs, markdown, help } = parseOptions(argv, { options: OPTIONS }).values
  return {
    sizes: listed([sizes]).map(size => positiveInteger(size, '--sizes')),
    dictionaries: listed([dictionaries]).map(size => positiveInteger(size, '--dictionaries')),
    runs: positiveInteger(runs, '--runs'),
    markdown,
    help,
  }
}

export const helpText = `Usage: bench:compression [options]

Compresses and decompresses JSON by each algorithm of zlib, synchronously and on the thread pool: from which size on does
the thread pool keep the event loop busy for less time? Then small records with dictionaries of several sizes: how
much smaller do they become, and what does it take?

Options:
  --sizes N,…        KiB of the values (default: 16,32,64,128,256,1024,4096)
  --dictionaries N,… bytes of the dictionaries; '' for none (default: 2048,4096,8192,16384,32768,65536)
  --runs N           how often each call is timed (default: 200; large values fewer)
  --markdown         print tables for RESULTS.md
  -h, --help         print this
`
