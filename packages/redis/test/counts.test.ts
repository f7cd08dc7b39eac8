import type { TelemetryEvent } from '@cache/core'
import { eventually, RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCodec } from '../src/index.ts'
import { connected, entry, openStore, ownServer, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

const tierOf = (store: ReturnType<typeof openStore>) => {
  const [tier] = store.measure()
  if (!tier) throw new Error('measures nothing')
  return tier
}

test('reads are counted by what was there: single ones, batches, and those that ask for a lease', async () => {
  const store = openStore({ url: server.url, prefix: 'reads:' })
  await connected(store)
  const { hits: before = 0, misses: missesBefore = 0 } = tierOf(store)
  await store.set('a', entry(1))
  await store.get('a')
  await store.get('none')
  await store.getMany(['a', 'none', 'nor this'])
  await store.getOrLease('a', 1_000)
  await store.getOrLease('vacant', 1_000)
  const { hits = 0, misses = 0 } = tierOf(store)
  expect([hits - before, misses - missesBefore]).toEqual([3, 4])
})

test('the codec tells what it packed, what it did not, and how long the serializer took', async () => {
  const store = openStore({
    url: server.url,
    prefix: 'codec:',
    compression: { algorithm: 'gzip', threshold: 100 },
  })
  await connected(store)
  const text = 'all alike '.repeat(100)
  await store.set('large', entry(text))
  await store.set('small', entry('x'))
  await store.get('large')
  await store.get('small')
  const { codec } = tierOf(store)
  expect(codec?.compression).toEqual([
    { name: 'gzip', values: 1, bytesIn: text.length + 2, bytesOut: expect.any(Number) },
  ])
  const bytesOut = codec?.compression[0]?.bytesOut ?? 0
  expect(bytesOut).toBeGreaterThan(10)
  expect(bytesOut).toBeLessThan(200)
  expect(codec?.skipped).toEqual({ small: 1, incompressible: 0 })
  expect(codec?.serializer).toMatchObject({ name: 'json', encoded: 2, decoded: 2 })
  expect(codec?.serializer.encodeMs).toBeGreaterThan(0)
  expect(codec?.serializer.decodeMs).toBeGreaterThan(0)
})

test('what does not get smaller counts as compressed in vain, without compression nothing counts', async () => {
  const vain = openStore({
    url: server.url,
    prefix: 'vain:',
    compression: { algorithm: 'gzip', threshold: 10 },
  })
  await connected(vain)
  await vain.set('a', entry('0123456789abcdefghijkl'))
  expect(tierOf(vain).codec).toMatchObject({ compression: [], skipped: { small: 0, incompressible: 1 } })

  const plain = openStore({ url: server.url, prefix: 'plain:', compression: { algorithm: 'none' } })
  await connected(plain)
  await plain.set('a', entry('x'.repeat(5_000)))
  expect(tierOf(plain).codec).toMatchObject({ compression: [], skipped: { small: 0, incompressible: 0 } })
})

test('a codec for memory counts as well, and does not time what is decoded at a near hit', () => {
  const codec = createCodec({ compression: { algorithm: 'gzip', threshold: 10 } })
  const bytes = codec.encode('alike '.repeat(50))
  codec.decode(bytes)
  expect(codec.stats?.()).toMatchObject({
    serializer: { encoded: 1, decoded: 0, decodeMs: 0 },
    compression: [{ name: 'gzip', values: 1 }],
  })
})

test('messages are counted at both ends, and their age is told where they come from another process', async () => {
  const [here, there] = [0, 1].map(() => openStore({ url: server.url, prefix: 'bus:' }))
  if (!here || !there) throw new Error('two stores')
  await Promise.all([connected(here), connected(there)])
  const heard: TelemetryEvent[] = []
  here.observe({ event: event => void (event.type === 'invalidation' && heard.push(event)) })
  await there.set('a', entry(1))
  await there.deleteMany(['a', 'b'])
  await there.invalidateTags(['t'])
  await there.clear('x')
  await there.bus.publish({ type: 'keys', keys: ['c'] })
  await eventually('all have arrived', () => tierOf(here).messages?.received === 5)
  expect(tierOf(there).messages).toEqual({ sent: 5, received: 0 })
  expect(tierOf(here).messages).toEqual({ sent: 0, received: 5 })
  expect(heard).toHaveLength(5)
  for (const event of heard) {
    expect(event).toEqual({ type: 'invalidation', store: 'redis', lagMs: expect.any(Number) })
    if (event.type === 'invalidation') expect(event.lagMs).toBeGreaterThanOrEqual(0)
  }
})

test('batches tell how many keys they were about, single calls do not', async () => {
  // One that knew in time what was invalidated does not ask again, between these calls.
  const store = patientStore({ url: server.url, prefix: 'batches:', batchSize: 10 })
  await connected(store)
  const heard: TelemetryEvent[] = []
  store.observe({ event: event => void heard.push(event) })
  const keys = Array.from({ length: 15 }, (_, i) => `k${i}`)
  await store.setMany(new Map(keys.map(key => [key, entry(key)])))
  await store.getMany(keys)
  await store.deleteMany(keys)
  await store.set('one', entry(1))
  await store.get('one')
  const told = heard.flatMap(event => (event.type === 'remote' ? [[event.operation, event.keys]] : []))
  // Chunks of a batch are answered in any order.
  expect(told.slice(0, 2).sort()).toEqual([['setMany', 10], ['setMany', 5]]) // biome-ignore format: a line each
  expect(told.slice(2, 4).sort()).toEqual([['getMany', 10], ['getMany', 5]]) // biome-ignore format: a line each
  expect(told.slice(4, 6).sort()).toEqual([['deleteMany', 10], ['deleteMany', 5]]) // biome-ignore format: a line each
  expect(told.slice(6)).toEqual([['set', undefined], ['get', undefined]]) // biome-ignore format: a line each
})

test('commands that wait for their connection are counted, and their wait is', async () => {
  const store = openStore({ url: server.url, prefix: 'wait:', poolSize: 1 })
  const first = store.get('a')
  expect(store.health().pool?.waiting).toBeGreaterThan(0)
  expect(store.health().pool?.waitedMs).toBe(0)
  await first
  const { waiting, waitedMs = 0 } = store.health().pool ?? {}
  expect(waiting).toBe(0)
  expect(waitedMs).toBeGreaterThan(0)
  await store.get('a')
  expect(store.health().pool?.waitedMs).toBe(waitedMs)
})

test('the time without a connection adds up, from when it was lost', async () => {
  const own = await ownServer()
  const store = openStore({ url: own.url, poolSize: 2 })
  await connected(store)
  expect(store.health().outageMs).toBe(0)
  await own.kill()
  await eventually('it knows', () => !store.health().available)
  await eventually('it counts', () => (store.health().outageMs ?? 0) > 50)
  await own.restart()
  await eventually('it is back', () => store.health().available)
  const { outageMs } = store.health()
  await new Promise(resolve => setTimeout(resolve, 5))
  expect(store.health().outageMs).toBe(outageMs)
})
