import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const run = promisify(execFile)
const page = await readFile(new URL('../../../docs/read-through.md', import.meta.url), 'utf8')
/** A package that has all that the examples import. */
const home = fileURLToPath(new URL('../../manager/', import.meta.url))

const examples = [...page.matchAll(/^#+ (.*)\n(?:(?!^#)[\s\S])*?```ts\n([\s\S]*?)```/gm)].map(
  ([, title = '', program = '']) => ({ title, program }),
)

/** What an example says that it prints, and what it prints. */
async function outputsOf(program: string): Promise<{ said: string[]; printed: string[] }> {
  const said = [...program.matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line)
  const args = ['--conditions=@cache/source', '--input-type=module-typescript', '--eval', program]
  const { stdout } = await run(process.execPath, args, { cwd: home, timeout: 15_000 })
  return { said, printed: stdout.trim().split('\n') }
}

describe('docs/read-through.md', () => {
  test.each(examples)('prints what it says: $title', async ({ program }) => {
    const { said, printed } = await outputsOf(program)
    expect(said).not.toEqual([])
    expect(printed).toEqual(said)
  })

  test('has an example of every option in its table', () => {
    const table = page.slice(page.indexOf('## The options'), page.indexOf('## Freshness'))
    const options = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, option = '']) => option)
    expect(options).toHaveLength(13)
    const code = examples.map(({ program }) => program).join('\n')
    for (const option of options) expect(code).toMatch(new RegExp(`\\b${option}\\b`))
  })
})
