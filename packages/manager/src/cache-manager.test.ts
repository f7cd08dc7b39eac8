import { afterEach, describe, expect, test } from 'vitest'
import { CacheManager } from './cache-manager.ts'
import { CacheStrategy } from './cache-strategy.ts'
import type { CacheManagerOptions } from './options.ts'

const open: CacheManager[] = []
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close()
})

function make(options: CacheManagerOptions = {}): CacheManager {
  const manager = new CacheManager(options)
  open.push(manager)
  return manager
}

describe('memory only', () => {
  test('what is set can be got, until it is deleted', async () => {
    const manager = make()
    expect(await manager.set('k', { a: 1 })).toEqual({ status: 'applied' })
    expect(await manager.get('k')).toEqual({ a: 1 })
    expect(await manager.delete('k')).toEqual({ status: 'applied' })
    expect(await manager.get('k')).toBeUndefined()
  })

  test.each([0, '', false, null])('%j is a value like any other', async value => {
    const manager = make()
    await manager.set('k', value)
    expect(await manager.get('k')).toBe(value)
    expect(await manager.getMulti(['k'])).toEqual(new Map([['k', value]]))
  })

  test('a value lives for defaultTtl seconds, or the ttl of its call', async () => {
    const manager = make({ defaultTtl: 60 })
    await manager.set('a', 1)
    await manager.set('b', 1, 5)
    await manager.batchSet({ c: 1 }, '2m')
    const lives = async (key: string): Promise<number> => {
      const entry = await manager.cache.getEntry(key)
      return entry ? (entry.expiresAt - entry.createdAt) / 1_000 : 0
    }
    expect([await lives('a'), await lives('b'), await lives('c')]).toEqual([60, 5, 120])
  })

  test('a ttl on get slides the expiry on a hit, and never shortens it', async () => {
    const manager = make()
    await manager.set('k', 1, 5)
    const before = await manager.cache.getEntry('k')
    expect(await manager.get('k', 500)).toBe(1)
    const slid = await manager.cache.getEntry('k')
    expect((slid?.expiresAt ?? 0) - (before?.expiresAt ?? 0)).toBeGreaterThan(400_000)
    await manager.get('k', 1)
    expect((await manager.cache.getEntry('k'))?.expiresAt).toBe(slid?.expiresAt)
  })

  test('metadata is kept beside the value', async () => {
    const manager = make()
    await manager.set('k', 1, undefined, { source: 'import' })
    expect((await manager.cache.getEntry('k'))?.metadata).toEqual({ source: 'import' })
  })

  test('batches take an object or a Map, and getMulti gives a Map of what was found, in order', async () => {
    const manager = make({ batchSize: 2 })
    expect(await manager.batchSet({ a: 1, b: 2, c: 3 })).toEqual({ status: 'applied' })
    await manager.batchSet(new Map([['d', 4]]), 60)
    const found = await manager.getMulti(['d', 'x', 'a', 'c'])
    expect([...found]).toEqual([
      ['d', 4],
      ['a', 1],
      ['c', 3],
    ])
    await manager.batchDelete(['a', 'b', 'x'])
    expect([...(await manager.getMulti(['a', 'b', 'c', 'd'])).keys()]).toEqual(['c', 'd'])
  })

  test('keys such as __proto__ and constructor are ordinary', async () => {
    const manager = make()
    const items = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}') as Record<string, number>
    await manager.batchSet(items)
    await manager.set('hasOwnProperty', 4)
    const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    expect([...(await manager.getMulti(keys)).values()]).toEqual([1, 2, 3, 4])
    expect(await manager.get('valueOf')).toBeUndefined()
  })

  test('memory holds no more than maxMemoryBytes, as estimated', async () => {
    const manager = make({ maxMemoryBytes: 100_000 })
    for (let i = 0; i < 100; i++) await manager.set(`k${i}`, 'x'.repeat(5_000))
    const { items, bytes } = manager.getStats().memoryUsage
    expect(bytes).toBeLessThanOrEqual(100_000)
    expect(items).toBeGreaterThan(5)
    expect(await manager.get('k99')).toHaveLength(5_000)
  })

  test('with compressMemory values are kept as bytes, smaller and safe from whoever changes them', async () => {
    const manager = make({ compressMemory: true, compressionThreshold: 100 })
    const value = { text: 'x'.repeat(100_000), list: [1] }
    await manager.set('k', value)
    value.list.push(2)
    expect(manager.getStats().memoryUsage.bytes).toBeLessThan(2_000)
    const first = (await manager.get('k')) as typeof value
    first.list.push(3)
    expect(await manager.get('k')).toEqual({ ...value, list: [1] })
  })

  test('memory holds maxMemorySize items and evicts by evictionStrategy', async () => {
    const survivors = async (evictionStrategy: CacheStrategy): Promise<string[]> => {
      const manager = make({ maxMemorySize: 2, evictionStrategy })
      await manager.set('a', 1)
      await manager.set('b', 1)
      await manager.get('a')
      await manager.set('c', 1)
      expect(manager.getStats().stats.evictions).toBe(1)
      return [...(await manager.getMulti(['a', 'b', 'c'])).keys()]
    }
    expect(await survivors(CacheStrategy.LRU)).toEqual(['a', 'c'])
    expect(await survivors(CacheStrategy.FIFO)).toEqual(['b', 'c'])
    expect(await survivors(CacheStrategy.LFU)).toEqual(['a', 'c'])
    expect(await survivors(CacheStrategy.RANDOM)).toHaveLength(2)
    expect(await survivors(CacheStrategy.SIEVE)).toEqual(['a', 'c'])
    expect(await survivors(CacheStrategy.S3FIFO)).toEqual(['b', 'c'])
    expect(await survivors(CacheStrategy.TINYLFU)).toEqual(['a', 'c'])
  })

  test('clear removes everything', async () => {
    const manager = make()
    await manager.batchSet({ a: 1, b: 2 })
    await manager.clear()
    expect(manager.getStats().memoryUsage.items).toBe(0)
  })

  test('values that only JSON could not hold are fine', async () => {
    const manager = make()
    const value = (): number => 1
    await manager.set('k', value)
    expect(await manager.get('k')).toBe(value)
    expect(manager.warmupCache('w', 1n)).toBe(true)
  })
})

