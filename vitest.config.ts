import { fileURLToPath } from 'node:url'
import { configDefaults, type TestProjectInlineConfiguration, type ViteUserConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Tests read the packages' sources, so that no build stands between a change and its test.
const conditions = ['@cache/source', 'module', 'node', 'default']

const ALL = ['{packages,examples}/*/{src,test}/**/*.test.ts', 'benchmarks/test/*.test.ts', 'test/*.test.ts']

/** They count collections of garbage, or bytes of the process: not after others in the same process. */
const MEASURING = [
  'packages/core/test/in-flight.test.ts',
  'packages/memory/src/allocation.test.ts',
  'packages/redis/src/codec-payload.test.ts',
  'packages/redis/src/compressors/{compressors,dictionary}.test.ts',
  'packages/redis/test/fuzz.test.ts',
]

/** They hold every call to its deadline, and allow little more for a busy machine: with no other test beside them. */
const ALONE = ['packages/redis/test/cluster-failover.test.ts', 'packages/tiered/test/redis.test.ts']

/** Begun last, they would be waited for alone. Where nothing is known of earlier runs Vitest goes by size, which tells little. */
const LONG =
  /(chaos|keyv-store|consumer|sentinel|contract|stores|cluster|cluster-tracking|(benchmarks.test.redis)|(test.demo))\.test\.ts$/

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { true: long = [], false: short = [] } = Object.groupBy(await super.sort(files), ({ moduleId }) =>
      LONG.test(moduleId) ? 'true' : 'false',
    )
    return [...long, ...short]
  }
}

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
    // On two cores as well: tests wait for servers, deadlines and failovers longer than they work.
    maxWorkers: 3,
    // Tests start programs, which are TypeScript: compiling them is half of what they do.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url)) },
    sequence: { sequencer: LongFirst },
    projects: [
      // To load every module again for each file takes longer than many a file: these share their processes.
      project('all', {
        include: ALL,
        exclude: [...configDefaults.exclude, ...MEASURING, ...ALONE],
        isolate: false,
      }),
      project('measuring', { include: MEASURING }),
      project('alone', { include: ALONE, isolate: false, maxWorkers: 1, sequence: { groupOrder: 1 } }),
    ],
  },
}

export default config
