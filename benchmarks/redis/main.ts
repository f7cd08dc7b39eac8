import { RedisServer } from '@cache/test-support'
import { runCommand, save } from '../lib/command.ts'
import { describeMachine } from '../lib/machine.ts'
import { helpText, parseArguments } from './arguments.ts'
import { CONTESTANTS } from './contestants.ts'
import { failures, markdownReport, textReport } from './report.ts'
import { runRounds } from './rounds.ts'
import { serverVersion } from './server-stats.ts'
import { ShapedLink } from './shaped-link.ts'

/** Bytes of JSON of a value: below and above the size from which our store compresses. */
const BYTES = [1_000, 1_100]
/** A link of 1 Gbit/s to a server in the next building. */
const LINK = { bytesPerSecond: 125_000_000, latencyMs: 1 }

await runCommand(async argv => {
  const names = CONTESTANTS.map(({ name }) => name)
  const args = parseArguments(argv, names)
  if (args.help) {
    process.stdout.write(helpText(names))
    return 0
  }
  // Before the first round: a path that cannot be written to must not cost the results.
  if (args.json !== undefined) await save(args.json, '')
  const server = await RedisServer.start()
  const link = await ShapedLink.start(server.port, LINK)
  try {
    const plan = { ...args, bytes: BYTES, urls: [server.url, link.url] as const }
    const series = await runRounds(plan, text => process.stderr.write(`${text}\n`))
    const installed = describeMachine(packagesOf(args.contestants))
    const redis = await serverVersion(server.url)
    const machine = { ...installed, packages: { 'redis-server': redis, ...installed.packages } }
    process.stdout.write(`${(args.markdown ? markdownReport : textReport)(series, machine)}\n`)
    if (args.json !== undefined) await save(args.json, `${JSON.stringify({ machine, series }, null, 2)}\n`)
    const failed = failures(series)
    for (const failure of failed) process.stderr.write(`failed: ${failure}\n`)
    return failed.length === 0 ? 0 : 1
  } finally {
    await link.stop()
    await server.stop()
  }
})

function packagesOf(names: readonly string[]): string[] {
  return CONTESTANTS.filter(({ name }) => names.includes(name)).flatMap(({ packages }) => packages)
}