describe('bad input is refused with a code, and nothing is written', () => {
  test.each([
    ['a number', 7],
    ['nothing', undefined],
    ['an empty string', ''],
    ['a lone surrogate', 'a\ud800'],
  ])('a key that is %s', async (_what, key) => {
    const manager = make()
    const refused = { code: 'INVALID_KEY' }
    const call = (method: (...args: never[]) => unknown, ...args: unknown[]): unknown =>
      Reflect.apply(method, manager, args)
    await expect(call(manager.get, key)).rejects.toMatchObject(refused)
    await expect(call(manager.set, key, 1)).rejects.toMatchObject(refused)
    await expect(call(manager.delete, key)).rejects.toMatchObject(refused)
    await expect(call(manager.getMulti, ['ok', key])).rejects.toMatchObject(refused)
    await expect(call(manager.batchDelete, ['ok', key])).rejects.toMatchObject(refused)
    await expect(
      call(
        manager.batchSet,
        new Map([
          ['ok', 1],
          [key, 1],
        ]),
      ),
    ).rejects.toMatchObject(refused)
    expect(() => call(manager.warmupCache, key, 1)).toThrow(expect.objectContaining(refused))
    expect(manager.getStats()).toMatchObject({ memoryUsage: { items: 0 }, batch: { queued: 0 } })
  })

  test.each([Number.NaN, -1, 0, Number.POSITIVE_INFINITY, '5 minutes', null])('a ttl of %j', async ttl => {
    const manager = make()
    await manager.set('k', 1)
    const refused = { code: 'INVALID_TTL' }
    const call = (method: (...args: never[]) => unknown, ...args: unknown[]): unknown =>
      Reflect.apply(method, manager, args)
    await expect(call(manager.set, 'k', 2, ttl)).rejects.toMatchObject(refused)
    await expect(call(manager.get, 'k', ttl)).rejects.toMatchObject(refused)
    await expect(call(manager.batchSet, { k: 2 }, ttl)).rejects.toMatchObject(refused)
    expect(() => call(manager.warmupCache, 'k', 2, ttl)).toThrow(expect.objectContaining(refused))
    await manager.whenWarm()
    expect(await manager.get('k')).toBe(1)
  })

  test('a value that is undefined, and metadata that is no object', async () => {
    const manager = make()
    const refused = { code: 'INVALID_VALUE' }
    await manager.set('k', 1)
    await expect(manager.set('k', undefined)).rejects.toMatchObject(refused)
    await expect(manager.batchSet({ a: 1, k: undefined })).rejects.toMatchObject(refused)
    expect(() => manager.warmupCache('k', undefined)).toThrow(expect.objectContaining(refused))
    for (const metadata of ['text', [1], null]) {
      const args = ['k', 2, 60, metadata]
      await expect(Reflect.apply(manager.set, manager, args)).rejects.toMatchObject(refused)
      expect(() => Reflect.apply(manager.warmupCache, manager, args)).toThrow(
        expect.objectContaining(refused),
      )
    }
    expect([...(await manager.getMulti(['a', 'k']))]).toEqual([['k', 1]])
  })

  test.each([7, 'abc', null, undefined])('a batch that is %j', async batch => {
    const manager = make()
    for (const method of [manager.batchSet, manager.batchDelete, manager.getMulti]) {
      await expect(Reflect.apply(method, manager, [batch])).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    }
  })
})

