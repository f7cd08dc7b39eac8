import { getEventListeners } from 'node:events'
import { Cache, CacheError, type LoadContext, ManualClock } from '@cache/core'
import { describe, expect, it } from 'vitest'
import { LeasingStore, Server } from './leasing-store.ts'
import { BareStore, ControlledStore, settled } from './stores.ts'
import { ControlledLoader, never, STORES } from './support.ts'

const calledOff = new Error('called off')

/** A loader that says what it was told. */
class ListeningLoader {
  readonly signals: AbortSignal[] = []
  readonly #loader = new ControlledLoader<string>()

  readonly load = ({ signal }: LoadContext): Promise<string> => {
    this.signals.push(signal)
    return this.#loader.load()
  }

  get calls() {
    return this.#loader.calls
  }
}

describe.each(Object.entries(STORES))('a caller’s signal over %s', (_, make) => {
  it('ends its own wait with its reason, and not the load that others share', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock })
    const loader = new ListeningLoader()
    const [first, second] = [new AbortController(), new AbortController()]
    const calls = [
      cache.getOrSet('k', loader.load, { signal: first.signal }),
      cache.getOrSet('k', loader.load, { signal: second.signal }),
      cache.getOrSet('k', loader.load),
    ]
    const outcomes = Promise.allSettled(calls)
    await settled()
    first.abort(calledOff)
    second.abort(calledOff)
    await settled()
    expect(loader.signals[0]?.aborted).toBe(false)
    loader.calls[0]?.resolve('v')
    expect((await outcomes).map(outcome => ('value' in outcome ? outcome.value : outcome.reason))).toEqual([
      calledOff,
      calledOff,
      'v',
    ])
    expect(await cache.get('k')).toBe('v')
    expect(cache.stats().inFlight).toBe(0)
  })

  it('tells the loader once the last of those who wait has called it off; the next caller starts anew', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock })
    const loader = new ListeningLoader()
    const controllers = [new AbortController(), new AbortController()]
    const calls = controllers.map(({ signal }) => cache.getOrSet('k', loader.load, { signal }))
    const outcomes = Promise.allSettled(calls)
    await settled()
    controllers[0]?.abort(calledOff)
    expect(loader.signals[0]?.aborted).toBe(false)
    controllers[1]?.abort(calledOff)
    expect(loader.signals[0]?.reason).toBe(calledOff)
    const next = cache.getOrSet('k', loader.load)
    await settled()
    loader.calls[0]?.reject(calledOff)
    loader.calls[1]?.resolve('anew')
    expect(await next).toBe('anew')
    expect(await cache.get('k')).toBe('anew')
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: calledOff })
  })

  it('leaves alone a load whose loader does not listen: it fills, and whoever comes next joins it', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock })
    const loader = new ControlledLoader<string>()
    const controller = new AbortController()
    const call = cache.getOrSet('k', loader.load, { signal: controller.signal })
    const outcome = Promise.allSettled([call])
    await settled()
    controller.abort(calledOff)
    await outcome
    const next = cache.getOrSet('k', never)
    loader.calls[0]?.resolve('v')
    expect(await next).toBe('v')
    expect(await cache.get('k')).toBe('v')
  })

  it('that was aborted before ends the call at once', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock })
    await cache.set('k', 'v')
    const signal = AbortSignal.abort(calledOff)
    await expect(cache.getOrSet('k', () => 'x', { signal })).rejects.toBe(calledOff)
    await expect(cache.getOrSetMany(['k'], () => ({}), { signal })).rejects.toBe(calledOff)
  })

  it('ends the wait for many keys', async () => {
    const { clock, store } = make()
    const cache = new Cache<string>({ store, clock })
    const loader = new ControlledLoader<Record<string, string>>()
    const controller = new AbortController()
    const call = cache.getOrSetMany(['a', 'b'], loader.load, { signal: controller.signal })
    const outcome = Promise.allSettled([call])
    await settled()
    controller.abort(calledOff)
    expect(await outcome).toEqual([{ status: 'rejected', reason: calledOff }])
    loader.calls[0]?.resolve({ a: 'A', b: 'B' })
    await settled()
    expect(await cache.getMany(['a', 'b'])).toEqual(new Map(Object.entries({ a: 'A', b: 'B' })))
  })
})

it('who gave up waiting still wants the value: the loader is not told', async () => {
  const clock = new ManualClock()
  const cache = new Cache<string>({ store: new BareStore(clock), clock, jitter: 0, ttl: 10, grace: 20 })
  const loader = new ListeningLoader()
  const controller = new AbortController()
  const timedOut = cache.getOrSet('a', loader.load, { hardTimeout: '1s' })
  await cache.set('b', 'old')
  clock.advance(10_000)
  const served = cache.getOrSet('b', loader.load, { softTimeout: 0, signal: controller.signal })
  const outcomes = Promise.allSettled([timedOut, served])
  await settled()
  clock.advance(1_000)
  await outcomes
  controller.abort(calledOff)
  expect(loader.signals.map(({ aborted }) => aborted)).toEqual([false, false])
})

it('who gave up waiting still wants the value, though others call it off after that', async () => {
  const clock = new ManualClock()
  const cache = new Cache<string>({ store: new BareStore(clock), clock })
  const loader = new ListeningLoader()
  const [first, second] = [new AbortController(), new AbortController()]
  const calls = [
    cache.getOrSet('k', loader.load, { signal: first.signal, hardTimeout: 1 }),
    cache.getOrSet('k', loader.load, { signal: second.signal }),
  ]
  const outcomes = Promise.allSettled(calls)
  await settled()
  clock.advance(1_000)
  second.abort(calledOff)
  expect(await outcomes).toMatchObject([{ reason: { code: 'LOAD_TIMEOUT' } }, { reason: calledOff }])
  expect(loader.signals[0]?.aborted).toBe(false)
})

