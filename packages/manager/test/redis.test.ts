import { eventually, freePort, RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CacheManager } from '../src/cache-manager.ts'
import type { CacheManagerOptions } from '../src/options.ts'

let server: RedisServer
const open: CacheManager[] = []

beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close()
})

function make(options: CacheManagerOptions = {}): CacheManager {
  const manager = new CacheManager({ redisUrl: server.url, connectionPoolSize: 2, ...options })
  open.push(manager)
  return manager
}

async function ready(manager: CacheManager): Promise<CacheManager> {
  await eventually('Redis is used in full and peers are heard', () => {
    const { state, pool, journal } = manager.getStats().redis
    return state === 'coherent' && pool.ready === pool.size && journal === 0
  })
  return manager
}

beforeEach(async () => {
  await using cleaner = await ready(make())
  await cleaner.clear()
})

describe('Redis behind memory', () => {
  test('two managers share values, metadata and expiry', async () => {
    const [writer, reader] = [await ready(make()), await ready(make())]
    expect(await writer.set('k', { a: [1] }, 60, { by: 'writer' })).toEqual({ status: 'applied' })
    expect(await writer.batchSet({ l: 0, m: '' })).toEqual({ status: 'applied' })
    expect(await reader.get('k')).toEqual({ a: [1] })
    const entry = await reader.cache.getEntry('k')
    expect(entry?.metadata).toEqual({ by: 'writer' })
    expect((entry?.expiresAt ?? 0) - (entry?.createdAt ?? 0)).toBe(60_000)
    expect([...(await reader.getMulti(['m', 'x', 'l']))]).toEqual([
      ['m', ''],
      ['l', 0],
    ])
  })

  test('what one writes, removes or clears, the other no longer has in its memory', async () => {
    const [one, other] = [await ready(make()), await ready(make())]
    await one.batchSet({ a: 1, b: 1, c: 1 })
    expect((await other.getMulti(['a', 'b', 'c'])).size).toBe(3)
    await one.set('a', 2)
    await eventually('the write arrives', async () => (await other.get('a')) === 2)
    await one.delete('b')
    await eventually('the removal arrives', async () => (await other.get('b')) === undefined)
    await one.clear()
    await eventually('the clear arrives', async () => (await other.get('c')) === undefined)
  })

  test('the first lines of a program read what Redis has, and lose nothing of what they write', async () => {
    const before = await ready(make())
    await before.set('k', 'in Redis')
    const keys = Array.from({ length: 1_000 }, (_, index) => `k${index}`)

    // Each with a new manager: connecting may take longer than a deadline on a busy machine.
    await eventually('a first read finds it', async () => (await make().get('k')) === 'in Redis')

    const items = Object.fromEntries(keys.map(key => [key, 1]))
    await eventually(
      'a first batch is applied',
      async () => (await make().batchSet(items)).status === 'applied',
    )
    expect((await (await ready(make())).getMulti(keys)).size).toBe(1_000)

    await eventually(
      'a first removal is applied',
      async () => (await make().batchDelete(keys)).status === 'applied',
    )
    expect((await (await ready(make())).getMulti(keys)).size).toBe(0)

    const warmer = make()
    for (const key of keys) warmer.warmupCache(key, 1)
    await warmer.whenWarm()
    expect(warmer.getStats().warmup).toMatchObject({ queued: 0, done: 1_000, failed: 0 })
  })

  test('warm-up reaches Redis', async () => {
    const [one, other] = [await ready(make()), await ready(make())]
    expect(one.warmupCache('k', 'warm', 60)).toBe(true)
    await one.whenWarm()
    expect(one.getStats().warmup).toMatchObject({ done: 1, failed: 0 })
    expect(await other.get('k')).toBe('warm')
  })

  test('getStats tells the tiers, the pool and that Redis is there', async () => {
    const manager = await ready(make({ connectionPoolSize: 3 }))
    await manager.set('k', 'text')
    await manager.get('k')
    const { redis, stats, memoryUsage } = manager.getStats()
    expect(redis).toEqual({
      configured: true,
      available: true,
      state: 'coherent',
      pool: { size: 3, ready: 3, inFlight: 0 },
      journal: 0,
    })
    expect(stats.tiers.map(tier => tier.tier)).toEqual(['memory', 'redis'])
    expect(memoryUsage).toEqual({ items: 1, bytes: expect.any(Number) })
    expect(memoryUsage.bytes).toBeGreaterThan(0)
  })

  test('values above compressionThreshold travel compressed', async () => {
    const value = 'abc'.repeat(50_000)
    const bytesFor = async (compressionThreshold: number): Promise<number> => {
      const proxy = await TcpProxy.start(server.port)
      const manager = await ready(make({ redisUrl: proxy.url, compressionThreshold }))
      await manager.set('k', value)
      await manager.close()
      const { bytesUp } = proxy
      await proxy.stop()
      return bytesUp
    }
    expect(await bytesFor(1_024)).toBeLessThan(50_000)
    expect(await bytesFor(1_000_000)).toBeGreaterThan(150_000)
  })
})

