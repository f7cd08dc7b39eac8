import { RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connected, entry, eventsOf, openClient, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i}`)
/** No two of them live equally long, so that each is written by a command of its own, whatever the server has. */
const entriesOf = (keys: readonly string[]) => new Map(keys.map((key, i) => [key, entry(i, 60_000 + i)]))

/** A server-side user that may touch `open*` entries and the store's own keys only, and a store that logs in as it. */
async function limitedStore(prefix: string, channels = '&*') {
  const client = openClient(server.url)
  const keys = [`~${prefix}open*`, `~${prefix}?{order}*`] // An ACL cannot say the byte 0.
  await client.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', ...keys, channels, '+@all')
  return patientStore({ url: `redis://app:pw@127.0.0.1:${server.port}`, prefix, batchSize: 2 })
}

describe('a batch', () => {
  test.each([1, 7, 100, 1_000])(
    'of 1,000 keys is written, read and removed in chunks of %i',
    async batchSize => {
      const store = patientStore({ url: server.url, prefix: `b${batchSize}:`, batchSize })
      const entries = entriesOf(keysOf(1_000))
      expect(await store.setMany(entries)).toEqual({ status: 'applied' })
      const reversed = [...entries.keys()].reverse()
      const { found, failures } = await store.getMany(['missing', ...reversed, 'missing too'])
      expect([...found.keys()]).toEqual(reversed)
      expect(found).toEqual(entries)
      expect(failures).toBeUndefined()
      expect(await store.deleteMany(reversed)).toEqual({ status: 'applied' })
      expect((await store.getMany(reversed)).found.size).toBe(0)
    },
  )

  test('of nothing is nothing', async () => {
    const store = patientStore({ url: server.url })
    await connected(store)
    const events = eventsOf(store)
    expect(await store.setMany(new Map())).toEqual({ status: 'applied' })
    expect(await store.deleteMany([])).toEqual({ status: 'applied' })
    expect((await store.getMany([])).found.size).toBe(0)
    expect(events).toEqual([])
  })

  test('reads as many commands as it has chunks', async () => {
    const store = patientStore({ url: server.url, batchSize: 10 })
    await connected(store)
    const events = eventsOf(store)
    await store.getMany(keysOf(95))
    expect(events.map(event => event.type === 'remote' && event.operation)).toEqual(Array(10).fill('getMany'))
  })

  test('announces every key it wrote or removed', async () => {
    const store = patientStore({ url: server.url, prefix: 'told:', batchSize: 7 })
    const client = openClient(server.url)
    const told: string[] = []
    await client.subscribe('told:invalidate')
    client.on('message', (_channel, message) => told.push(...JSON.parse(message).keys))
    const keys = keysOf(100)
    await store.setMany(entriesOf(keys))
    await store.deleteMany(keys)
    await client.ping()
    expect(told.sort()).toEqual([...keys, ...keys].sort())
  })
})

describe('a batch of which Redis refuses a part', () => {
  test('finds the others, and says which keys it could not ask for', async () => {
    const store = await limitedStore('r:')
    await store.setMany(entriesOf(['open1', 'open2', 'open3']))
    const { found, failures } = await store.getMany(['open1', 'open2', 'shut', 'open3'])
    expect([...found.keys()]).toEqual(['open1', 'open2'])
    expect([...(failures ?? [])].map(([key, error]) => [key, error.code])).toEqual([
      ['shut', 'CONFIGURATION'],
      ['open3', 'CONFIGURATION'],
    ])
  })

  test('writes the others, and is partial', async () => {
    const store = await limitedStore('w:')
    const keys = ['open1', 'shut1', 'open2', 'shut2']
    for (const outcome of [await store.setMany(entriesOf(keys)), await store.deleteMany(keys)]) {
      expect(outcome).toMatchObject({ status: 'partial', error: { code: 'CONFIGURATION' } })
      expect([...(outcome.failures?.keys() ?? [])].sort()).toEqual(['shut1', 'shut2'])
    }
    expect(await store.setMany(entriesOf(['shut1']))).toMatchObject({ status: 'failed' })
    expect(await store.set('shut1', entry(1))).toMatchObject({ status: 'failed' })
    expect(await store.touch('shut1', 1, Date.now() + 9)).toMatchObject({ status: 'failed' })
  })

  test('is partial if it was written but could not be announced', async () => {
    const store = await limitedStore('a:', 'resetchannels')
    for (const outcome of [await store.set('open1', entry(1)), await store.setMany(entriesOf(['open1']))]) {
      expect(outcome).toMatchObject({ status: 'partial', error: { code: 'CONFIGURATION' } })
      expect([...(outcome.failures?.keys() ?? [])]).toEqual(['open1'])
    }
    expect((await store.get('open1'))?.value).toBe(0)
    expect(await store.clear()).toMatchObject({ status: 'partial' })
    expect(await store.get('open1')).toBeUndefined()
  })
})

test('a server out of memory refuses writes and goes on reading', async () => {
  const full = await RedisServer.start()
  try {
    const store = patientStore({ url: full.url })
    await store.set('k', entry(1))
    await openClient(full.url).config('SET', 'maxmemory', '1')
    expect(await store.set('k', entry(2))).toMatchObject({ status: 'failed', error: { code: 'STORE' } })
    expect((await store.get('k'))?.value).toBe(1)
    expect(await store.delete('k')).toEqual({ status: 'applied' })
  } finally {
    await full.stop()
  }
})
