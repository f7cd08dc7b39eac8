import { EventEmitter } from 'node:events'
import { type Entry, ManualClock, type TelemetryEvent } from '@cache/core'
import { Keyv as Keyv5 } from 'keyv'
import { Keyv as Keyv6 } from 'keyv-6'
import { expect, test } from 'vitest'
import { type KeyvStorage, KeyvStore } from '../src/index.ts'

/** The plainest storage: the four methods, without expiry. */
class PlainStorage extends EventEmitter implements KeyvStorage {
  readonly texts: Map<string, unknown> = new Map()
  readonly ttls: (number | undefined)[] = []

  async get(key: string): Promise<unknown> {
    return this.texts.get(key)
  }
  async set(key: string, text: unknown, ttl?: number): Promise<void> {
    this.ttls.push(ttl)
    this.texts.set(key, text)
  }
  async delete(key: string): Promise<boolean> {
    return this.texts.delete(key)
  }
  async clear(): Promise<void> {
    this.texts.clear()
  }
}

const clock = new ManualClock()
const entry = (value: unknown, ttlMs = 60_000): Entry => {
  const createdAt = clock.now()
  return { value, createdAt, freshUntil: createdAt + ttlMs, expiresAt: createdAt + ttlMs }
}
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('a storage of Keyv 5 is told how long, one of Keyv 6 until when', async () => {
  const storage = new PlainStorage()
  await new KeyvStore({ storage, clock }).set('k', entry(1, 5_000))
  const capable = Object.assign(new PlainStorage(), { capabilities: { expires: true } })
  await new KeyvStore({ storage: capable, clock }).set('k', entry(1, 5_000))
  await new KeyvStore({ storage: capable, clock }).set('k', entry(1, Number.POSITIVE_INFINITY))
  expect([storage.ttls, capable.ttls]).toEqual([[5_000], [clock.now() + 5_000, undefined]])
})

test('what is over is removed from a storage that does not do that itself, unless it was written again', async () => {
  const storage = new PlainStorage()
  const store = new KeyvStore({ storage, clock })
  await store.set('k', entry(1, 10))
  await store.set('l', entry(1, 10))
  clock.advance(10)
  const read = store.get('l')
  await store.set('l', entry(2))
  expect([await store.get('k'), await read]).toEqual([undefined, undefined])
  await settled()
  expect([...storage.texts.keys()]).toEqual(['cache:l'])
  expect((await store.get('l'))?.value).toBe(2)
})

test('a failure that a storage tells by an event only is one', async () => {
  const storage = new PlainStorage()
  const store = new KeyvStore({ storage, clock })
  await store.set('k', entry(1))
  const silent = async (): Promise<undefined> => {
    storage.emit('error', new Error('away'))
    return undefined
  }
  Object.assign(storage, { get: silent, set: silent, delete: silent, clear: silent })
  await expect(store.get('k')).rejects.toMatchObject({ code: 'STORE' })
  await expect(store.getMany(['k'])).rejects.toMatchObject({ code: 'STORE' })
  for (const outcome of [await store.set('k', entry(1)), await store.delete('k'), await store.clear()])
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'STORE' } })
})

test('a storage that hangs costs its deadline, and later writes of the key wait behind the one that hangs', async () => {
  const storage = new PlainStorage()
  const store = new KeyvStore({ storage, clock, timeouts: { read: '50ms', write: '80ms' } })
  const { promise, resolve } = Promise.withResolvers<void>()
  const { set } = storage
  let calls = 0
  storage.set = async (...args) => {
    if (calls++ === 0) await promise
    return set.apply(storage, args)
  }
  storage.get = () => new Promise(() => {})
  const [read, first, second] = [
    store.get('k').catch(error => error),
    store.set('k', entry(1)),
    store.set('k', entry(2)),
  ]
  clock.advance(50)
  expect(await read).toMatchObject({ code: 'TIMEOUT' })
  await settled()
  clock.advance(80)
  for (const outcome of [await first, await second])
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } })
  expect(calls).toBe(1)
  resolve()
  await settled()
  expect(String(storage.texts.get('cache:k'))).toContain('"v":2')
  expect(clock.pending).toBe(0)
})

test('without a list of keys a scope is cleared with everything', async () => {
  const storage = new PlainStorage()
  const store = new KeyvStore({ storage, clock })
  await store.set('a:1', entry(1))
  await store.set('b:1', entry(1))
  expect(await store.clear('a:')).toEqual({ status: 'applied' })
  expect(storage.texts.size).toBe(0)
})

test.each([
  ['as they were given', ''],
  ['without the namespace', 'cache:'],
])('a scope is cleared alone over a storage that lists keys %s', async (_how, left) => {
  const storage = Object.assign(new PlainStorage(), {
    async *iterator(): AsyncGenerator<[string, unknown]> {
      for (const [key, text] of storage.texts) yield [key.slice(left.length), text]
    },
  })
  const store = new KeyvStore({ storage, clock })
  // One of them begins as the namespace of the store does.
  const scopes = ['a:', 'b:', 'cache:']
  for (const scope of scopes) await store.set(`${scope}1`, entry(1))
  for (const [i, scope] of scopes.entries()) {
    expect(await store.clear(scope)).toEqual({ status: 'applied' })
    expect([...storage.texts.keys()]).toEqual(scopes.slice(i + 1).map(rest => `cache:${rest}1`))
  }
})

test.each([
  'text',
  '{',
  '[]',
  '{"v":1}',
  '{"v":1,"c":"x"}',
  '{"v":{"__proto__":1},"c":1}',
  '{"v":1,"c":1,"t":[1]}',
  '{"v":1,"c":1,"m":1}',
  7,
])('what is stored and no entry, %j, is a failed read and not a value', async foreign => {
  const storage = new PlainStorage()
  storage.texts.set('cache:k', foreign)
  const store = new KeyvStore({ storage, clock })
  await store.set('good', entry(1))
  await expect(store.get('k')).rejects.toMatchObject({ code: 'CORRUPT' })
  const { found, failures } = await store.getMany(['k', 'good', 'missing'])
  expect([[...found.keys()], [...(failures?.keys() ?? [])]]).toEqual([['good'], ['k']])
})

test('close waits for writes, disconnects once, and tells what failed in it', async () => {
  let disconnected = 0
  const disconnect = async (): Promise<void> => {
    disconnected++
    throw new Error('away')
  }
  const storage = Object.assign(new PlainStorage(), { disconnect })
  const store = new KeyvStore({ storage, clock })
  const events: TelemetryEvent[] = []
  store.observe({ event: event => events.push(event) })
  const written = store.set('k', entry(1))
  await store.close()
  await store.close()
  expect([await written, disconnected, storage.texts.size]).toEqual([{ status: 'applied' }, 1, 1])
  expect(events).toMatchObject([{ type: 'error', store: 'keyv', operation: 'close' }])
  await expect(store.get('k')).rejects.toMatchObject({ code: 'CLOSED' })
})

test.each([
  [{ storage: new Keyv5() }, /not a Keyv over it/],
  [{ storage: new Keyv6() }, /not a Keyv over it/],
  [{ storage: {} }, /storage must be a Keyv storage adapter \(get, set, delete, clear\)/],
  [{ storage: null }, /storage must be a Keyv storage adapter/],
  [{ storage: new PlainStorage(), namespace: 'A_b' }, /namespace must be 1 to 64 lower-case letters/],
  [{ storage: new PlainStorage(), timeouts: { read: 0 } }, /timeouts\.read must be/],
])('options that cannot work are refused by name', (options, message) => {
  expect(() => new KeyvStore(options as never)).toThrow(message)
})
