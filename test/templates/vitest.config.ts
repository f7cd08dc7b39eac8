import type { ViteUserConfig } from 'vitest/config'

// Slow: each test installs a project from the registry. `pnpm test:templates` runs these, `pnpm test` does not.
const config: ViteUserConfig = {
  test: {
    include: ['*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 180_000,
  },
}

export default config
