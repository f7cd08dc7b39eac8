import { testStore } from '@cache/conformance/vitest'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { eventually, RedisServer } from '@cache/test-support'
import { afterAll, beforeAll } from 'vitest'
import { TieredStore } from '../src/index.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

/** For cases that are not about time: a busy machine must not make them fail. */
const patient = { read: '10s', write: '10s', connect: '10s' } as const

testStore('TieredStore: memory over Redis', {
  open: async ({ space }) => {
    const l2 = new RedisStore({ url: server.url, prefix: `${space}:`, poolSize: 2, timeouts: patient })
    const store = new TieredStore({ l1: new MemoryStore(), l2, timeouts: { read: '10s', write: '10s' } })
    await eventually('coherent', () => store.health().state === 'coherent')
    return store
  },
  capabilities: [
    'batching',
    'checking',
    'coherent',
    'health',
    'leasing',
    'measurable',
    'near',
    'observed',
    'tagging',
    'touching',
  ],
})

testStore('TieredStore: memory over memory', {
  open: ({ clock }) =>
    new TieredStore({ l1: new MemoryStore({ clock }), l2: new MemoryStore({ clock }), clock, bus: false }),
  clock: 'manual',
})
