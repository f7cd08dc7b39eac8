/**
 * Runs tests on another Node, by the binary that the npm package `node` ships:
 *
 *     pnpm test:node 22                         # everything
 *     pnpm test:node 26 packages/core           # what vitest finds by that name
 *
 * The binary is kept under `node_modules/.cache`. Packages are built and checked by the pinned Node; what runs on the other is
 * the tests, and everything they start.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root } from './pack.ts'

const [major = '', ...filters] = process.argv.slice(2)
if (!/^\d+$/.test(major)) {
  console.error('Which Node? pnpm test:node 22 [what to test]')
  process.exit(2)
}

const binary = nodeOf(major)
console.log(`Node ${spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim()}`)
const command = [
  join(root, 'scripts/ensure-servers.ts'),
  binary,
  join(root, 'node_modules/vitest/vitest.mjs'),
  'run',
  ...filters,
]
const PATH = [join(binary, '..'), process.env.PATH].join(delimiter)
const { status } = spawnSync(process.execPath, command, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH },
})
process.exitCode = status ?? 1

/** Installs it where that has not been done. */
function nodeOf(major: string): string {
  const directory = join(root, 'node_modules/.cache', `node-${major}`)
  const binary = join(directory, 'node_modules/node/bin/node')
  if (existsSync(binary)) return binary
  mkdirSync(directory, { recursive: true })
  // Its install script puts the binary in place; recent versions of npm run none that is not allowed.
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ private: true, allowScripts: { node: true } }),
  )
  // `--prefix`, because npm takes the project from the environment when another package manager started this.
  const args = ['install', '--prefix', directory, '--no-audit', '--no-fund', '--no-save', `node@${major}`]
  spawnSync('npm', args, { cwd: directory, stdio: 'inherit', shell: process.platform === 'win32' })
  if (!existsSync(binary)) throw new Error(`node@${major} could not be installed`)
  return binary
}
