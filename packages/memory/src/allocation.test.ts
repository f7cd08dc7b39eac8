import { PerformanceObserver } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { BoundedMap } from './bounded-map.ts'
import { POLICY_NAMES } from './policies/index.ts'

const OPERATIONS = 3_000_000
/** Many times as many as it takes until the code is compiled for what it is called with. */
const WARM_UP = 200_000

/** One number boxed in each operation would be 48 MB of garbage, collected two or three at a time. */
const FEW = 5

/** Collections of garbage while `work` runs. */
async function scavenges(work: () => void): Promise<number> {
  let count = 0
  const observer = new PerformanceObserver(list => {
    count += list.getEntries().length
  })
  observer.observe({ entryTypes: ['gc'] })
  work()
  await new Promise(resolve => setTimeout(resolve, 10))
  observer.disconnect()
  return count
}

const KEYS: readonly [string, (i: number) => unknown][] = [
  ['integers', i => i],
  ['strings', i => `key:${i}`],
]

describe.each(POLICY_NAMES)('%s', policy => {
  test.each(KEYS)('a hit and a replacement allocate nothing: %s', async (_, key) => {
    const map = new BoundedMap<unknown, object>({ maxItems: 1_000, policy, ttl: '1h' })
    const keys = Array.from({ length: 1_000 }, (_, i) => key(i))
    const value = {}
    const hit = (operations: number) => {
      for (let i = 0; i < operations; i++) map.get(keys[i % 1_000])
    }
    const replace = (operations: number) => {
      for (let i = 0; i < operations; i++) map.set(keys[i % 1_000], value)
    }
    // Once compiled, only a look at the clock, every 32 operations, still boxes a number.
    for (const work of [replace, hit, replace, hit]) work(WARM_UP)
    for (const work of [hit, replace]) {
      expect(await scavenges(() => work(OPERATIONS)), work.name).toBeLessThanOrEqual(FEW)
    }
  })
})
