import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MUTANTS, type Mutant } from './mutations.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const COPIED = ['packages/core', 'packages/memory', 'packages/redis', 'packages/tiered', 'test/support']
/** Runs side by side: each waits more than it works. */
const AT_ONCE = 2
/** Of ten. */
const GOAL = 9

/**
 * Takes one mechanism after the other out of a copy of the packages, and counts how many seeds of the short form notice.
 *
 * @param args `--seeds 10`, `--only journal,ring`
 */
export async function proveByMutants(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '10' },
      only: { type: 'string' },
      mutants: { type: 'boolean' },
    },
  })
  const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => i + 1)
  const chosen = MUTANTS.filter(({ name }) => values.only?.split(',').includes(name) ?? true)
  for (const mutant of chosen) {
    const found = await violationsOf(mutant, seeds)
    const kinds = [...new Set(found.values())].join(', ')
    const escaped = seeds.filter(seed => !found.has(seed))
    const but = escaped.length > 0 ? `; not with the seeds ${escaped.join(', ')}` : ''
    console.log(`${`${found.size}/${seeds.length}`.padStart(6)}  ${mutant.name}: ${kinds}${but}`)
    if (found.size < (seeds.length * GOAL) / 10) process.exitCode = 1
  }
}

/** @returns the kind of the first, of each seed that has one */
async function violationsOf(mutant: Mutant, seeds: readonly number[]): Promise<Map<number, string>> {
  const directory = await copyWithout(mutant)
  const found = new Map<number, string>()
  try {
    for (let i = 0; i < seeds.length; i += AT_ONCE) {
      const some = seeds.slice(i, i + AT_ONCE)
      await Promise.all(
        some.map(async seed => {
          const kind = await firstViolation(directory, seed)
          if (kind !== undefined) found.set(seed, kind)
        }),
      )
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return found
}

/** A copy of the sources without one mechanism. */
async function copyWithout({ name, patches }: Mutant): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cache-mutant-'))
  for (const part of COPIED) {
    const filter = (path: string): boolean => !/\/(dist|coverage|\.turbo)$/.test(path)
    await cp(join(ROOT, part), join(directory, part), { recursive: true, verbatimSymlinks: true, filter })
  }
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  for (const { file, text, becomes } of patches) {
    const path = join(directory, file)
    const source = await readFile(path, 'utf8')
    if (source.split(text).length !== 2) throw new Error(`${name}: not exactly once in ${file}: ${text}`)
    await writeFile(
      path,
      source.replace(text, () => becomes),
    )
  }
  return directory
}

/** @returns its kind; `undefined` if there was none */
async function firstViolation(directory: string, seed: number): Promise<string | undefined> {
  const main = join(directory, 'packages/tiered/test/chaos/main.ts')
  const child = spawn(process.execPath, ['--conditions=@cache/source', main], {
    env: { ...process.env, CHAOS_SEED: `${seed}`, CHAOS_SHORT: '1', CHAOS_STOP: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    output += data.toString()
  })
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  const violation = /^VIOLATION ([^:]+):/m.exec(output)?.[1]
  if (code !== 0 && !violation) throw new Error(`seed ${seed} failed without a violation:\n${output}`)
  return violation
}
