/**
 * Runs the tests of packages and examples on another Node, by the binary that the npm package `node` ships:
 *
 *     pnpm test:node 22                         # the newest 22
 *     pnpm test:node 22.15                      # the oldest that the packages support
 *     pnpm test:node 26 packages/core           # what vitest finds by that name
 *
 * The binary is kept under `node_modules/.cache`. Packages are built and checked by the pinned Node; what runs on the other is
 * the tests, and everything they start.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Manifest, root } from './pack.ts'

/** Besides the examples. Other tests are about this repository and its tools, which run on the pinned Node. */
const SUITES = ['packages/', 'test/consumer.test.ts']

const [version = '', ...filters] = process.argv.slice(2)
if (!/^\d+(\.\d+)?$/.test(version)) {
  console.error('Which Node? pnpm test:node 22 [what to test]')
  process.exit(2)
}

const binary = nodeOf(version)
const { true: refused = [], false: accepted = [] } = Object.groupBy(examples(), example =>
  refuses(example, Number.parseInt(version, 10)) ? 'true' : 'false',
)
console.log(`Node ${ask('process.version')}${refused.map(example => `, too old for ${example}`).join('')}`)
const command = [
  join(root, 'scripts/ensure-servers.ts'),
  binary,
  join(root, 'node_modules/vitest/vitest.mjs'),
  'run',
  ...(filters.length > 0 ? filters : [...SUITES, ...accepted.map(example => `${example}/`)]),
]
const PATH = [join(binary, '..'), process.env.PATH].join(delimiter)
const { status } = spawnSync(process.execPath, command, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH, ...typeStripping() },
})
process.exitCode = status ?? 1

/** Installs it where that has not been done. */
function nodeOf(version: string): string {
  const directory = join(root, 'node_modules/.cache', `node-${version}`)
  const binary = join(directory, 'node_modules/node/bin/node')
  if (existsSync(binary)) return binary
  mkdirSync(directory, { recursive: true })
  // Its install script puts the binary in place; recent versions of npm run none that is not allowed.
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ private: true, allowScripts: { node: true } }),
  )
  // `--prefix`, because npm takes the project from the environment when another package manager started this.
  const args = ['install', '--prefix', directory, '--no-audit', '--no-fund', '--no-save', `node@${version}`]
  spawnSync('npm', args, { cwd: directory, stdio: 'inherit', shell: process.platform === 'win32' })
  if (!existsSync(binary)) throw new Error(`node@${version} could not be installed`)
  return binary
}

function examples(): readonly string[] {
  return readdirSync(join(root, 'examples')).map(name => `examples/${name}`)
}

/** Whether an example asks for a newer one in its manifest. */
function refuses(example: string, major: number): boolean {
  const { engines } = JSON.parse(readFileSync(join(root, example, 'package.json'), 'utf8')) as Manifest
  return Number(/^>=(\d+)/.exec(engines?.node ?? '')?.[1]) > major
}

/** Programs that the tests start are TypeScript, which the first 22s run only if told to; and tests read what programs say. */
function typeStripping(): { readonly NODE_OPTIONS?: string } {
  if (ask('process.features.typescript') === 'strip') return {}
  return { NODE_OPTIONS: '--experimental-strip-types --disable-warning=ExperimentalWarning' }
}

function ask(expression: string): string {
  return spawnSync(binary, ['-p', expression], { encoding: 'utf8' }).stdout.trim()
}
