/** What the built packages cost those who bundle them, or load them elsewhere than in Node. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { root } from '../scripts/pack.ts'
import budgets from '../scripts/size-budgets.json' with { type: 'json' }
import { bundle } from './bundle.ts'
import { entries } from './entries.ts'

/** Bytes for an entry that has no budget of its own in scripts/size-budgets.json. */
const DEFAULT_BUDGET = 10_000
/** Without the packages that one imports: those have budgets of their own. */
const ALONE = { packages: 'external' } as const

test('every budget is that of an entry', () => {
  const names = entries.map(({ entry }) => entry)
  expect(Object.keys(budgets).filter(name => !names.includes(name))).toEqual([])
})

describe.each(entries)('$entry', ({ entry, file }) => {
  test('is within its budget, minified and gzipped', async () => {
    const code = await bundle(`export * from ${JSON.stringify(file)}`, ALONE)
    // More? Then decide: make it smaller, or raise the budget in scripts/size-budgets.json and say why.
    const budget = (budgets as Readonly<Record<string, number>>)[entry] ?? DEFAULT_BUDGET
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(budget)
  })

  test('leaves nothing in a bundle that does not use it', async () => {
    const code = await bundle(
      `import { something } from ${JSON.stringify(file)}; import ${JSON.stringify(file)}`,
      ALONE,
    )
    expect(code).toBe('')
  })
})

test.each(readdirSync(join(root, 'packages')))(
  '%s ships no file that none of its entries needs',
  async name => {
    const directory = join(root, 'packages', name)
    const { metafile } = await build({
      entryPoints: entries
        .filter(({ file }) => file.startsWith(join(directory, 'dist')))
        .map(({ file }) => file),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      treeShaking: false,
      ignoreAnnotations: true,
      metafile: true,
      write: false,
      outdir: 'out',
      absWorkingDir: root,
      logLevel: 'silent',
    })
    const needed = new Set(Object.keys(metafile.inputs))
    const shipped = readdirSync(join(directory, 'dist'), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.js'))
      .map(file => relative(root, join(directory, 'dist', file)))
      // A file of types alone has a module that is empty: its declarations are what is needed.
      .filter(
        file =>
          !/^export \{\};\s*(\/\/# sourceMappingURL.*)?\s*$/.test(readFileSync(join(root, file), 'utf8')),
      )
    expect(shipped.filter(file => !needed.has(file))).toEqual([])
  },
)
