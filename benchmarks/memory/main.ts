import { runCommand, save } from '../lib/command.ts'
import { describeMachine } from '../lib/machine.ts'
import { helpText, parseArguments } from './arguments.ts'
import { CONTESTANTS } from './contestants.ts'
import { failures, markdownReport, textReport } from './report.ts'
import { runRounds } from './rounds.ts'

await runCommand(async argv => {
  const names = CONTESTANTS.map(({ name }) => name)
  const args = parseArguments(argv, names)
  if (args.help) {
    process.stdout.write(helpText(names))
    return 0
  }
  // Before the first round: a path that cannot be written to must not cost the results.
  if (args.json !== undefined) await save(args.json, '')
  const series = await runRounds(args, text => process.stderr.write(`${text}\n`))
  const machine = describeMachine(packagesOf(args.contestants))
  process.stdout.write(`${(args.markdown ? markdownReport : textReport)(series, machine)}\n`)
  if (args.json !== undefined) await save(args.json, `${JSON.stringify({ machine, series }, null, 2)}\n`)
  const failed = failures(series)
  for (const failure of failed) process.stderr.write(`failed: ${failure}\n`)
  return failed.length === 0 ? 0 : 1
})

function packagesOf(names: readonly string[]): string[] {
  return CONTESTANTS.filter(({ name }) => names.includes(name)).flatMap(({ package: name }) => name ?? [])
}
