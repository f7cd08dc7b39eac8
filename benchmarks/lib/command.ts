import { writeFile } from 'node:fs/promises'
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Something the user can put right: the command prints the message alone and ends with exit code 2. */
export class UsageError extends Error {}

/** Runs a command line tool: its arguments in, its exit code out. */
export async function runCommand(command: (argv: readonly string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command(process.argv.slice(2))
  } catch (error) {
    process.exitCode = error instanceof UsageError ? 2 : 1
    process.stderr.write(
      error instanceof UsageError
        ? `${error.message}\nTry --help.\n`
        : `${error instanceof Error ? error.stack : error}\n`,
    )
  }
}

/** `parseArgs` of Node whose complaints are the user's. @throws UsageError */
export function parseOptions<T extends ParseArgsConfig>(
  argv: readonly string[],
  config: T,
): ReturnType<typeof parseArgs<T & { args: string[] }>> {
  // `pnpm bench:memory -- --quick` hands the dashes on.
  const args = argv[0] === '--' ? argv.slice(1) : [...argv]
  try {
    return parseArgs({ ...config, args })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** The parts of lists such as `--keys 10,20 --keys 30`. */
export function listed(values: readonly string[]): string[] {
  return values
    .flatMap(value => value.split(','))
    .map(part => part.trim())
    .filter(part => part !== '')
}

/** A whole number of at least 1. @throws UsageError naming the option */
export function positiveInteger(text: string, option: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= 1) return number
  throw new UsageError(`${option} must be a whole number of at least 1; received "${text}"`)
}

/** Turns what a file operation throws into a message for the user. */
export function fileError(action: string, file: string, error: unknown): UsageError {
  return new UsageError(`cannot ${action} ${file}: ${error instanceof Error ? error.message : error}`)
}

/** Writes a file that the user named. @throws UsageError */
export async function save(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch(error => {
    throw fileError('write', file, error)
  })
}

/**
 * Of `names`, those that fit one of the patterns, in which `*` stands for anything, and the one that is always there.
 *
 * @throws UsageError for a pattern that none fits
 */
export function selectNames(patterns: readonly string[], names: readonly string[], always: string): string[] {
  const selected = new Set([always])
  for (const pattern of listed(patterns)) {
    const fits = wildcard(pattern)
    const fitting = names.filter(name => fits.test(name))
    if (fitting.length === 0) {
      throw new UsageError(`--only knows no "${pattern}"; contestants are ${names.join(', ')}`)
    }
    for (const name of fitting) selected.add(name)
  }
  return names.filter(name => selected.has(name))
}

function wildcard(pattern: string): RegExp {
  const literals = pattern.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literals.join('.*')}$`)
}
