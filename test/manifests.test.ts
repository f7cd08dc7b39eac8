import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Manifest, type Packing, packPackages } from '../scripts/pack.ts'

/** What each package may ask its users to install: a change here is a decision, not a side effect. */
const DECLARED: Readonly<Record<string, { dependencies?: readonly string[]; peers?: readonly string[] }>> = {
  '@cache/core': {},
  '@cache/memory': { dependencies: ['@cache/core'] },
  '@cache/redis': {
    dependencies: ['@cache/core', 'ioredis'],
    peers: ['@msgpack/msgpack', 'devalue', 'lz4-napi', 'snappy'],
  },
  '@cache/tiered': { dependencies: ['@cache/core'] },
  '@cache/metrics-prometheus': { dependencies: ['@cache/core'], peers: ['prom-client'] },
  // The cases with properties are part of the contract: a suite that leaves them out for want of a peer would pass too easily.
  '@cache/conformance': { dependencies: ['@cache/core', 'fast-check'], peers: ['vitest'] },
  '@cache/keyv': { dependencies: ['@cache/core'], peers: ['keyv'] },
  '@cache/manager': {
    dependencies: [
      '@cache/core',
      '@cache/memory',
      '@cache/metrics-prometheus',
      '@cache/redis',
      '@cache/tiered',
    ],
  },
}

let packing: Packing
const manifests = (): readonly Manifest[] => packing.packages.map(({ manifest }) => manifest)

beforeAll(async () => {
  packing = await packPackages()
})
afterAll(() => packing?.[Symbol.asyncDispose]())

describe('packed manifests', () => {
  test('every public package is listed here, and every one listed is packed', () => {
    const names = manifests().map(({ name }) => name)
    expect(names.sort()).toEqual(Object.keys(DECLARED).sort())
  })

  test.each(Object.entries(DECLARED))(
    '%s declares the dependencies decided on and no other',
    (name, declared) => {
      const manifest = manifests().find(candidate => candidate.name === name)
      expect(Object.keys(manifest?.dependencies ?? {}).sort()).toEqual(declared.dependencies ?? [])
      expect(Object.keys(manifest?.peerDependencies ?? {}).sort()).toEqual(declared.peers ?? [])
      expect(manifest?.optionalDependencies ?? {}).toEqual({})
    },
  )

  test('packages depend on each other by a version range of the release they were packed with', () => {
    const versions = new Map(manifests().map(({ name, version }) => [name, version]))
    for (const { dependencies = {} } of manifests()) {
      for (const [name, range] of Object.entries(dependencies)) {
        if (versions.has(name)) expect(range).toBe(`^${versions.get(name)}`)
      }
    }
  })

  test('no range of the workspace, the catalogue or the disk reaches users', () => {
    for (const { dependencies, peerDependencies } of manifests()) {
      const ranges = Object.values({ ...dependencies, ...peerDependencies })
      for (const range of ranges) expect(range).not.toMatch(/^(workspace|catalog|link|file):/)
    }
  })

  test('every package is a side-effect-free ES module for Node 22.15 and newer', () => {
    for (const manifest of manifests()) {
      expect(manifest).toMatchObject({
        type: 'module',
        sideEffects: false,
        license: 'MIT',
        engines: { node: '>=22.15' },
      })
    }
  })

  test('exports lead into dist, types first, with no condition of this repository', () => {
    for (const { exports } of manifests()) {
      for (const target of Object.values(exports ?? {})) {
        expect(Object.keys(target)).toEqual(['types', 'default'])
        expect(target.types).toMatch(/^\.\/dist\/.+\.d\.ts$/)
        expect(target.default).toMatch(/^\.\/dist\/.+\.js$/)
      }
      expect(exports).toHaveProperty(['.'])
    }
  })
})
