import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'

const pageOf = (name: string) => readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const page = await pageOf('read-through.md')

const examplesOf = (text: string) =>
  [...text.matchAll(/^#+ (.*)\n(?:(?!^#)[\s\S])*?```ts\n([\s\S]*?)```/gm)].map(
    ([, title = '', program = '']) => ({ title, program }),
  )
const examples = examplesOf(page)

/** That it prints this is shown by `test/documents.test.ts`, which runs every program of the documentation. */
describe.each(['read-through.md', 'events.md'])('docs/%s', async name => {
  test.each(examplesOf(await pageOf(name)))('says what an example prints: $title', ({ program }) => {
    expect(program).toMatch(/^import /m)
    expect(program).toContain('// → ')
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
