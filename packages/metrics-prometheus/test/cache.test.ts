import { Cache } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { eventually, RedisServer } from '@cache/test-support'
import { TieredStore } from '@cache/tiered'
import { Counter, Gauge, Histogram } from 'prom-client'
import { afterEach, expect, test, vi } from 'vitest'
import { PrometheusMetrics } from '../src/index.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const clean of cleanup.splice(0).reverse()) await clean()
})

/** Value of a series by its full name, `undefined` if it is not exposed. */
async function value(metrics: PrometheusMetrics, series: string): Promise<number | undefined> {
  const page = await metrics.register.metrics()
  const line = page.split('\n').find(each => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

function memoryCache(metrics: PrometheusMetrics): Cache {
  const store = new MemoryStore({ maxItems: 100 })
  const cache = new Cache({ store, name: 'products', observer: metrics.observer })
  cleanup.push(() => cache.close())
  return cache
}

test('a near hit, a miss and a write call nothing of prom-client', async () => {
  const metrics = new PrometheusMetrics()
  const cache = memoryCache(metrics)
  const calls = [
    vi.spyOn(Counter.prototype, 'labels'),
    vi.spyOn(Gauge.prototype, 'set'),
    vi.spyOn(Gauge.prototype, 'inc'),
    vi.spyOn(Histogram.prototype, 'labels'),
    ...metrics.register.getMetricsAsArray().flatMap(metric => {
      if (metric instanceof Counter) return [vi.spyOn(metric, 'inc')]
      return metric instanceof Histogram ? [vi.spyOn(metric, 'observe')] : []
    }),
  ]
  await cache.set('k', 1)
  await cache.get('k')
  await cache.get('missing')
  for (const call of calls) expect(call).not.toHaveBeenCalled()
  expect(await value(metrics, 'cache_requests_total{cache="products",outcome="hit"}')).toBe(1)
  expect(calls.some(call => call.mock.calls.length > 0)).toBe(true)
})

test('loads are counted and timed', async () => {
  const metrics = new PrometheusMetrics()
  const cache = memoryCache(metrics)
  await cache.getOrSet('k', () => 1)
  const failing = cache.getOrSet('other', () => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  expect(await value(metrics, 'cache_loads_total{cache="products",outcome="ok"}')).toBe(1)
  expect(await value(metrics, 'cache_loads_total{cache="products",outcome="error"}')).toBe(1)
  expect(await value(metrics, 'cache_load_duration_seconds_count{cache="products",outcome="ok"}')).toBe(1)
  expect(await value(metrics, 'cache_load_duration_seconds_count{cache="products",outcome="error"}')).toBe(1)
})

test('a cache that closes leaves its counters and takes its gauges; its successor counts on', async () => {
  const metrics = new PrometheusMetrics()
  const first = memoryCache(metrics)
  await first.set('k', 1)
  await first.get('k')
  await first.close()
  const hits = 'cache_requests_total{cache="products",outcome="hit"}'
  const items = 'cache_items{cache="products",tier="memory"}'
  expect([await value(metrics, hits), await value(metrics, items)]).toEqual([1, undefined])
  const second = memoryCache(metrics)
  await second.set('k', 1)
  await second.get('k')
  expect([await value(metrics, hits), await value(metrics, items)]).toEqual([2, 1])
})

test('the number of series does not grow with the keys', async () => {
  const metrics = new PrometheusMetrics()
  const cache = memoryCache(metrics)
  const series = async (): Promise<number> =>
    (await metrics.register.metrics()).split('\n').filter(line => line && !line.startsWith('#')).length
  await cache.getOrSet('first', () => 1)
  const before = await series()
  for (let i = 0; i < 1_000; i++) {
    await cache.getOrSet(`k${i}`, () => i)
    await cache.delete(`k${i}`)
  }
  expect(await series()).toBe(before)
})

test('nor with 100,000 of them in Redis', { timeout: 60_000 }, async () => {
  const server = await RedisServer.start()
  cleanup.push(() => server.stop())
  const metrics = new PrometheusMetrics()
  const timeouts = { read: '10s', write: '10s', connect: '10s' } as const
  const store = new TieredStore({
    l1: new MemoryStore({ maxItems: 1_000 }),
    l2: new RedisStore({ url: server.url, poolSize: 2, batchSize: 1_000, timeouts }),
    timeouts,
  })
  const cache = new Cache({ store, batchSize: 1_000, observer: metrics.observer })
  cleanup.push(() => cache.close())
  await eventually('coherent', () => cache.health()?.state === 'coherent')
  const touch = async (keys: readonly string[]): Promise<void> => {
    const { status } = await cache.setMany(keys.map(key => [key, key] as const))
    expect(status).toBe('applied')
    await cache.getMany(keys)
    await cache.getOrSetMany(
      keys.slice(0, 10).map(key => `loaded ${key}`),
      missing => new Map(missing.map(key => [key, key])),
    )
    await cache.getOrSet(`one ${keys[0]}`, () => 1)
    await cache.get(`none ${keys[0]}`)
    await cache.delete(keys[0] as string)
    await cache.deleteMany(keys.slice(0, 10))
  }
  const series = async (): Promise<string[]> =>
    (await metrics.register.metrics()).split('\n').flatMap(line => line.match(/^cache_.*(?= \S+$)/) ?? [])
  await touch(Array.from({ length: 2_000 }, (_, i) => `first ${i}`))
  const before = await series()
  await touch(Array.from({ length: 100_000 }, (_, i) => `then ${i}`))
  expect(await series()).toEqual(before)
  expect(await value(metrics, 'cache_sets_total{cache="cache"}')).toBe(102_000)
})

test('an outage of Redis shows: availability, state, errors, durations, the journal, and all well after it', async () => {
  const server = await RedisServer.start()
  cleanup.push(() => server.stop())
  const metrics = new PrometheusMetrics()
  const store = new TieredStore({
    l1: new MemoryStore(),
    l2: new RedisStore({ url: server.url, poolSize: 2 }),
  })
  const cache = new Cache({ store, name: 'products', observer: metrics.observer })
  cleanup.push(() => cache.close())
  const is = (series: string, expected: number) => async () => (await value(metrics, series)) === expected

  await eventually('coherent', is('cache_tier_state{cache="products",state="coherent"}', 1))
  await eventually('pool ready', is('cache_pool_connections_ready{cache="products"}', 2))
  expect(await value(metrics, 'cache_remote_available{cache="products"}')).toBe(1)
  await cache.set('k', 1)
  const remote = 'cache="products",tier="redis",operation="set",outcome="ok"'
  const sets = `cache_remote_operation_duration_seconds_count{${remote}}`
  expect(await value(metrics, sets)).toBe(1)

  await server.kill()
  await eventually('away', is('cache_remote_available{cache="products"}', 0))
  await cache.delete('k')
  expect(await value(metrics, 'cache_tier_state{cache="products",state="fallback"}')).toBe(1)
  expect(await value(metrics, 'cache_state_changes_total{cache="products",state="fallback"}')).toBe(1)
  expect(await value(metrics, 'cache_journal_entries{cache="products"}')).toBe(1)
  expect(await value(metrics, 'cache_gaps_total{cache="products"}')).toBeGreaterThan(0)
  expect(await metrics.register.metrics()).toMatch(/cache_errors_total\{.*cause="UNAVAILABLE"\} [1-9]/)

  await server.restart()
  await eventually('back', is('cache_tier_state{cache="products",state="coherent"}', 1))
  await eventually('journal applied', is('cache_journal_entries{cache="products"}', 0))
  expect(await value(metrics, 'cache_flushes_total{cache="products"}')).toBeGreaterThan(0)
})
