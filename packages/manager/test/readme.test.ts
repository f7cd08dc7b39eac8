import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RedisServer } from '@cache/test-support'
import { expect, test } from 'vitest'
import { VARIABLES } from '../src/from-env.ts'
import { DEFAULTS, type OptionName } from '../src/options.ts'

const run = promisify(execFile)
const home = new URL('../', import.meta.url)
const readme = await readFile(new URL('README.md', home), 'utf8')
const programs = [...readme.matchAll(/```ts\n(import .*?)```/gs)].map(([, program = '']) => program)

/** Runs a program of the README to its end. */
async function outputOf(program: string | undefined): Promise<string[]> {
  const args = ['--conditions=@cache/source', '--input-type=module-typescript', '--eval', program ?? '']
  const { stdout } = await run(process.execPath, args, { cwd: fileURLToPath(home), timeout: 15_000 })
  return stdout.trim().split('\n')
}

test('the table of options has every option with its default and its variable', () => {
  const rows = readme.matchAll(/^\| `(\w+)` +\|.*\| `?(\w+)`? +\| `(\w+)` +\|$/gm)
  const table = [...rows].map(([, option, standard, variable]) => [option, standard?.toLowerCase(), variable])
  const options = Object.keys(DEFAULTS) as OptionName[]
  expect(table).toEqual(
    options.map(option => [option, String(DEFAULTS[option] ?? 'none'), VARIABLES[option].name]),
  )
})

test('the quick start runs as written: memory only', async () => {
  expect(await outputOf(programs[0])).toEqual(["{ name: 'teapot' }", "[ 'product:7', 'product:8' ] 0.75"])
})

test('the quick start runs as written: with Redis', async () => {
  const server = await RedisServer.start()
  const lines = await outputOf(programs[1]?.replace('redis://localhost:6379', server.url))
  await server.stop()
  expect(lines).toEqual(['applied', 'hello true'])
})

test('the quick start runs as written: from the environment', async () => {
  expect(await outputOf(programs[2])).toEqual(["{ name: 'teapot' }"])
})
