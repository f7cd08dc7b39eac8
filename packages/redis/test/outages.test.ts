import { type Clock, type FillOutcome, ManualClock, type WriteOutcome } from '@cache/core'
import { eventually, freePort, TcpProxy } from '@cache/test-support'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import {
  codeOf,
  connected,
  durationOf,
  entry,
  eventsOf,
  openClient,
  openStore,
  ownServer,
  patientStore,
  pooled,
} from './support.ts'

/** The write deadline (250 ms, the longest) and what a busy machine may add. */
const BOUND_MS = 250 + 750

/** Every call there is, each with what it must answer while Redis is away. */
function callsOf(store: RedisStore): readonly (() => Promise<unknown>)[] {
  const keys = Array.from({ length: 5_000 }, (_, i) => `k${i}`)
  const later = Date.now() + 1_000
  return [
    () => store.get('k'),
    () => store.getMany(keys).then(({ failures }) => thrown([...(failures ?? [])][0]?.[1])),
    () => store.set('k', entry(1)).then(failure),
    () => store.setMany(new Map(keys.map(key => [key, entry(1)]))).then(failure),
    () => store.delete('k').then(failure),
    () => store.deleteMany(keys).then(failure),
    () => store.touch('k', later, later).then(failure),
    () => store.set('k', { ...entry(1), tags: ['tag'] }).then(failure),
    () => store.getOrLease('k', 1_000),
    () => store.fill('k', entry(1), LEASE).then(failure),
    () => store.fill('k', { ...entry(1), tags: ['tag'] }, LEASE).then(failure),
    () => store.renew('k', LEASE, 1_000),
    () => store.release('k', LEASE),
    () => store.invalidateTags(['tag']).then(failure),
    () => store.purge(),
    () => store.clear().then(failure),
    () => store.keys().next(),
    () => Promise.resolve(store.bus.publish({ type: 'clear' })).then(failure),
  ]
}

const LEASE = { token: '00'.repeat(8), stamp: 0 }

function failure(outcome: WriteOutcome | FillOutcome): void {
  expect(outcome.status).toBe('failed')
  thrown(outcome.error)
}

function thrown(error: unknown): never {
  throw error
}

const answers = (store: RedisStore) => eventually('Redis answers', () => store.health().available)

