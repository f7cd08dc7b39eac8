/**
 * Every program in the documentation compiles, and whatever says what it prints (`// → …`) prints that.
 *
 * Each stands alone: a module of its own, in a package that has all that the pages import, and over what was built. It
 * is over when its last statement is; the Redis it names, on port 6379 of this machine, becomes the test's own.
 */
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../scripts/pack.ts'
import { RedisServer } from './support/src/index.ts'

const run = promisify(execFile)
const tsc = join(root, 'node_modules/.bin/tsc')

interface Program {
  readonly page: string
  /** `page:line`, to be found by. */
  readonly at: string
  readonly file: string
  readonly code: string
}

const programs = globSync(['*.md', '{docs,packages,examples,benchmarks}/**/*.md'], {
  cwd: root,
  exclude: name => /^(node_modules|dist|api|api\.md|CHANGELOG\.md|\..+)$/.test(name),
}).flatMap(programsOf)

/** Imports the programs of a page one after the other, and tells what each printed: most of a second each, if each had its own process. */
const RUNNER = `
import { format } from 'node:util'
const printed = {}
for (const file of process.argv.slice(2)) {
  const lines = (printed[file] = [])
  console.log = (...args) => lines.push(...format(...args).split('\\n'))
  await import('./' + file).catch(error => lines.push(String(error)))
}
process.stdout.write(JSON.stringify(printed), () => process.exit())
`

const telling = programs.filter(({ code }) => code.includes('// →'))

let home: string
let redis: RedisServer
const printed: Record<string, string[]> = {}

beforeAll(async () => {
  redis = await RedisServer.start()
  home = await mkdtemp(join(root, 'docs', '.programs-'))
  await writeFile(join(home, 'package.json'), JSON.stringify({ type: 'module' }))
  await writeFile(join(home, 'run.mjs'), RUNNER)
  for (const { file, code } of programs) {
    await writeFile(join(home, file), code.replaceAll('redis://localhost:6379', redis.url))
  }
  for (const page of new Set(telling.map(({ page }) => page))) {
    const files = telling.filter(program => program.page === page).map(({ file }) => file)
    const { stdout } = await run(process.execPath, ['run.mjs', ...files], { cwd: home, timeout: 60_000 })
    Object.assign(printed, JSON.parse(stdout))
  }
}, 180_000)

afterAll(async () => {
  await redis?.stop()
  if (home) await rm(home, { recursive: true, force: true })
})

describe('the programs in the documentation', () => {
  test.each(['ts', 'js'] as const)('compile: %s', { timeout: 60_000 }, async language => {
    const strict = language === 'ts'
    const compilerOptions = {
      strict,
      allowJs: !strict,
      checkJs: !strict,
      noEmit: true,
      target: 'es2023',
      lib: ['es2024', 'esnext.disposable', 'dom'],
      module: 'nodenext',
      moduleDetection: 'force',
      types: ['node'],
      skipLibCheck: true,
    }
    const project = join(home, `tsconfig.${language}.json`)
    await writeFile(project, JSON.stringify({ compilerOptions, include: [`*.${language}`] }))
    const { stdout } = await run(tsc, ['-p', project], { cwd: home }).catch(error => error)
    expect(stdout).toBe('')
  })

  test.each(telling)('prints what it says: $at', ({ file, code }) => {
    const said = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line)
    expect(printed[file]).toEqual(said)
  })
})

/** Parts of an example, which import its other files, are tested there; lines without an import go into a program of the reader's. */
function programsOf(page: string): Program[] {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = [...text.matchAll(/^```(ts|js)\n([\s\S]*?)^```/gm)]
  return blocks.flatMap(({ index, 1: language, 2: code = '' }) => {
    if (!/^(import|const .* require)/m.test(code) || / from '\.\.?\//.test(code)) return []
    const at = `${page}:${text.slice(0, index).split('\n').length + 1}`
    return { page, at, file: `${at.replaceAll(/[/:.]/g, '-')}.${language}`, code }
  })
}
