/**
 * A project outside this repository installs the packed packages with npm, and everything the READMEs promise it
 * must work there: `import`, `require`, types, and the examples, as written: all of the root README's quick start and of
 * "Getting started", and the first of every package's README.
 *
 * An example is changed in one way before it runs: the Redis it names, on port 6379 of this machine, becomes the
 * test's own, which `REDIS_URL` names too. It must be complete, and must end by itself: what it opened, it closes.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packPackages, root } from '../scripts/pack.ts'
import { RedisServer } from './support/src/index.ts'

const run = promisify(execFile)

const packages = readdirSync(join(root, 'packages')).map(directory => `@cache/${directory}`)
const examples = [
  ...blocks('README.md', 'Quick start'),
  ...blocks('docs/getting-started.md'),
  ...readdirSync(join(root, 'packages')).flatMap(name => blocks(`packages/${name}/README.md`).slice(0, 1)),
]

let project: string
let redis: RedisServer

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'cache-consumer-'))
  redis = await RedisServer.start()
  await write('package.json', JSON.stringify({ private: true, type: 'module' }))
  await using packing = await packPackages()
  const tarballs = packing.packages.map(({ tarball }) => tarball)
  const typings = `@types/node@${rootManifest().devDependencies['@types/node']}`
  // As the README says: where Node is older than Keyv 6 asks for, npm would take Keyv 5 as the peer.
  const peers = ['keyv@6']
  // `--prefix`, because npm takes the project from the environment when another npm started the tests.
  const flags = ['--prefix', project, '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, typings, ...peers, ...tarballs], { cwd: project })
  for (const { code, file } of examples) await write(file, code)
}, 180_000)

afterAll(async () => {
  await redis?.stop()
  if (project) await rm(project, { recursive: true, force: true })
})

describe('an outside consumer', () => {
  test('imports and requires every package, and gets the same exports', async () => {
    const names = JSON.stringify(packages)
    await write(
      'import.mjs',
      `const exports = await Promise.all(${names}.map(name => import(name)))
       console.log(JSON.stringify(exports.map(Object.keys)))`,
    )
    await write('require.cjs', `console.log(JSON.stringify(${names}.map(require).map(Object.keys)))`)
    const [imported, required] = await Promise.all([node('import.mjs'), node('require.cjs')])
    const exports = JSON.parse(imported) as string[][]
    expect(exports).toHaveLength(packages.length)
    for (const [index, names] of exports.entries()) expect(names, packages[index]).not.toEqual([])
    expect(JSON.parse(required)).toEqual(exports)
  })

  test.each([
    ['nodenext', 'nodenext', ['*.ts', '*.cts']],
    ['bundler', 'esnext', ['*.ts']],
  ])(
    'finds the types of every package and example under moduleResolution %s',
    async (resolution, module, include) => {
      await write('all.ts', packages.map((name, at) => `export * as p${at} from '${name}'`).join('\n'))
      await write(
        'all.cts',
        packages.map((name, at) => `import p${at} = require('${name}')\np${at}`).join('\n'),
      )
      const compilerOptions = {
        moduleResolution: resolution,
        module,
        target: 'es2023',
        types: ['node'],
        strict: true,
        noEmit: true,
      }
      await write(`tsconfig.${resolution}.json`, JSON.stringify({ compilerOptions, include }))
      await expect(tsc(`tsconfig.${resolution}.json`)).resolves.toBe('')
    },
  )

  test('every README has an example to run', () => {
    const readmes = new Set(examples.map(({ readme }) => readme))
    const expected = readdirSync(join(root, 'packages')).map(name => `packages/${name}/README.md`)
    expect([...readmes]).toEqual(['README.md', 'docs/getting-started.md', ...expected])
  })

  test.each(examples)('$readme: example $number runs as written', async ({ code, file }) => {
    await write(`run-${file}`, code.replaceAll(/redis:\/\/(localhost|127\.0\.0\.1):6379/g, redis.url))
    await node(`run-${file}`)
  })
})

interface Example {
  readonly readme: string
  readonly number: number
  readonly code: string
  /** Its name in the project. */
  readonly file: string
}

/** The `ts` and `js` blocks of a README, or of one chapter of it. */
function blocks(readme: string, chapter?: string): Example[] {
  const path = join(root, readme)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const part = chapter ? text.split(/^## /m).find(part => part.startsWith(`${chapter}\n`)) : text
  const found = (part ?? '').matchAll(/^```[tj]s\n([\s\S]*?)^```$/gm)
  return Array.from(found, ([, code = ''], index) => {
    const number = index + 1
    return { readme, number, code, file: `${readme.replaceAll(/\W/g, '-')}-${number}.ts` }
  })
}

function rootManifest(): { readonly devDependencies: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
}

function write(file: string, content: string): Promise<void> {
  return writeFile(join(project, file), content)
}

/** Runs a file of the project; fails with what it wrote to stderr, or when it does not end. */
async function node(file: string): Promise<string> {
  const env = { ...process.env, REDIS_URL: redis.url }
  const running = run(process.execPath, [file], { cwd: project, env, timeout: 15_000 })
  const { stdout } = await running.catch((error: Error & { killed?: boolean }) => {
    throw error.killed ? new Error(`${file} does not end: something it opened is not closed`) : error
  })
  return stdout
}

/** What the compiler has to say, empty if nothing. */
async function tsc(config: string): Promise<string> {
  const bin = join(root, 'node_modules/typescript/bin/tsc')
  return run(process.execPath, [bin, '-p', config], { cwd: project }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
}