describe('warm-up', () => {
  test('is written in the background', async () => {
    const manager = make({ batchSize: 2 })
    for (const key of ['a', 'b', 'c']) expect(manager.warmupCache(key, key, 60, { warm: true })).toBe(true)
    expect(manager.getStats().warmup).toEqual({ enabled: true, queued: 3, done: 0, failed: 0 })
    await manager.whenWarm()
    expect(manager.getStats().warmup).toEqual({ enabled: true, queued: 0, done: 3, failed: 0 })
    expect((await manager.getMulti(['a', 'b', 'c'])).size).toBe(3)
    const entry = await manager.cache.getEntry('a')
    expect(entry).toMatchObject({ value: 'a', metadata: { warm: true } })
    expect((entry?.expiresAt ?? 0) - (entry?.createdAt ?? 0)).toBe(60_000)
  })

  test('never overwrites what was written or removed after it was queued', async () => {
    const manager = make()
    manager.warmupCache('a', 'old')
    manager.warmupCache('b', 'old')
    await manager.set('a', 'new')
    await manager.delete('b')
    await manager.whenWarm()
    expect([...(await manager.getMulti(['a', 'b']))]).toEqual([['a', 'new']])
  })

  test('is not accepted when disabled, when 10,000 items wait, or after close', async () => {
    expect(make({ warmupEnabled: false }).warmupCache('k', 1)).toBe(false)
    expect(() => make({ warmupEnabled: false }).warmupCache('', 1)).toThrow('key must be')
    await make({ warmupEnabled: false }).whenWarm()
    const manager = make()
    for (let i = 0; i < 10_000; i++) manager.warmupCache(`k${i}`, i)
    expect(manager.warmupCache('one more', 1)).toBe(false)
    expect(manager.warmupCache('k7', 'a waiting one may be replaced')).toBe(true)
    await manager.close()
    expect(manager.getStats().warmup.queued).toBe(0)
    expect(manager.warmupCache('late', 1)).toBe(false)
    await manager.whenWarm()
  })
})

