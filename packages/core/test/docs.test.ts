import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

const run = promisify(execFile)
const pageOf = (name: string) => readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const page = await pageOf('read-through.md')
/** A package that has all that the examples import. */
const home = fileURLToPath(new URL('../../manager/', import.meta.url))

const examplesOf = (text: string) =>
  [...text.matchAll(/^#+ (.*)\n(?:(?!^#)[\s\S])*?```ts\n([\s\S]*?)```/gm)].map(
    ([, title = '', program = '']) => ({ title, program }),
  )
const examples = examplesOf(page)

/** What an example says that it prints, and what it prints. */
async function outputsOf(program: string): Promise<{ said: string[]; printed: string[] }> {
  const said = [...program.matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line)
  const args = ['--conditions=@cache/source', '--input-type=module-typescript', '--eval', program]
  const { stdout } = await run(process.execPath, args, { cwd: home, timeout: 15_000 })
  return { said, printed: stdout.trim().split('\n') }
}

describe.each(['read-through.md', 'events.md'])('docs/%s', async name => {
  test.each(examplesOf(await pageOf(name)))('prints what it says: $title', async ({ program }) => {
    const { said, printed } = await outputsOf(program)
    expect(said).not.toEqual([])
    expect(printed).toEqual(said)
  })
})

describe('docs/events.md', () => {
  test('has every event and every channel there is, and no other', async () => {
    const text = await pageOf('events.md')
    const source = (name: string) => readFile(new URL(`../src/${name}.ts`, import.meta.url), 'utf8')
    const between = (from: string, to: string, within: string) => within.split(from)[1]?.split(to)[0] ?? ''
    const events = between('export interface CacheEvents {', '\n}', await source('events'))
    const named = [...events.matchAll(/^ {2}(\w+):/gm)].map(([, event]) => event)
    const listed = [...between('| event ', '```', text).matchAll(/^\| `(\w+)`/gm)].map(([, event]) => event)
    expect(listed.sort()).toEqual(named.sort())
    const channels = [...(await source('channels')).matchAll(/: channel\('(\w+)'\)/g)].map(([, name]) => name)
    const told = [
      ...between('For each kind', '.', text.replace(/\(http[^)]*\)/, '')).matchAll(/`cache:(\w+)`/g),
    ]
    expect(told.map(([, channel]) => channel).sort()).toEqual(channels.sort())
  })
})

describe('docs/read-through.md', () => {
  test('has an example of every option in its table', () => {
    const table = page.slice(page.indexOf('## The options'), page.indexOf('## Freshness'))
    const options = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, option = '']) => option)
    expect(options).toHaveLength(13)
    const code = examples.map(({ program }) => program).join('\n')
    for (const option of options) expect(code).toMatch(new RegExp(`\\b${option}\\b`))
  })
})
