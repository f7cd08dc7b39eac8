import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const home = new URL('../', import.meta.url)
const readme = await readFile(new URL('README.md', home), 'utf8')

test('the quick start runs as written', async () => {
  const [, program = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
  const args = ['--conditions=@cache/source', '--input-type=module-typescript', '--eval', program]
  const { stdout } = await run(process.execPath, args, { cwd: fileURLToPath(home), timeout: 15_000 })
  expect(stdout).toMatch(/^scrape http:\/\/localhost:8\d{3}\/metrics\n$/)
})