describe('while Redis is away', () => {
  test.each([
    ['nobody listens', async () => ({ port: await freePort() })],
    [
      'connections are reset',
      async () => {
        const proxy = await TcpProxy.start((await ownServer()).port)
        onTestFinished(() => proxy.stop())
        proxy.mode = 'refuse'
        return proxy
      },
    ],
    [
      'the route is dead',
      async () => {
        const proxy = await TcpProxy.start((await ownServer()).port)
        onTestFinished(() => proxy.stop())
        proxy.mode = 'blackhole'
        return proxy
      },
    ],
    [
      'the server is frozen',
      async () => {
        const server = await ownServer()
        server.freeze()
        return server
      },
    ],
  ])('from the start because %s, every call fails within its deadline', async (_why, away) => {
    const { port } = await away()
    const store = openStore({ url: `redis://127.0.0.1:${port}` })
    for (const call of callsOf(store)) {
      expect(await durationOf(async () => expect(await codeOf(call())).toBe('UNAVAILABLE'))).toBeLessThan(
        BOUND_MS,
      )
      expect(await codeOf(call())).toBe('UNAVAILABLE')
    }
    expect(store.health()).toMatchObject({ available: false, pool: { size: 10, ready: 0, inFlight: 0 } })
  })

  test.each(['refuse', 'blackhole'] as const)(
    'because the network turned to %s, every call fails within its deadline, and it comes back by itself',
    async mode => {
      const server = await ownServer()
      const proxy = await TcpProxy.start(server.port)
      onTestFinished(() => proxy.stop())
      const store = openStore({ url: proxy.url })
      await store.set('k', entry('before'))
      proxy.mode = mode
      for (const call of callsOf(store)) {
        const ms = await durationOf(async () =>
          expect(['UNAVAILABLE', 'TIMEOUT']).toContain(await codeOf(call())),
        )
        expect(ms).toBeLessThan(BOUND_MS)
      }
      proxy.mode = 'forward'
      proxy.cut()
      await answers(store)
      await eventually('it reads', async () => (await codeOf(store.get('k'))) === undefined)
    },
  )

  test('frozen, every call fails within its deadline; after a while at once', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url })
    await store.set('k', entry(1))
    server.freeze()
    for (const call of callsOf(store)) {
      const ms = await durationOf(async () =>
        expect(['UNAVAILABLE', 'TIMEOUT']).toContain(await codeOf(call())),
      )
      expect(ms).toBeLessThan(BOUND_MS)
    }
    await eventually('given up', async () => {
      await codeOf(store.get('k'))
      return !store.health().available
    })
    server.thaw()
    await answers(store)
  })

  test('killed, calls fail; restarted, they work again', async () => {
    const server = await ownServer()
    const store = patientStore({ url: server.url })
    const events = eventsOf(store)
    const outages = () => events.filter(event => event.type === 'error' && event.operation === 'connect')
    await store.set('k', entry(1))
    await server.kill()
    await eventually('noticed', () => !store.health().available)
    expect(await codeOf(store.get('k'))).toBe('UNAVAILABLE')
    await eventually('told', () => outages().length > 0)
    await server.restart()
    await answers(store)
    expect(await store.get('k')).toBeUndefined()
    await connected(store)
    expect(await store.set('k', entry(2))).toEqual({ status: 'applied' })
    expect((await store.get('k'))?.value).toBe(2)
    expect(outages().length).toBeLessThan(5)
  })

  test('a cut in the middle of large answers is a failure, never a wrong value', async () => {
    const server = await ownServer()
    const proxy = await TcpProxy.start(server.port)
    onTestFinished(() => proxy.stop())
    const store = openStore({
      url: proxy.url,
      compression: { algorithm: 'none' },
      timeouts: { read: '2s', write: '2s' },
    })
    const value = 'x'.repeat(2_000_000)
    await store.set('k', entry(value))
    const reads = Array.from({ length: 20 }, () =>
      store.get('k').then(
        found => found?.value === value,
        error => error.code === 'UNAVAILABLE',
      ),
    )
    await new Promise(resolve => setImmediate(resolve))
    proxy.cut()
    expect(await Promise.all(reads)).not.toContain(false)
  })
})

