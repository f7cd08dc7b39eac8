import { spawnSync } from 'node:child_process'
import { globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { onPath } from './find.ts'

/** What makes a command run as root without a question, if anything does. */
export function rootPrefix(): readonly string[] | undefined {
  if (process.getuid?.() === 0) return []
  const sudo = onPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  return sudo ? ['sudo', '-n'] : undefined
}

/** @returns `apt-get` with arguments, for whoever may run it; it waits for others who do */
export function aptGet(prefix: readonly string[], ...args: readonly string[]): readonly string[] {
  return [...prefix, 'apt-get', '-o', 'DPkg::Lock::Timeout=120', ...args]
}

/** Runs a command, its output beside our own. @returns whether it went well */
export function runAloud(command: readonly string[], cwd?: string): boolean {
  const [program = '', ...args] = command
  const { status } = spawnSync(program, args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    ...(cwd !== undefined && { cwd }),
  })
  return status === 0
}

/** What a command prints; nothing if it cannot be run. */
export function outputOf(command: readonly string[]): string {
  const [program = '', ...args] = command
  return spawnSync(program, args, { encoding: 'utf8' }).stdout ?? ''
}

/** Unpacks all of Debian's packages in a directory, which does not install them, and deletes them. */
export function unpackAll(directory: string, into: string): void {
  for (const archive of globSync(join(directory, '*.deb'))) {
    runAloud(['dpkg-deb', '--extract', archive, into])
    rmSync(archive)
  }
}
