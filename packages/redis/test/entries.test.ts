import { ManualClock } from '@cache/core'
import { RedisServer } from '@cache/test-support'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect, connected, entry, eventsOf, openClient, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

describe('an entry', () => {
  test('comes back as it was written, whatever JSON it is', async () => {
    const store = patientStore({ url: server.url, prefix: 'json:' })
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async value => {
        // What could pollute a prototype is refused.
        fc.pre(!JSON.stringify(value).includes('"__proto__"'))
        const written = entry(value)
        expect(await store.set('k', written)).toEqual({ status: 'applied' })
        expect(await store.get('k')).toEqual({ ...written, value: JSON.parse(JSON.stringify(value)) })
      }),
      { numRuns: 300 },
    )
  })

  test('of several megabytes travels whole', async () => {
    const store = patientStore({ url: server.url, timeouts: { read: '2s', write: '2s' } })
    const value = Array.from({ length: 50_000 }, (_, i) => `${Math.sin(i)} and ${Math.cos(i)}`)
    expect(await store.set('large', entry(value))).toEqual({ status: 'applied' })
    expect((await store.get('large'))?.value).toEqual(value)
  })
})

describe('time', () => {
  test('Redis itself forgets an entry when it expires', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    await store.set('ttl', entry(1, 5_000))
    await store.setMany(new Map([['ttl2', entry(1, 7_000)]]))
    for (const [key, ttl] of [
      ['ttl', 5_000],
      ['ttl2', 7_000],
    ] as const) {
      const left = await client.pttl(`cache:${key}`)
      expect(left).toBeGreaterThan(ttl - 2_000)
      expect(left).toBeLessThanOrEqual(ttl)
    }
  })

  test('an entry is not returned at or after its expiry, even while Redis has it', async () => {
    const clock = new ManualClock()
    const store = patientStore({ url: server.url, clock })
    const now = clock.now()
    await store.set('short', { value: 1, createdAt: now, freshUntil: now + 10, expiresAt: now + 1_000_000 })
    clock.advance(999_999)
    expect((await store.get('short'))?.value).toBe(1)
    clock.advance(1)
    expect(await store.get('short')).toBeUndefined()
    expect((await store.getMany(['short'])).found.size).toBe(0)
  })

  test('an entry that never expires can be kept', async () => {
    const store = patientStore({ url: server.url })
    const eternal = { ...entry(1), freshUntil: Number.POSITIVE_INFINITY, expiresAt: Number.POSITIVE_INFINITY }
    expect(await store.set('eternal', eternal)).toEqual({ status: 'applied' })
    expect(await store.get('eternal')).toEqual(eternal)
  })

  test('to write an entry that is over already removes what was there', async () => {
    const store = patientStore({ url: server.url })
    for (const write of [
      () => store.set('over', entry(2, -1)),
      () => store.setMany(new Map([['over', entry(2, 0)]])),
      () => store.touch('over', 0, Date.now()),
    ]) {
      await store.set('over', entry(1))
      expect(await write()).toEqual({ status: 'applied' })
      expect(await store.get('over')).toBeUndefined()
    }
  })

  test('a touch moves the times of an entry, and what Redis knows of them', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    const written = entry({ a: 1 }, 5_000)
    await store.set('touched', written)
    const [freshUntil, expiresAt] = [Date.now() + 50_000, Date.now() + 100_000]
    expect(await store.touch('touched', freshUntil, expiresAt)).toEqual({ status: 'applied' })
    expect(await store.get('touched')).toEqual({ ...written, freshUntil, expiresAt })
    expect(await client.pttl('cache:touched')).toBeGreaterThan(90_000)
  })

  test('a touch never creates an entry, nor changes what is not one', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    await store.touch('untouched', Date.now() + 1_000, Date.now() + 1_000)
    expect(await client.exists('cache:untouched')).toBe(0)
    await client.set('cache:foreign', 'x'.repeat(100))
    await store.touch('foreign', Date.now() + 1_000, Date.now() + 1_000)
    expect(await client.get('cache:foreign')).toBe('x'.repeat(100))
    expect(await client.pttl('cache:foreign')).toBe(-1)
  })
})

describe('what cannot be stored', () => {
  test('is refused before anything is written', async () => {
    const store = patientStore({ url: server.url, prefix: 'refused:' })
    const refusal = expect.objectContaining({ code: 'SERIALIZATION' })
    const bad = entry(() => 1)
    const good = entry(1)
    const both = new Map([
      ['a', good],
      ['b', bad],
    ])
    expect(() => store.check('k', bad)).toThrow(refusal)
    expect(() => store.set('k', bad)).toThrow(refusal)
    expect(() => store.setMany(both)).toThrow(refusal)
    expect(await collect(store.keys())).toEqual([])
  })

  test('is refused when it is too large', () => {
    const store = patientStore({ url: server.url, limits: { maxValueBytes: 10 } })
    const refusal = expect.objectContaining({ code: 'INVALID_VALUE' })
    expect(() => store.set('k', entry('123456789'))).toThrow(refusal)
    expect(() => store.check('k', entry('123456789'))).toThrow(refusal)
  })
})

describe('bytes that are not ours', () => {
  test('are a miss and an event, alone and in a batch', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    const events = eventsOf(store)
    await client.set('cache:text', 'hello')
    await client.lpush('cache:list', 'hello')
    await store.set('ours', entry(1))
    expect(await store.get('text')).toBeUndefined()
    expect(await store.get('list')).toBeUndefined()
    const { found, failures } = await store.getMany(['text', 'ours', 'list'])
    expect([...found.keys()]).toEqual(['ours'])
    expect(failures).toBeUndefined()
    expect(
      events.flatMap(event => (event.type === 'error' ? [[event.operation, event.error.code]] : [])),
    ).toEqual([
      ['get', 'CORRUPT'],
      ['get', 'CORRUPT'],
      ['getMany', 'CORRUPT'],
    ])
  })

  test('do not stop a write from taking their place', async () => {
    const [store, client] = [patientStore({ url: server.url }), openClient(server.url)]
    await client.lpush('cache:taken', 'hello')
    expect(await store.set('taken', entry(1))).toEqual({ status: 'applied' })
    expect((await store.get('taken'))?.value).toBe(1)
  })
})

describe('telemetry', () => {
  test('tells every command with its operation and duration', async () => {
    const store = patientStore({ url: server.url })
    await connected(store)
    const events = eventsOf(store)
    await store.set('k', entry(1))
    await store.get('k')
    await store.getMany(['k'])
    await store.setMany(new Map([['k', entry(1)]]))
    await store.touch('k', Date.now() + 1_000, Date.now() + 1_000)
    await store.deleteMany(['k'])
    await store.delete('k')
    expect(events).toEqual(
      ['set', 'get', 'getMany', 'setMany', 'touch', 'deleteMany', 'delete'].map(operation => ({
        type: 'remote',
        store: 'redis',
        operation,
        outcome: 'ok',
        durationMs: expect.any(Number),
        ...(operation.endsWith('Many') && { keys: 1 }),
      })),
    )
  })

  test('that throws breaks nothing, and stops when asked to', async () => {
    const store = patientStore({ url: server.url })
    await connected(store)
    let heard = 0
    const stop = store.observe({
      event() {
        heard++
        throw new Error('a faulty observer')
      },
    })
    await store.set('k', entry(1))
    expect(heard).toBe(1)
    stop()
    await store.set('k', entry(1))
    expect(heard).toBe(1)
  })
})
