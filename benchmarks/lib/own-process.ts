import { type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Of a round that failed, why. */
export interface Failure {
  readonly error: string
}

/**
 * Runs a worker, which takes its assignment as an argument and sends one measurement.
 *
 * @param worker the module it runs
 * @returns what it sent or, if it ended without, why
 */
export async function inOwnProcess<M>(
  worker: URL,
  assignment: object,
  { execArgv = [], ...options }: ForkOptions = {},
): Promise<M | Failure> {
  const child = fork(fileURLToPath(worker), [JSON.stringify(assignment)], {
    ...options,
    execArgv: [...process.execArgv, ...execArgv],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let measurement: M | undefined
  let complaint = ''
  child.on('message', message => {
    measurement = message as unknown as M
  })
  child.stderr?.setEncoding('utf8').on('data', text => {
    complaint += text
  })
  const [code, signal] = await once(child, 'close')
  return measurement ?? { error: lastError(complaint) ?? `ended with ${signal ?? `exit code ${code}`}` }
}

function lastError(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .findLast(line => /^\s*\w*Error\b/.test(line))
    ?.trim()
}
