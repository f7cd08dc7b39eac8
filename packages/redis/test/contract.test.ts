import { type Fault, storeCases } from '@cache/conformance'
import { testBus, testCases, testCodec, testStore } from '@cache/conformance/vitest'
import { systemClock } from '@cache/core'
import { type ProxyMode, RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, beforeAll } from 'vitest'
import { type BusMode, createCodec, json, RedisBus, RedisStore, v8 } from '../src/index.ts'
import { devalue } from '../src/serializers/devalue.ts'
import { msgpack } from '../src/serializers/msgpack.ts'
import { connected } from './support.ts'

let server: RedisServer
let proxy: TcpProxy
beforeAll(async () => {
  server = await RedisServer.start()
  proxy = await TcpProxy.start(server.port)
})
afterAll(async () => {
  await proxy.stop()
  await server.stop()
})

/** For cases that are not about time: a busy machine must not make them fail. */
const patient = { read: '10s', write: '10s', connect: '10s' } as const

for (const bus of ['pubsub', 'tracking'] as const satisfies BusMode[]) {
  testStore(`RedisStore: ${bus}`, {
    open: ({ space }) => new RedisStore({ url: server.url, prefix: `${space}:`, timeouts: patient, bus }),
    shared: true,
    capabilities: [
      'batching',
      'checking',
      'coherent',
      'enumerable',
      'health',
      'leasing',
      'marking',
      'measurable',
      'observed',
      'replacing',
      'tagging',
      'touching',
    ],
  })
}

/** Through a proxy that can fail. */
const failing = (mode: ProxyMode): Fault => ({
  name: mode,
  begin: () => {
    proxy.mode = mode
  },
  end: () => {
    proxy.mode = 'forward'
  },
  boundMs: 4_000,
})

const behindProxy = storeCases({
  open: async ({ space }) => {
    const store = new RedisStore({
      url: proxy.url,
      prefix: `${space}:`,
      timeouts: { read: '1s', write: '1s' },
    })
    await connected(store)
    return store
  },
  faults: [failing('blackhole'), failing('refuse')],
})
testCases(
  'RedisStore: a network that fails',
  behindProxy.filter(({ group }) => group.startsWith('faults')),
)

for (const mode of ['pubsub', 'tracking'] as const satisfies BusMode[]) {
  const { begin, end } = failing('refuse')
  testBus(`RedisBus: ${mode}`, {
    open: space => new RedisBus({ url: proxy.url, prefix: `${space}:`, mode, timeouts: patient }),
    breaks: {
      begin: space => begin({ space, clock: systemClock }),
      end: space => end({ space, clock: systemClock }),
    },
  })
}

const DATE = { 'a Date': new Date(1_700_000_000_000) }
const BYTES = { bytes: new Uint8Array([0, 1, 255]) }
const RICH = {
  ...DATE,
  'a Map': new Map([['a', { b: 1 }]]),
  'a Set': new Set([1, 'a']),
  'a BigInt': 12n,
  undefined,
}

testCodec('the codec', createCodec())
testCodec('the codec of devalue', { ...createCodec({ serializer: devalue }), keeps: RICH })
testCodec('json', { ...json, wrapsErrors: false })
testCodec('msgpack', { ...msgpack, wrapsErrors: false, keeps: { ...DATE, ...BYTES } })
testCodec('devalue', { ...devalue, wrapsErrors: false, keeps: RICH })
testCodec('v8', { ...v8, wrapsErrors: false, untrusted: false, keeps: RICH })