describe('a deadline', () => {
  test('is waited for once before the first connection, then calls fail at once', async () => {
    const proxy = await TcpProxy.start((await ownServer()).port)
    onTestFinished(() => proxy.stop())
    proxy.mode = 'blackhole'
    const clock = new ManualClock()
    const store = openStore({ url: proxy.url, clock, poolSize: 1, timeouts: { connect: '60s', read: '60s' } })
    const first = codeOf(store.get('k'))
    clock.advance(60_000)
    expect(await first).toBe('UNAVAILABLE')
    expect(await codeOf(store.get('k'))).toBe('UNAVAILABLE')
  })

  test('passes by the clock: 100 ms for a read, 250 ms for a write', async () => {
    const server = await ownServer()
    const clock = new ManualClock()
    const store = openStore({ url: server.url, clock })
    await connected(store)
    server.freeze()
    const calls = { get: codeOf(store.get('k')), set: store.set('k', entry(1, Date.now())) }
    clock.advance(99)
    const first = await Promise.race([calls.get, new Promise(resolve => setTimeout(resolve, 20, 'waits'))])
    expect(first).toBe('waits')
    clock.advance(1)
    expect(await calls.get).toBe('TIMEOUT')
    clock.advance(149)
    const second = await Promise.race([calls.set, new Promise(resolve => setTimeout(resolve, 20, 'waits'))])
    expect(second).toBe('waits')
    clock.advance(1)
    expect(await calls.set).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } })
  })

  test('is later for a large value: 1 ms for each 10 KiB above 256 KiB', async () => {
    const server = await ownServer()
    const clock = new ManualClock()
    const store = openStore({ url: server.url, clock, compression: { algorithm: 'none' } })
    await connected(store)
    server.freeze()
    const set = store.set('k', entry('x'.repeat((256 + 1_000) * 1_024 - 100), Date.now()))
    clock.advance(349)
    const early = await Promise.race([set, new Promise(resolve => setTimeout(resolve, 20, 'waits'))])
    expect(early).toBe('waits')
    clock.advance(2)
    expect(await set).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } })
  })

  /** A store that must ask, before it writes, how late it is: its bus may not listen. And a server that is frozen then. */
  async function frozenWhileAsking(clock: Clock, timeouts = {}) {
    const server = await ownServer()
    await openClient(server.url).call('ACL', 'SETUSER', 'default', '-subscribe')
    const store = openStore({ url: server.url, clock, timeouts })
    await pooled(store)
    await store.set('k', entry(1, clock.now()))
    server.freeze()
    return store
  }

  /** Whether a call ends when the clock has come so far, and not a millisecond before. */
  async function endsAt(clock: ManualClock, ms: number, call: Promise<unknown>): Promise<boolean> {
    let ended = false
    call
      .finally(() => {
        ended = true
      })
      .catch(() => {})
    const settled = (): Promise<unknown> => new Promise(resolve => setTimeout(resolve, 10))
    for (let i = 1; i < ms; i++) {
      clock.advance(1)
      // What follows upon a deadline begins then.
      if (i % 50 === 0) await settled()
    }
    await settled()
    if (ended) return false
    clock.advance(1)
    await settled()
    return ended
  }

  test.each<[string, number, (store: RedisStore) => Promise<unknown>]>([
    ['a write', 250, store => store.set('k', entry(1, Date.now()))],
    ['a write of several', 250, store => store.setMany(new Map([['k', entry(1, Date.now())]]))],
    ['a write with tags', 250, store => store.set('k', { ...entry(1, Date.now()), tags: ['tag'] })],
    ['a read', 100, store => store.get('k')],
    ['a read of several', 100, store => store.getMany(['k'])],
    ['a read for a lease', 100, store => store.getOrLease('k', 1_000)],
  ])('of %s holds with what it asks before it', async (_which, ms, call) => {
    const clock = new ManualClock()
    const store = await frozenWhileAsking(clock)
    expect(await endsAt(clock, ms, call(store))).toBe(true)
  })

  test('of a write holds though it stands behind an invalidation under way', async () => {
    const clock = new ManualClock()
    const store = await frozenWhileAsking(clock)
    const cleared = store.clear()
    expect(await endsAt(clock, 250, store.set('k', entry(1, Date.now())))).toBe(true)
    expect(await cleared).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } })
  })

  test('of a write holds though that of a read is longer', async () => {
    const clock = new ManualClock()
    const store = await frozenWhileAsking(clock, { read: '5s', write: '250ms' })
    expect(await endsAt(clock, 250, store.set('k', entry(1, Date.now())))).toBe(true)
  })

  test('is not missed because our own event loop stalled', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url })
    await connected(store)
    await store.set('k', entry(1))
    const read = store.get('k')
    const write = store.set('k', entry(2))
    const until = Date.now() + 400
    while (Date.now() < until);
    expect((await read)?.value).toBeDefined()
    expect(await write).toEqual({ status: 'applied' })
  })

  test('of a batch is about that of one command, however many chunks it has', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url, batchSize: 1 })
    await connected(store)
    server.freeze()
    const keys = Array.from({ length: 2_000 }, (_, i) => `k${i}`)
    const ms = await durationOf(async () => {
      expect((await store.getMany(keys)).failures?.size).toBe(2_000)
      expect((await store.deleteMany(keys)).failures?.size).toBe(2_000)
    })
    expect(ms).toBeLessThan(2 * BOUND_MS)
  })
})

