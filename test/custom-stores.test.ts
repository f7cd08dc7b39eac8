import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { docsOf, RULES } from '../packages/conformance/src/index.ts'

const run = promisify(execFile)
const root = new URL('../', import.meta.url)
const page = await readFile(new URL('docs/custom-stores.md', root), 'utf8')
const here = new URL('examples/custom-store/', root)

/** The blocks of code: those that are said to be a file of this example, and programs. */
const blocks = Array.from(
  page.matchAll(/(?:<!-- (\S+) -->\n\n)?```ts\n([\s\S]*?)```/g),
  ([, file, code = '']) => ({
    file,
    code,
  }),
)

describe('docs/custom-stores.md', () => {
  test.each(blocks.filter(({ file }) => file))('shows $file as it is', async ({ file = '', code }) => {
    expect(code).toBe(await readFile(new URL(file, root), 'utf8'))
  })

  test.each(blocks.filter(({ file }) => !file))('prints what it says: $code', async ({ code }) => {
    const said = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line)
    const args = ['--conditions=@cache/source', '--input-type=module-typescript', '--eval', code]
    const { stdout } = await run(process.execPath, args, { cwd: here })
    expect(said).not.toEqual([])
    expect(stdout.trim().split('\n')).toEqual(said)
  })

  test('has a section for every rule, with its words', () => {
    for (const [rule, words] of Object.entries(RULES))
      expect(page).toContain(`\n#### ${rule}\n\n**${words}**`)
    expect(page.match(/^#### /gm)).toHaveLength(Object.keys(RULES).length)
    expect(docsOf('order')).toBe('docs/custom-stores.md#order')
  })

  test('stores are as short as it says', async () => {
    for (const { file = '', code } of blocks.filter(({ file }) => file?.endsWith('-store.ts')))
      expect(code.split('\n').length - 1, file).toBeLessThan(80)
  })
})
