/**
 * Writes `api.md` beside every public package: each exported name with its declaration, and the types those need, taken from
 * the build. It is committed, so that a change of the public API is a change somebody has to read:
 *
 *     pnpm api            # writes the reports, after a build
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Declaration, exportsOf, referencesOf } from './declarations.ts'
import { type Manifest, root } from './pack.ts'

export interface ApiReport {
  readonly file: string
  readonly content: string
}

/** The report of every package under `packages/`. Needs a build. */
export function apiReports(): ApiReport[] {
  return readdirSync(join(root, 'packages')).map(name => {
    const directory = join(root, 'packages', name)
    const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest
    return { file: join(directory, 'api.md'), content: reportOf(directory, manifest) }
  })
}

function reportOf(directory: string, { name, exports }: Manifest): string {
  const entries = Object.entries(exports as Record<string, { readonly types: string }>)
  const chapters = entries.map(([path, { types }]) => {
    const exported = exportsOf(join(directory, types))
    const needed = neededBy(new Set(exported.values()))
    return [
      `## \`${path.replace('.', name)}\``,
      ...blocks(Array.from(exported, ([as, declaration]) => textOf(declaration, as)).sort()),
      ...(needed.length > 0 ? ['Not exported, but named above:', ...blocks(needed)] : []),
    ].join('\n\n')
  })
  const head = `# API of \`${name}\`\n\nWritten by \`pnpm api\`; a test compares it with the build.`
  return `${[head, ...chapters].join('\n\n')}\n`
}

function neededBy(exported: ReadonlySet<Declaration>): string[] {
  const needed = new Set<Declaration>()
  const queue = [...exported]
  for (const declaration of queue) {
    for (const reference of referencesOf(declaration)) {
      if (exported.has(reference) || needed.has(reference)) continue
      needed.add(reference)
      queue.push(reference)
    }
  }
  return [...needed].map(({ text }) => text.replace(/^export /gm, '')).sort()
}

function textOf({ name, text }: Declaration, as: string): string {
  return name === as ? text : `// As ${as}\n${text}`
}

function blocks(texts: readonly string[]): string[] {
  return texts.map(text => `\`\`\`ts\n${text}\n\`\`\``)
}

if (import.meta.main) {
  for (const { file, content } of apiReports()) writeFileSync(file, content)
}
