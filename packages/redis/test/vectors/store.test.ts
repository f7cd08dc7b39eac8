import { type Entry, systemClock, type TelemetryEvent } from '@cache/core'
import { RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lz4 } from '../../src/compressors/lz4.ts'
import { snappy } from '../../src/compressors/snappy.ts'
import { isPlaceholder } from '../../src/envelope.ts'
import { devalue } from '../../src/serializers/devalue.ts'
import { msgpack } from '../../src/serializers/msgpack.ts'
import { v8 } from '../../src/serializers/v8.ts'
import { entry, eventsOf, openClient, patientStore } from '../support.ts'
import { untag } from './tagged.ts'
import { bytesOf, DICTIONARIES, isReadHere, VECTORS } from './vectors.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

/** Before the entries of the vectors expire. */
const clock = { ...systemClock, now: () => 1_767_225_600_000 }

function errorsAmong(events: readonly TelemetryEvent[]): readonly string[] {
  return events.flatMap(event => (event.type === 'error' ? [event.error.code] : []))
}

test('a store finds every vector that is an entry; the others are a miss and an event each', async () => {
  const store = patientStore({
    url: server.url,
    clock,
    reads: [v8, msgpack, devalue],
    compression: { reads: [lz4, snappy, ...DICTIONARIES] },
  })
  const client = openClient(server.url)
  for (const vector of VECTORS) await client.set(`cache:${vector.name}`, bytesOf(vector))
  const events = eventsOf(store)
  let corrupt = 0
  for (const vector of VECTORS) {
    const entry = isReadHere(vector) && vector.entry ? (untag(vector.entry) as Entry) : undefined
    // Tags that nobody marked.
    expect(await store.get(vector.name), vector.name).toEqual(entry?.tags?.length ? undefined : entry)
    if (!entry && !isPlaceholder(bytesOf(vector))) corrupt++
  }
  expect(errorsAmong(events)).toEqual(Array(corrupt).fill('CORRUPT'))
  expect('polluted' in {}).toBe(false)
})

test('stores of different serializers and compressors understand each other if told so', async () => {
  const url = server.url
  const value = { at: new Date(5), ids: new Map([[1n, 'x'.repeat(2_000)]]) }
  const writing = patientStore({ url, prefix: 'two:', serializer: devalue, compression: { algorithm: lz4 } })
  expect(await writing.set('k', entry(value))).toEqual({ status: 'applied' })
  const told = patientStore({ url, prefix: 'two:', reads: [devalue], compression: { reads: [lz4] } })
  expect((await told.get('k'))?.value).toEqual(value)
  const untold = patientStore({ url, prefix: 'two:' })
  const events = eventsOf(untold)
  expect(await untold.get('k')).toBeUndefined()
  expect(errorsAmong(events)).toEqual(['CORRUPT'])
})

test('a polluted value is refused before anything is sent', async () => {
  const store = patientStore({ url: server.url, prefix: 'polluted:' })
  const client = openClient(server.url)
  const polluted: unknown = JSON.parse('{"a":[{"__proto__":{"polluted":true}}]}')
  const write = async (): Promise<unknown> => store.set('k', entry(polluted))
  await expect(write()).rejects.toMatchObject({ code: 'SERIALIZATION' })
  expect(await client.exists('polluted:k')).toBe(0)
})
