import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where package managers put programs, on the `PATH` or not. */
const USUAL_DIRECTORIES = [
  '/usr/bin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
]

/**
 * A program: the one that an environment variable names, else the first on the `PATH`, else where package managers put
 * it. A variable that names none ends this process.
 */
export function find(name: string, variable: string): string | undefined {
  const named = process.env[variable]
  if (named) {
    const found = named.includes('/') ? isExecutable(named) && named : onPath(named)
    return found || fail(`${variable}=${named} is not an executable file; correct it, or unset it`)
  }
  return onPath(name) ?? findIn(USUAL_DIRECTORIES, name)
}

export function onPath(name: string): string | undefined {
  return findIn((process.env.PATH ?? '').split(delimiter).filter(Boolean), name)
}

export function findIn(directories: readonly string[], name: string): string | undefined {
  return directories.map(directory => join(directory, name)).find(isExecutable)
}

export function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