it('nothing listens to a caller’s signal once the call is over', async () => {
  const clock = new ManualClock()
  const cache = new Cache<string>({ store: new BareStore(clock), clock })
  const { signal } = new AbortController()
  for (let call = 0; call < 3; call++) {
    await cache.delete('k')
    await cache.getOrSet('k', () => 'v', { signal })
  }
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('a load that all called off before it began is not begun, and its lease is given up', async () => {
  const clock = new ManualClock()
  const server = new Server()
  const cache = new Cache<string>({ store: new LeasingStore(server, clock), clock })
  const controller = new AbortController()
  const call = cache.getOrSet('k', never, { signal: controller.signal })
  const outcome = Promise.allSettled([call])
  controller.abort(calledOff)
  expect(await outcome).toEqual([{ status: 'rejected', reason: calledOff }])
  await settled()
  expect([server.granted, server.leases.size]).toEqual([1, 0])
  expect(cache.stats()).toMatchObject({ inFlight: 0, loads: 0 })
})

it('a load that was called off gives its lease up at once, though its loader goes on', async () => {
  const clock = new ManualClock()
  const server = new Server()
  const cache = new Cache<string>({ store: new LeasingStore(server, clock), clock })
  const loader = new ListeningLoader()
  const controller = new AbortController()
  const call = cache.getOrSet('k', loader.load, { signal: controller.signal })
  const outcome = Promise.allSettled([call])
  await settled()
  controller.abort(calledOff)
  await settled()
  expect(server.leases.size).toBe(0)
  expect(await cache.getOrSet('k', () => 'anew')).toBe('anew')
  loader.calls[0]?.resolve('late')
  await outcome
  await settled()
  expect(server.entries.get('k')?.value).toBe('anew')
})

describe('the signal of a loader', () => {
  it('is aborted when the cache closes, also if it is asked for after that', async () => {
    const clock = new ManualClock()
    const cache = new Cache<string>({ closeWait: 0, store: new BareStore(clock), clock, name: 'products' })
    const loader = new ListeningLoader()
    const context: LoadContext[] = []
    const late = new ControlledLoader<string>()
    const calls = [
      cache.getOrSet('a', loader.load),
      cache.getOrSet('b', told => {
        context.push(told)
        return late.load()
      }),
    ]
    const outcomes = Promise.allSettled(calls)
    await settled()
    await cache.close()
    const closed = expect.objectContaining({ code: 'CLOSED', message: 'cache "products" is closed' })
    expect(loader.signals[0]?.reason).toEqual(closed)
    expect(context[0]?.signal.reason).toEqual(closed)
    loader.calls[0]?.reject(loader.signals[0]?.reason)
    late.calls[0]?.resolve('v')
    expect(await outcomes).toEqual([
      { status: 'rejected', reason: closed },
      { status: 'fulfilled', value: 'v' },
    ])
    expect((await outcomes)[0]).toMatchObject({ reason: expect.any(CacheError) })
  })

  it('is not aborted by a close once the load is over', async () => {
    const clock = new ManualClock()
    const cache = new Cache<string>({ closeWait: 0, store: new BareStore(clock), clock })
    const loader = new ListeningLoader()
    const call = cache.getOrSet('k', loader.load)
    await settled()
    loader.calls[0]?.resolve('v')
    await call
    await cache.close()
    expect(loader.signals[0]?.aborted).toBe(false)
  })

  it('is aborted at once if nobody waits any more when it is asked for', async () => {
    const clock = new ManualClock()
    const cache = new Cache<string>({ store: new BareStore(clock), clock })
    const controller = new AbortController()
    const contexts: LoadContext[] = []
    const loader = new ControlledLoader<string>()
    const call = cache.getOrSet(
      'k',
      context => {
        contexts.push(context)
        return loader.load()
      },
      { signal: controller.signal },
    )
    const outcome = Promise.allSettled([call])
    await settled()
    controller.abort(calledOff)
    await outcome
    expect(contexts[0]?.signal.reason).toBe(calledOff)
    expect(await cache.getOrSet('k', () => 'anew')).toBe('anew')
    loader.calls[0]?.resolve('late')
    await settled()
    expect(await cache.get('k')).toBe('anew')
  })
})

it('a hard timeout also ends the wait for a store that hangs', async () => {
  const clock = new ManualClock()
  const store = new ControlledStore(clock)
  const cache = new Cache<string>({ store, clock, hardTimeout: 1 })
  const call = cache.getOrSet('k', () => 'v')
  const outcome = Promise.allSettled([call])
  clock.advance(1_000)
  expect(await outcome).toMatchObject([{ reason: { code: 'LOAD_TIMEOUT' } }])
  await store.answerAll()
  expect(store.inner.entries.get('k')?.value).toBe('v')
})

it('a hard timeout of more than a timer can wait is not one that fires at once', async () => {
  const clock = new ManualClock()
  const waits: number[] = []
  const timed = {
    now: () => clock.now(),
    setTimeout: (fn: () => void, ms: number) => {
      waits.push(ms)
      return clock.setTimeout(fn, ms)
    },
    clearTimeout: clock.clearTimeout.bind(clock),
  }
  const cache = new Cache<string>({ store: new BareStore(clock), clock: timed, hardTimeout: '60d' })
  expect(await cache.getOrSet('k', () => 'v')).toBe('v')
  expect(waits).toEqual([2_147_483_647])
})
