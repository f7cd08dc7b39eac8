import { testStore } from '@cache/conformance/vitest'
import { CacheError, type Codec } from '@cache/core'
import { MemoryStore, type MemoryStoreOptions, POLICY_NAMES } from '../src/index.ts'

const codec: Codec = {
  encode: value => {
    const text = stringify(value)
    if (text === undefined) throw new CacheError('SERIALIZATION', 'JSON cannot hold this value')
    return Buffer.from(text)
  },
  decode: bytes => JSON.parse(Buffer.from(bytes).toString()),
}

function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

const VARIANTS: Readonly<Record<string, MemoryStoreOptions>> = {
  ...Object.fromEntries(POLICY_NAMES.map(policy => [policy, { policy }])),
  clone: { copy: 'clone' },
  freeze: { copy: 'freeze' },
  maxBytes: { maxBytes: 1_000_000_000 },
  codec: { codec },
}

for (const [name, options] of Object.entries(VARIANTS)) {
  testStore(`MemoryStore: ${name}`, {
    open: ({ clock }) => new MemoryStore({ ...options, clock }),
    clock: 'manual',
    capabilities: ['batching', 'enumerable', 'measurable', 'near', 'tagging', 'touching'],
  })
}
