import { CacheError } from '@cache/core'
import { POLICY_NAMES } from '@cache/memory'
import { helpText, parseArguments } from './demo/arguments.ts'
import { runDemo } from './demo/run.ts'
import { UsageError } from './demo/usage-error.ts'

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second time without manners; the `exit` handlers still run.
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort()
  })
}

// Whoever read the output went away, as `head` does: nobody is left to tell.
process.stdout.on('error', () => interrupted.abort())

try {
  const args = parseArguments(process.argv.slice(2), POLICY_NAMES)
  if (args.help) process.stdout.write(helpText(POLICY_NAMES))
  else {
    await runDemo({
      args,
      env: process.env,
      screen: args.json ? process.stderr : process.stdout,
      signal: interrupted.signal,
      onSummary(summary, report) {
        if (args.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
        process.exitCode = summary.errors === 0 && report.staleReads === 0 && summary.requests > 0 ? 0 : 1
      },
    })
  }
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  if (interrupted.signal.aborted) return 130
  if (error instanceof UsageError || (error instanceof CacheError && error.code === 'INVALID_OPTION')) {
    process.stderr.write(`${error.message}\nTry --help.\n`)
    return 2
  }
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
  return 1
}
