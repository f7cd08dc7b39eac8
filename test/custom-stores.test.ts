import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { docsOf, RULES } from '../packages/conformance/src/index.ts'

const root = new URL('../', import.meta.url)
const page = await readFile(new URL('docs/custom-stores.md', root), 'utf8')

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

  // That it prints this is shown by `documents.test.ts`.
  test.each(blocks.filter(({ file }) => !file))('says what a program prints: $code', ({ code }) => {
    expect(code).toMatch(/^import /m)
    expect(code).not.toMatch(/ from '\.\.?\//)
    expect(code).toContain('// → ')
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
