import type { ViteUserConfig } from 'vitest/config'

// Tests read the packages' sources, so that no build stands between a change and its test.
const conditions = ['@cache/source', 'module', 'node', 'default']

const config: ViteUserConfig = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['{packages,examples}/*/{src,test}/**/*.test.ts', 'benchmarks/test/*.test.ts', 'test/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
}

export default config
