import { RedisServer } from '@cache/test-support'
import { runCommand, save } from '../lib/command.ts'
import { describeMachine } from '../lib/machine.ts'
import { HELP, parseArguments } from './arguments.ts'
import { contestant } from './contestants.ts'
import { failures, markdownReport, textReport } from './report.ts'
import { runRounds } from './rounds.ts'

await runCommand(async argv => {
  const args = parseArguments(argv)
  if (args.help) {
    process.stdout.write(HELP)
    return 0
  }
  // Before the first round: a path that cannot be written to must not cost the results.
  if (args.json !== undefined) await save(args.json, '')
  const server = await RedisServer.start()
  try {
    const series = await runRounds(args, server.url, text => process.stderr.write(`${text}\n`))
    const machine = describeMachine(args.contestants.flatMap(name => contestant(name).packages))
    const report = args.markdown ? markdownReport : textReport
    process.stdout.write(`${report(series, machine, args.keys)}\n`)
    if (args.json !== undefined) await save(args.json, `${JSON.stringify({ machine, series }, null, 2)}\n`)
    const failed = failures(series)
    for (const failure of failed) process.stderr.write(`failed: ${failure}\n`)
    return failed.length === 0 ? 0 : 1
  } finally {
    await server.stop()
  }
})
