import { fileURLToPath } from 'node:url'
import { configDefaults, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config'

// Tests read the packages' sources, so that no build stands between a change and its test.
const conditions = ['@cache/source', 'module', 'node', 'default']

const ALL = ['{packages,examples}/*/{src,test}/**/*.test.ts', 'benchmarks/test/*.test.ts', 'test/*.test.ts']

/** They count collections of garbage, or bytes of the process: not after others in the same process. */
const MEASURING = [
  'packages/memory/src/allocation.test.ts',
  'packages/redis/src/codec-payload.test.ts',
  'packages/redis/src/compressors/{compressors,dictionary}.test.ts',
  'packages/redis/test/fuzz.test.ts',
]

const project = (
  name: string,
  test: TestProjectInlineConfiguration['test'],
): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, ...test },
})

const config: ViteUserConfig = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Two on two cores as well, since tests wait for servers as long as they work.
    maxWorkers: 2,
    // Tests start programs, which are TypeScript: compiling them is half of what they do.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) },
    projects: [
      project('measuring', { include: MEASURING }),
      // To load every module again for each file takes longer than many a file.
      project('all', { include: ALL, exclude: [...configDefaults.exclude, ...MEASURING], isolate: false }),
    ],
  },
}

export default config
