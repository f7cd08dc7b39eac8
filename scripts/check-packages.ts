/** Checks what users would install: the packed contents, the manifest (publint) and the types (attw). Needs a build. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { type PackedPackage, packPackages } from './pack.ts'

const run = promisify(execFile)

const REQUIRED = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']
const ALLOWED =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(js|d\.ts)(\.map)?|grafana\/.+\.json|prometheus\/.+\.yml)$/
const TEST_CODE = /(\.test\.|\.test-d\.|(^|\/)test\/)/

await using packing = await packPackages()
const problems = (await Promise.all(packing.packages.map(checkPackage))).flat()
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

async function checkPackage(packed: PackedPackage): Promise<readonly string[]> {
  const found = checkContents(packed.files)
  // The linters have little to say about a package that lacks its files.
  if (found.length === 0) found.push(...(await Promise.all([lintManifest(packed), lintTypes(packed)])).flat())
  return found.map(problem => `${packed.manifest.name}: ${problem}`)
}

function checkContents(files: readonly string[]): string[] {
  const missing = REQUIRED.filter(file => !files.includes(file))
  const unwanted = files.filter(file => !ALLOWED.test(file) || TEST_CODE.test(file))
  return [
    ...missing.map(
      file => `${file} is missing from the package${file.startsWith('dist') ? ' (build first)' : ''}`,
    ),
    ...unwanted.map(file => `${file} does not belong in the package`),
  ]
}

async function lintManifest({ tarball }: PackedPackage): Promise<readonly string[]> {
  const bytes = await readFile(tarball)
  const { messages, pkg } = await publint({ strict: true, pack: { tarball: new Uint8Array(bytes).buffer } })
  return messages.map(message => `publint: ${formatMessage(message, pkg, { color: false }) ?? message.code}`)
}

/** `esm-only`: every Node that the packages support can `require` an ES module, which attw does not know. */
async function lintTypes({ tarball }: PackedPackage): Promise<readonly string[]> {
  const args = ['--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji', tarball]
  return run('attw', args).then(
    () => [],
    (error: { stdout?: string; message: string }) => [`attw: ${error.stdout || error.message}`],
  )
}