describe('getStats', () => {
  test('counts, and has the documented shape', async () => {
    const manager = make()
    await manager.set('a', 'text')
    await manager.get('a')
    await manager.get('b')
    await manager.delete('b')
    const stats = manager.getStats()
    expect(stats).toEqual({
      stats: expect.objectContaining({
        hits: 1,
        misses: 1,
        hitRatio: 0.5,
        sets: 1,
        deletes: 1,
        loads: 0,
        loadErrors: 0,
        sharedLoads: 0,
        writes: { applied: 2, queued: 0, partial: 0, failed: 0 },
        leases: { granted: 0, denied: 0, expired: 0 },
        warmUps: { queued: 0, done: 0, failed: 0 },
        stales: 0,
        refreshes: 0,
        refreshErrors: 0,
        errors: 0,
        mismatches: 0,
        inFlight: 0,
        evictions: 0,
        expirations: 0,
        tiers: [expect.objectContaining({ tier: 'memory', items: 1, hits: 1 })],
      }),
      memoryUsage: { items: 1, bytes: expect.any(Number) },
      redis: {
        configured: false,
        available: false,
        state: undefined,
        pool: { size: 0, ready: 0, inFlight: 0 },
        journal: 0,
      },
      batch: { size: 100, queued: 0 },
      warmup: { enabled: true, queued: 0, done: 0, failed: 0 },
    })
    expect(stats.memoryUsage.bytes).toBeGreaterThan(0)
  })

  test('tells the keys of batches under way', async () => {
    const manager = make()
    const writing = manager.batchSet({ a: 1, b: 2 })
    const mapped = manager.batchSet(new Map([['c', 3]]))
    const reading = manager.getMulti(['a', 'b', 'c'])
    expect(manager.getStats().batch).toEqual({ size: 100, queued: 6 })
    await Promise.all([writing, mapped, reading])
    expect(manager.getStats().batch.queued).toBe(0)
  })

  test('is a snapshot, and can still be asked after close', async () => {
    const manager = make()
    const before = manager.getStats()
    await manager.set('a', 1)
    await manager.close()
    expect(before.stats.sets).toBe(0)
    expect(manager.getStats().stats.sets).toBe(1)
  })
})

describe('monitoring', () => {
  test('offers a registry of its own', async () => {
    const [manager, other] = [make(), make()]
    await manager.set('k', 1)
    await manager.get('k')
    expect(await manager.register?.metrics()).toContain(
      'cache_requests_total{cache="cache",outcome="hit"} 1\n',
    )
    expect(await other.register?.metrics()).toContain('cache_requests_total{cache="cache",outcome="hit"} 0\n')
  })

  test('disabled: there is no registry, and getStats counts all the same', async () => {
    const manager = make({ monitoringEnabled: false })
    await manager.set('k', 1)
    expect(manager.register).toBeUndefined()
    expect(manager.getStats().stats.sets).toBe(1)
  })
})

test('fromEnv reads the process environment by default, and overrides win', async () => {
  process.env.BATCH_SIZE = '7'
  try {
    const manager = CacheManager.fromEnv()
    open.push(manager)
    expect(manager.getStats().batch.size).toBe(7)
  } finally {
    delete process.env.BATCH_SIZE
  }
  const manager = CacheManager.fromEnv({ BATCH_SIZE: '7', MONITORING_ENABLED: 'no' }, { batchSize: 8 })
  open.push(manager)
  expect(manager.getStats().batch.size).toBe(8)
  expect(manager.register).toBeUndefined()
  expect(() => CacheManager.fromEnv({ BATCH_SIZE: 'x' })).toThrow(/^BATCH_SIZE/)
})

test('after close, calls are refused; closing again is fine; `await using` closes', async () => {
  const manager = make()
  await manager.close()
  await manager.close()
  await expect(manager.get('k')).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(manager.batchSet({ a: 1 })).rejects.toMatchObject({ code: 'CLOSED' })
  const scope = async (): Promise<CacheManager> => {
    await using inner = new CacheManager()
    return inner
  }
  await expect((await scope()).set('k', 1)).rejects.toMatchObject({ code: 'CLOSED' })
})
