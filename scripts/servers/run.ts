import { spawn } from 'node:child_process'
import { fail } from './find.ts'

/** Runs a command with further variables, and ends as it does; without a command, prints the variables. */
export function run(command: readonly string[], variables: Readonly<Record<string, string>>): void {
  const [program, ...args] = command
  if (!program) {
    for (const [name, value] of Object.entries(variables)) console.log(`${name}=${value}`)
    return
  }
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...variables } })
  child.once('error', error => fail(`cannot run ${program}: ${error.message}`))
  child.once('exit', code => {
    process.exitCode = code ?? 1
  })
}
