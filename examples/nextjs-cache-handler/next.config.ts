import { join } from 'node:path'
import type { NextConfig } from 'next'

const config: NextConfig = {
  cacheHandler: join(import.meta.dirname, 'cache/handler.ts'),
  // Next's own memory in front of the handler would not hear of what other instances invalidate.
  cacheMaxMemorySize: 0,
}

export default config
