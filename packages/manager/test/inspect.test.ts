import { inspect } from 'node:util'
import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { freePort } from '@cache/test-support'
import { TieredStore } from '@cache/tiered'
import { describe, expect, test } from 'vitest'
import { CacheManager } from '../src/cache-manager.ts'

const shown = (object: unknown): string => inspect(object, { depth: 9, showHidden: true, breakLength: 9_999 })

describe('util.inspect', () => {
  test('shows name, store, tiers, sizes and state, and never a key or a value', async () => {
    const cache = new Cache({ store: new MemoryStore(), name: 'products' })
    const users = cache.namespace('users')
    await users.set('secret-key', 'secret-value')
    expect(shown(cache)).toBe(
      "Cache { name: 'products', store: 'memory', state: 'open', inFlight: 0, tiers: [ { tier: 'memory', items: 1 }, [length]: 1 ] }",
    )
    expect(shown(users)).toContain("namespace: 'users:'")
    const store = new MemoryStore({ maxBytes: 1_000 })
    expect(shown(store)).toBe("MemoryStore { state: 'open', items: 0, bytes: 0 }")
    expect(inspect({ a: { b: { c: { cache } } } })).toContain('[Object]')
    expect(inspect({ a: { b: { cache } } }, { depth: 1 })).not.toContain('products')
    await cache.close()
    expect(shown(cache)).toContain("state: 'closed'")
  })

  test('shows how Redis is, and never where it is or the password', async () => {
    const port = await freePort()
    const url = `redis://user:hunter2@127.0.0.1:${port}`
    await using redis = new RedisStore({ url, poolSize: 1 })
    const far = new RedisStore({ url, poolSize: 1 })
    await using tiered = new TieredStore({ l1: new MemoryStore(), l2: far })
    await using manager = new CacheManager({ redisUrl: url, monitoringEnabled: false })
    await manager.set('secret-key', 'secret-value')
    for (const object of [redis, tiered, manager, manager.cache]) {
      const text = shown(object)
      expect(text).toMatch(/^(RedisStore|TieredStore|CacheManager|Cache) \{/)
      expect(text).toContain('available: false')
      expect(text).not.toMatch(/hunter2|secret|127\.0\.0\.1/)
      expect(text).not.toContain(String(port))
    }
    expect(shown(manager)).toContain("tier: 'memory', items: 1")
  })
})

test('stores are closed at the end of their block', async () => {
  const memory = new MemoryStore()
  {
    await using closed = memory
    closed.keys()
  }
  expect(() => memory.keys()).toThrow('closed')
})
