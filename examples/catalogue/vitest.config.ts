import { defineConfig } from 'vitest/config'

// The demo plays for seconds, in processes of its own.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 30_000 } })