describe('order', () => {
  test('writes of one key take effect in the order they were made, from before the connection on', async () => {
    const server = await ownServer()
    const store = patientStore({ url: server.url })
    const large = 'x'.repeat(300_000)
    for (let round = 0; round < 5; round++) {
      const writes: Promise<WriteOutcome>[] = []
      for (let i = 0; i <= 100; i++) {
        writes.push(
          i % 3 === 0
            ? // Large and small values have lanes of their own.
              store.set('k', entry(i % 2 === 0 ? i : `${i} ${large}`))
            : store.setMany(
                new Map([
                  ['k', entry(i)],
                  [`other${i}`, entry(i)],
                ]),
              ),
        )
        if (i % 10 === 9) writes.push(store.delete('k'))
        // The server's answers, and 'ready', come in between.
        if (i % 25 === 24) await new Promise(resolve => setTimeout(resolve, 2))
      }
      for (const outcome of await Promise.all(writes)) expect(outcome.status).toBe('applied')
      expect((await store.get('k'))?.value).toBe(100)
    }
  })

  test('a write that timed out does not overtake the next one of its key', async () => {
    const server = await ownServer()
    const store = patientStore({ url: server.url })
    await store.set('k', entry('first'))
    const clock = new ManualClock(Date.now())
    const impatient = openStore({ url: server.url, clock, timeouts: { write: '20ms', read: '5s' } })
    await connected(impatient)
    server.freeze()
    const late = impatient.set('k', entry('late'))
    clock.advance(20)
    expect(await late).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } })
    const next = impatient.set('k', entry('next'))
    server.thaw()
    expect(await next).toEqual({ status: 'applied' })
    expect((await store.get('k'))?.value).toBe('next')
  })

  test('a write that timed out is never sent a second time', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url })
    await connected(store)
    server.freeze()
    expect(await store.set('k', entry('late'))).toMatchObject({ error: { code: 'TIMEOUT' } })
    await server.kill()
    await eventually('noticed', () => !store.health().available)
    await server.restart()
    await connected(store)
    expect(await openClient(server.url).exists('cache:k')).toBe(0)
  })

  test('a write whose connection is down goes by another', async () => {
    const server = await ownServer()
    const store = patientStore({ url: server.url, poolSize: 4 })
    await connected(store)
    const client = openClient(server.url)
    const [, id] = /^id=(\d+)/m.exec((await client.client('LIST')) as string) ?? []
    await client.call('CLIENT', 'KILL', 'ID', String(id))
    await eventually('noticed', () => store.health().pool?.ready === 3)
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => store.set(`k${i}`, entry(i))))
    for (const outcome of outcomes) expect(outcome).toEqual({ status: 'applied' })
  })

  test('a write behind one that was lost unanswered waits for that connection, and others do not', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url, poolSize: 4, timeouts: { read: '5s', write: '5s' } })
    await connected(store)
    const admin = openClient(server.url)
    await admin.call('CLIENT', 'PAUSE', '20000', 'WRITE')
    const lost = store.set('k', entry('lost'))
    const writer = async (): Promise<string | undefined> =>
      /^id=(\d+) .* cmd=set /m.exec(String(await admin.call('CLIENT', 'LIST')))?.[1]
    await eventually('sent', async () => (await writer()) !== undefined)
    await admin.call('CLIENT', 'KILL', 'ID', String(await writer()))
    expect(await lost).toMatchObject({ status: 'failed', error: { code: 'UNAVAILABLE' } })
    const [same, other] = [store.set('k', entry('next')), store.set('other', entry('other'))]
    await admin.call('CLIENT', 'UNPAUSE')
    expect(await same).toMatchObject({ status: 'failed', error: { code: 'UNAVAILABLE' } })
    expect(await other).toEqual({ status: 'applied' })
    await connected(store)
    expect(await store.set('k', entry('last'))).toEqual({ status: 'applied' })
  })
})
