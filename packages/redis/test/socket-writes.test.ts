import { RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import { connected, entry, openClient, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

const KEYS = Array.from({ length: 100 }, (_, i) => `k:${i}`)

const CALLS: readonly (readonly [string, number, (store: RedisStore) => Promise<unknown>])[] = [
  ['a hit', 1, store => store.get('there')],
  ['a batch of reads', 1, store => store.getMany(KEYS)],
  ['a write', 1, store => store.set('k', entry('v'))],
  ['a batch of writes', 1, store => store.setMany(new Map(KEYS.map(key => [key, entry(key)])))],
  ['a batch of removals', 1, store => store.deleteMany(KEYS)],
  [
    'a miss, loaded and stored',
    2,
    async store => {
      const read = await store.getOrLease('missing', 10_000)
      if (!read || !('vacant' in read)) throw new Error('it is there')
      return store.fill('missing', entry('v'), read.lease)
    },
  ],
]

test.each(CALLS)(
  '%s is written to the socket in one piece for each round trip: %d',
  async (_, pieces, call) => {
    const client = openClient(server.url)
    const store = patientStore({ client, prefix: `pieces:${Math.random()}:` })
    await connected(store)
    await store.set('there', entry('v'))
    const warmUp = await store.getOrLease('warm-up', 10_000)
    // The server may not know the script yet.
    if (warmUp && 'vacant' in warmUp) await store.fill('warm-up', entry('v'), warmUp.lease)
    const write = vi.spyOn(client.stream, 'write')
    await call(store)
    expect(write).toHaveBeenCalledTimes(pieces)
  },
)

test('what a store announces comes back over its bus with its keys', async () => {
  const store = patientStore({ url: server.url, prefix: 'echo:' })
  await connected(store)
  const heard: unknown[] = []
  store.bus.subscribe(message => heard.push(message.type === 'keys' && [message.source, message.keys]))
  const other = patientStore({ url: server.url, prefix: 'echo:' })
  await connected(other)
  await store.setMany(
    new Map([
      ['a', entry(1)],
      ['ü', entry(2)],
    ]),
  )
  await other.delete('b')
  await expect
    .poll(() => heard)
    .toEqual([
      [store.bus.id, ['a', 'ü']],
      [other.bus.id, ['b']],
    ])
})
