/** Packs the public packages as `pnpm publish` would: what users install is what is checked and tested. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A package manager that waits for the network for ever must not hold up a test run. */
const PACK_TIMEOUT_MS = 120_000

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly type?: string
  readonly sideEffects?: boolean
  readonly scripts?: Readonly<Record<string, string>>
  readonly engines?: { readonly node?: string }
  readonly exports?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface PackedPackage {
  /** Absolute path of the tarball. */
  readonly tarball: string
  /** Paths inside the package: `dist/index.js`. */
  readonly files: readonly string[]
  /** The `package.json` inside the tarball, as users get it. */
  readonly manifest: Manifest
}

export interface Packing extends AsyncDisposable {
  readonly packages: readonly PackedPackage[]
}

/** The repository's root. */
export const root: string = resolve(import.meta.dirname, '..')

/** Packs every public package under `packages/` into a directory that goes with the result. Needs a build. */
export async function packPackages(): Promise<Packing> {
  const directory = await mkdtemp(join(tmpdir(), 'cache-pack-'))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  try {
    const packed = await pnpmPack(directory)
    const packages = await Promise.all(packed.map(readPackage))
    return {
      packages: packages.filter(({ manifest }) => !manifest.private),
      [Symbol.asyncDispose]: remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

interface PackResult {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

async function pnpmPack(directory: string): Promise<readonly PackResult[]> {
  // `npx` takes the pnpm on PATH when the script was started by one, and fetches it otherwise.
  const args = [
    '--yes',
    'pnpm@12',
    '--filter',
    './packages/*',
    'pack',
    '--json',
    '--pack-destination',
    directory,
  ]
  const { stdout } = await run('npx', args, { cwd: root, timeout: PACK_TIMEOUT_MS })
  return JSON.parse(stdout) as readonly PackResult[]
}

async function readPackage({ filename, files }: PackResult): Promise<PackedPackage> {
  const { stdout } = await run('tar', ['-xzOf', filename, 'package/package.json'])
  return { tarball: filename, files: files.map(file => file.path), manifest: JSON.parse(stdout) as Manifest }
}
