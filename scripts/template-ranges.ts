/** Has the examples ask for the packages as they are versioned now: changesets leaves private packages alone. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, root } from './pack.ts'

const versions = new Map(
  readdirSync(join(root, 'packages'))
    .map(name => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest)
    .map(({ name, version }) => [name, version]),
)

for (const name of readdirSync(join(root, 'examples'))) {
  const file = join(root, 'examples', name, 'package.json')
  const text = readFileSync(file, 'utf8')
  const current = text.replaceAll(/"(@cache\/[\w-]+)": "[^"]*"/g, (line, dependency: string) => {
    const version = versions.get(dependency)
    return version ? `"${dependency}": "^${version}"` : line
  })
  if (current !== text) writeFileSync(file, current)
}
