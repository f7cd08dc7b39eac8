import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one of the tools as its users do, on the packages' sources. */
export async function run(
  tool: 'memory' | 'expiry' | 'compression' | 'hit-ratio' | 'read-through' | 'redis',
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const main = fileURLToPath(new URL(`../${tool}/main.ts`, import.meta.url))
  const { TRACES_DIR: _, ...inherited } = process.env
  const child = spawn(process.execPath, ['--conditions=@cache/source', main, ...args], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await ended, stdout, stderr }
}
