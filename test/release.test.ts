/**
 * The release, up to the point where it would reach the registry: in a copy of the repository the waiting changesets and one
 * more become versions and changelogs, and the packages are packed with them and with the name of the repository.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Manifest, root } from '../scripts/pack.ts'

const run = promisify(execFile)

const SUMMARY = 'A change that nobody made, to see what becomes of it.'
const packages = readdirSync(join(root, 'packages'))

let copy: string
let packed: readonly Manifest[]

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'cache-release-'))
  await cp(root, copy, {
    recursive: true,
    filter: source => !/\/(node_modules|\.git|\.next|\.turbo)$/.test(source),
  })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  await writeFile(join(copy, '.changeset/of-the-test.md'), `---\n'@cache/core': minor\n---\n\n${SUMMARY}\n`)
  // changesets asks git for the root.
  await run('git', ['init', '--quiet'], { cwd: copy })
  await run(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), 'version'], { cwd: copy })
  await run(process.execPath, ['scripts/template-ranges.ts'], { cwd: copy })
  await nameRepository('somebody/caches')
  packed = await pack()
}, 180_000)
afterAll(() => rm(copy, { recursive: true, force: true }))

test('a changeset becomes a version, and a line in the changelog', () => {
  expect(manifest('packages/core').version).not.toBe(manifestBefore('packages/core').version)
  expect(read('packages/core/CHANGELOG.md')).toContain(SUMMARY)
  expect(readdirSync(join(copy, '.changeset')).filter(file => file.endsWith('.md'))).toEqual([])
})

test.each(packages)('%s, which has core below it, is released with it', name => {
  const { name: full, version } = manifest(`packages/${name}`)
  expect(version).not.toBe(manifestBefore(`packages/${name}`).version)
  expect(read(`packages/${name}/CHANGELOG.md`)).toContain(`# ${full}\n\n## ${version}\n`)
})

test('private packages get neither a version nor a changelog', () => {
  for (const directory of [
    ...readdirSync(join(root, 'examples')).map(name => `examples/${name}`),
    'benchmarks',
  ]) {
    expect(manifest(directory).version, directory).toBe(manifestBefore(directory).version)
    expect(existsSync(join(copy, directory, 'CHANGELOG.md')), directory).toBe(false)
  }
})

test('the templates ask for the new versions', () => {
  for (const name of readdirSync(join(root, 'examples'))) {
    for (const [dependency, range] of Object.entries(manifest(`examples/${name}`).dependencies ?? {})) {
      if (!dependency.startsWith('@cache/')) continue
      expect(range, name).toBe(`^${manifest(dependency.replace('@cache', 'packages')).version}`)
    }
  }
})

test('what is packed has the new versions, and asks for them', () => {
  const versions = new Map(packed.map(({ name, version }) => [name, version]))
  expect(versions.size).toBe(packages.length)
  for (const { name: full, version, dependencies = {} } of packed) {
    expect(version).toBe(manifest(full.replace('@cache', 'packages')).version)
    for (const [name, range] of Object.entries(dependencies)) {
      if (versions.has(name)) expect(range).toBe(`^${versions.get(name)}`)
    }
  }
})

test.each(packages)('%s says which repository and directory it comes from', name => {
  expect(packed.find(manifest => manifest.name === `@cache/${name}`)).toMatchObject({
    repository: {
      type: 'git',
      url: 'git+https://github.com/somebody/caches.git',
      directory: `packages/${name}`,
    },
    homepage: `https://github.com/somebody/caches/tree/main/packages/${name}#readme`,
    bugs: { url: 'https://github.com/somebody/caches/issues' },
  })
})

test.each(['', 'caches', 'https://github.com/somebody/caches', 'a/b/c', 'a/b"'])(
  'nothing is published from a repository %o',
  async repository => {
    await expect(nameRepository(repository)).rejects.toThrow('Set GITHUB_REPOSITORY to owner/name')
  },
)

test('publishing says where it was built: provenance, by the identity of the workflow', () => {
  const workflow = read('.github/workflows/release.yml')
  expect(workflow).toMatch(/^ +id-token: write\b/m)
  expect(workflow).toMatch(/^ +pnpm_config_provenance: true$/m)
  expect(workflow).not.toMatch(/NPM_TOKEN/)
  expect(manifest('.').scripts?.release).toMatch(
    /build && node scripts\/repository-fields\.ts && changeset publish$/,
  )
})

async function nameRepository(repository: string): Promise<void> {
  const env = { ...process.env, GITHUB_REPOSITORY: repository }
  await run(process.execPath, ['scripts/repository-fields.ts'], { cwd: copy, env })
}

async function pack(): Promise<readonly Manifest[]> {
  const { packPackages } = (await import(
    join(copy, 'scripts/pack.ts')
  )) as typeof import('../scripts/pack.ts')
  await using packing = await packPackages()
  return packing.packages.map(({ manifest }) => manifest)
}

function read(file: string): string {
  return readFileSync(join(copy, file), 'utf8')
}

function manifest(directory: string): Manifest {
  return JSON.parse(read(join(directory, 'package.json')))
}

function manifestBefore(directory: string): Manifest {
  return JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'))
}