describe('what Redis could not hold is refused before anything is written', () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const hostile: [string, unknown][] = [
    ['a function', () => 1],
    ['a cycle', cycle],
    ['a BigInt', { id: 1n }],
  ]

  async function expectRefusal(manager: CacheManager, value: unknown): Promise<void> {
    const refused = { code: 'SERIALIZATION' }
    await expect(manager.set('k', value)).rejects.toMatchObject(refused)
    await expect(manager.batchSet({ a: 1, k: value })).rejects.toMatchObject(refused)
    expect(() => manager.warmupCache('k', value)).toThrow(expect.objectContaining(refused))
    expect(() => manager.warmupCache('k', 1, 60, { value: [value, 1n] })).toThrow(
      expect.objectContaining(refused),
    )
    expect(await manager.get('a')).toBeUndefined()
  }

  test.each(hostile)('%s; the value before stays', async (_what, value) => {
    const manager = await ready(make())
    await manager.set('k', 'before')
    await expectRefusal(manager, value)
    expect(await manager.get('k')).toBe('before')
  })

  test.each(hostile)('%s, with Redis away', async (_what, value) => {
    const manager = make({ redisUrl: `redis://127.0.0.1:${await freePort()}` })
    await expectRefusal(manager, value)
    expect(await manager.get('k')).toBeUndefined()
  })

  test('one in several batches: none of them is written', async () => {
    const manager = await ready(make({ batchSize: 2 }))
    const items = { a: 1, b: 2, c: 3, d: 4, e: () => 5 }
    await expect(manager.batchSet(items)).rejects.toMatchObject({ code: 'SERIALIZATION' })
    expect((await manager.getMulti(Object.keys(items))).size).toBe(0)
  })
})

describe('with Redis away', () => {
  let own: RedisServer
  beforeEach(async () => {
    own = await RedisServer.start()
  })
  afterEach(() => own.stop())

  async function expectFullService(manager: CacheManager): Promise<void> {
    await manager.set('k', 1, 60, { by: 'memory' })
    expect(await manager.get('k')).toBe(1)
    expect(await manager.get('k', 600)).toBe(1)
    expect(await manager.get('missing')).toBeUndefined()
    await manager.batchSet({ a: 1, b: 2 }, 60)
    expect((await manager.getMulti(['a', 'b', 'c'])).size).toBe(2)
    await manager.batchDelete(['a'])
    await manager.delete('k')
    expect(await manager.get('k')).toBeUndefined()
    expect(manager.warmupCache('w', 'warm')).toBe(true)
    await manager.whenWarm()
    expect(await manager.get('w')).toBe('warm')
    await manager.clear()
    expect(manager.getStats().memoryUsage.items).toBe(0)
    expect(manager.getStats().redis).toMatchObject({ configured: true, available: false, state: 'fallback' })
  }

  test('from the start: every call works on memory, and Redis is used once it is there', async () => {
    await own.kill()
    const manager = make({ redisUrl: own.url })
    await expectFullService(manager)
    await own.restart()
    await ready(manager)
    expect(await manager.set('shared', 1)).toEqual({ status: 'applied' })
    expect(await (await ready(make({ redisUrl: own.url }))).get('shared')).toBe(1)
  })

  test('later: every call works on memory, and Redis is used again once it is back', async () => {
    const manager = await ready(make({ redisUrl: own.url }))
    await manager.batchSet({ k: 0, kept: 'in memory' })
    await own.kill()
    expect(await manager.get('kept')).toBe('in memory')
    await eventually('the outage is noticed', () => !manager.getStats().redis.available)
    await expectFullService(manager)
    await own.restart()
    await ready(manager)
    expect(await manager.set('shared', 1)).toEqual({ status: 'applied' })
    expect(await (await ready(make({ redisUrl: own.url }))).get('shared')).toBe(1)
  })

  test('a removal is not forgotten: the old value in Redis is never seen again', async () => {
    const proxy = await TcpProxy.start(own.port)
    const manager = await ready(make({ redisUrl: proxy.url }))
    await manager.set('k', 'old')
    proxy.mode = 'refuse'
    await eventually('the outage is noticed', () => !manager.getStats().redis.available)
    expect(await manager.delete('k')).toMatchObject({ status: 'queued' })
    expect(manager.getStats().redis.journal).toBe(1)
    proxy.mode = 'forward'
    await ready(manager)
    expect(await manager.get('k')).toBeUndefined()
    expect(await (await ready(make({ redisUrl: own.url }))).get('k')).toBeUndefined()
    await manager.close()
    await proxy.stop()
  })

  test('the metrics tell', async () => {
    const manager = await ready(make({ redisUrl: own.url }))
    const pageNow = async (): Promise<string> => (await manager.register?.metrics()) ?? ''
    const fallbacksIn = (page: string): number =>
      Number(/^cache_state_changes_total\{cache="cache",state="fallback"\} (\d+)$/m.exec(page)?.[1] ?? 0)
    const before = await pageNow()
    expect(before).toContain('cache_remote_available{cache="cache"} 1\n')
    await own.kill()
    await eventually('the outage is noticed', () => manager.getStats().redis.state === 'fallback')
    await manager.set('k', 1)
    const page = await pageNow()
    expect(page).toContain('cache_remote_available{cache="cache"} 0\n')
    // On a busy machine there may have been one before it was ready.
    expect(fallbacksIn(page)).toBe(fallbacksIn(before) + 1)
  })
})
