/**
 * Has the manifests of the packages say where they come from, which npm compares with the provenance: the last thing before
 * publishing, and not committed, so that whoever forks or moves the repository has nothing to change.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './pack.ts'

const { GITHUB_REPOSITORY: repository = '' } = process.env
if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
  console.error('Which repository? Set GITHUB_REPOSITORY to owner/name, as GitHub Actions does')
  process.exit(2)
}

const url = `https://github.com/${repository}`
for (const name of readdirSync(join(root, 'packages'))) {
  const directory = `packages/${name}`
  const file = join(root, directory, 'package.json')
  const manifest = {
    ...JSON.parse(readFileSync(file, 'utf8')),
    repository: { type: 'git', url: `git+${url}.git`, directory },
    homepage: `${url}/tree/main/${directory}#readme`,
    bugs: { url: `${url}/issues` },
  }
  writeFileSync(file, `${JSON.stringify(manifest, undefined, 2)}\n`)
}
