import { Cache, ManualClock, WarmUpQueue } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { asynchronous, FullStore } from './stores.ts'

/** A cache whose chunks are small, so that most of a batch waits for its turn when the stream breaks. */
function gapped() {
  const clock = new ManualClock()
  const inner = new FullStore(clock)
  const cache = new Cache({ store: asynchronous(inner), clock, batchSize: 2 })
  const keys = Array.from({ length: 30 }, (_, index) => `k${index}`)
  return { inner, cache, keys, entries: keys.map((key, index) => [key, index] as const) }
}

describe('a gap in the stream of invalidations', () => {
  it('takes nothing out of what callers write: every key of a batch is set', async () => {
    const { inner, cache, entries } = gapped()
    const written = cache.setMany(entries)
    inner.bus.gap()
    expect(await written).toEqual({ status: 'applied' })
    expect(inner.entries.size).toBe(30)
  })

  it('takes nothing out of what callers delete', async () => {
    const { inner, cache, keys, entries } = gapped()
    await cache.setMany(entries)
    const deleted = cache.deleteMany(keys)
    inner.bus.gap()
    expect(await deleted).toEqual({ status: 'applied' })
    expect(inner.entries.size).toBe(0)
  })

  it('takes nothing out of a warm-up, queued or under way', async () => {
    const { inner, cache, entries } = gapped()
    const queue = new WarmUpQueue(cache, { batchSize: 2 })
    for (const [key, value] of entries) queue.push({ key: `queued:${key}`, value })
    const warmed = cache.warm(entries)
    inner.bus.gap()
    await queue.whenIdle()
    expect(await warmed).toMatchObject({ done: 30, failed: 0 })
    expect(queue.progress).toEqual({ done: 30, failed: 0 })
    expect(inner.entries.size).toBe(60)
  })

  it('bars what was loaded before it from being stored', async () => {
    const { inner, cache, keys } = gapped()
    const single = cache.getOrSet('single', async () => {
      inner.bus.gap()
      return 1
    })
    expect(await single).toBe(1)
    const many = cache.getOrSetMany(keys, async missing => {
      inner.bus.gap()
      return new Map(missing.map(key => [key, 1]))
    })
    expect((await many).size).toBe(30)
    expect(inner.entries.size).toBe(0)
  })

  it('bars what waits to be filled when it comes', async () => {
    const { inner, cache, keys } = gapped()
    const write = inner.setMany.bind(inner)
    inner.setMany = entries => {
      inner.bus.gap()
      return write(entries)
    }
    await cache.getOrSetMany(keys, missing => new Map(missing.map(key => [key, 1])))
    expect(inner.entries.size).toBeLessThan(30)
  })

  it('lets a value that was being read keep its end, rather than extend what may be gone', async () => {
    const { inner, cache } = gapped()
    await cache.set('k', 1, { ttl: 10 })
    const { expiresAt } = inner.entries.get('k') ?? { expiresAt: 0 }
    const read = cache.get('k', { ttl: 600 })
    inner.bus.gap()
    expect(await read).toBe(1)
    expect(inner.entries.get('k')?.expiresAt).toBe(expiresAt)
  })
})
