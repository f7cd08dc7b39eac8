import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../scripts/pack.ts'

/** Who may import whom (docs/architecture.md): the packages of this repository and of others. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  memory: ['@cache/core'],
  redis: ['@cache/core', 'ioredis', '@msgpack/msgpack', 'devalue', 'lz4-napi', 'snappy'],
  tiered: ['@cache/core'],
  'metrics-prometheus': ['@cache/core', 'prom-client'],
  conformance: ['@cache/core', 'fast-check', 'vitest'],
  keyv: ['@cache/core', 'keyv'],
  manager: ['@cache/core', '@cache/memory', '@cache/redis', '@cache/tiered', '@cache/metrics-prometheus'],
}

const packages = readdirSync(join(root, 'packages'))

test.each(packages)('%s imports only what the architecture lets it know', name => {
  expect(MAY_IMPORT).toHaveProperty([name])
  for (const file of sourceFiles(name)) {
    const foreign = importsOf(file).filter(specifier => !MAY_IMPORT[name]?.includes(specifier))
    expect(foreign, file).toEqual([])
  }
})

test('imports are recognised in every form, and not in comments', () => {
  const source = `
    import a from 'a'
    import type { B } from "b"
    import 'c'
    export { d } from 'd/deep'
    const e = await import('@scope/e/deep')
    import {
      f,
    } from 'f'
    /** import x from 'in-a-comment' */
    // import y from 'in-a-comment'
    const url = 'https://example.com' // g
    import { h } from './h.ts'
    import { join } from 'node:path'
  `
  expect(foreignPackages(source)).toEqual(['a', 'b', 'c', 'd', '@scope/e', 'f'])
})

function sourceFiles(name: string): string[] {
  const directory = join(root, 'packages', name, 'src')
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(file))
    .map(file => join(directory, file))
}

function importsOf(file: string): string[] {
  return foreignPackages(readFileSync(file, 'utf8'))
}

/** The packages a source names, without Node's own and the source's neighbours. */
function foreignPackages(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
  const specifiers = code.matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*['"]([^'"]+)['"]/g)
  return Array.from(specifiers, ([, specifier = '']) => specifier)
    .filter(specifier => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map(specifier => specifier.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? specifier)
}
