import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Cache, type LoadContext, ManualClock } from '@cache/core'
import { describe, expect, test, vi } from 'vitest'
import { BareStore, FullStore, settled } from './stores.ts'
import { never } from './support.ts'

const open = (): Cache<number> => {
  const clock = new ManualClock()
  return new Cache<number>({ store: new BareStore(clock), clock, ttl: 60, grace: 60 })
}

describe('a load in flight', () => {
  test('takes less than 400 bytes beyond its loader', async () => {
    const count = 50_000
    const cache = open()
    for (let n = 0; n < 100; n++) await cache.getOrSet(`compiled ${n}`, async () => n)
    const keys = Array.from({ length: count }, (_, n) => `key ${n}`)
    const loads = keys.map(() => Promise.withResolvers<number>())
    const loaders = loads.map(
      ({ promise }) =>
        () =>
          promise,
    )
    const calls = new Array<Promise<number> | undefined>(count).fill(undefined)
    const before = heapUsed()
    for (const [n, key] of keys.entries()) calls[n] = cache.getOrSet(key, loaders[n] as () => Promise<number>)
    await settled()
    expect(cache.stats().inFlight).toBe(count)
    expect((heapUsed() - before) / count).toBeLessThan(400)
    for (const [n, { resolve }] of loads.entries()) resolve(n)
    expect((await Promise.all(calls)).at(-1)).toBe(count - 1)
  })

  test('leaves nothing behind in what the loader keeps of its context', async () => {
    const cache = open()
    let kept: LoadContext<number> | undefined
    await cache.getOrSet('a', context => {
      kept = context
      return 1
    })
    expect(kept?.key).toBe('a')
    kept?.setTags(['late'])
    kept?.setTtl(1)
    expect(kept?.signal.aborted).toBe(false)
    await cache.close()
    expect(kept?.signal.aborted).toBe(false)
  })
})

describe('a loader is called at once', () => {
  test('and may ask for its own key without waiting for it', async () => {
    const cache = open()
    let own: Promise<number> | undefined
    const value = await cache.getOrSet('a', () => {
      own = cache.getOrSet('a', never)
      return 1
    })
    expect(value).toBe(1)
    expect(await own).toBe(1)
    expect(cache.stats()).toMatchObject({ loads: 1, sharedLoads: 1, misses: 2 })
  })

  test('as may a listener that is told of the miss', async () => {
    const clock = new ManualClock()
    const cache = new Cache<number>({ store: new FullStore(clock), clock })
    let misses = 0
    let asked: Promise<number> | undefined
    cache.on('miss', () => {
      if (++misses === 1) asked = cache.getOrSet('a', never, { hardTimeout: 5 })
    })
    expect(await cache.getOrSet('a', async () => 1)).toBe(1)
    expect(await asked).toBe(1)
  })

  test('unless another one is just being called: loaders that ask for others may go as deep as they like', async () => {
    const cache = open()
    const depth = 20_000
    const load = (n: number): Promise<number> =>
      cache.getOrSet(`level ${n}`, () => (n === depth ? 0 : load(n + 1).then(below => below + 1)))
    expect(await load(0)).toBe(depth)
  })

  test('nor do listeners that ask for the next one at every miss', async () => {
    const cache = open()
    const depth = 20_000
    cache.on('miss', ({ key }) => {
      if (Number(key) < depth) void cache.getOrSet(String(Number(key) + 1), () => 1)
    })
    await cache.getOrSet('0', () => 1)
    await vi.waitFor(() => expect(cache.stats()).toMatchObject({ misses: depth + 1, inFlight: 0 }))
  })

  test('also behind one that threw', async () => {
    const cache = open()
    await expect(
      cache.getOrSet('a', () => {
        throw new Error('at once')
      }),
    ).rejects.toThrow('at once')
    let called = false
    const value = cache.getOrSet('b', () => {
      called = true
      return 2
    })
    expect(called).toBe(true)
    expect(await value).toBe(2)
  })
})

/** After garbage was collected. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let i = 0; i < 3; i++) gc()
  return process.memoryUsage().heapUsed
}
