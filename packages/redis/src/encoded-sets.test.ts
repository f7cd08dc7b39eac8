import { eventually, RedisServer } from '@cache/test-support'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { addEncodedSets } from './encoded-sets.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

function connect(options: { readonly username?: string; readonly password?: string } = {}): Redis {
  const client = new Redis({ port: server.port, ...options })
  onTestFinished(() => client.disconnect())
  return client
}

const sets = (...keys: string[]) =>
  keys.map((key, i) => ({ key, bytes: Buffer.from([0, 255, 13, 10, i]), ttlMs: 60_000 + i }))

test('what is written is what the client would have written, byte for byte', async () => {
  const client = connect()
  const keys = ['plain', 'ümlaut 🚀', 'line\r\nbreak', '$5']
  const written = [...sets(...keys), { key: 'empty', bytes: Buffer.alloc(0), ttlMs: 1_000_000 }]
  const pipeline = client.pipeline()
  expect(addEncodedSets(pipeline, written)).toBe(true)
  pipeline.get('plain')
  const results = (await pipeline.exec()) ?? []
  expect(results.slice(0, -1).map(String)).toEqual(written.map(() => ',OK'))
  expect(results).toHaveLength(written.length + 1)
  for (const { key, bytes, ttlMs } of written) {
    expect(await client.getBuffer(key)).toEqual(bytes)
    const left = await client.pttl(key)
    expect(left).toBeGreaterThan(ttlMs - 60_000)
    expect(left).toBeLessThanOrEqual(ttlMs)
  }
})

test('each one has its own answer', async () => {
  const admin = connect()
  await admin.call('ACL', 'SETUSER', 'guest', 'on', '>secret', '~mine:*', '+@all')
  const guest = connect({ username: 'guest', password: 'secret' })
  await eventually('ready', () => guest.status === 'ready')
  const pipeline = guest.pipeline()
  addEncodedSets(pipeline, sets('mine:1', 'theirs', 'mine:2'))
  const results = (await pipeline.exec()) ?? []
  expect(results.map(([error]) => error?.message.slice(0, 6))).toEqual([undefined, 'NOPERM', undefined])
  expect(await admin.exists('mine:1', 'theirs', 'mine:2')).toBe(2)
})

test('those of a connection that is lost all fail', async () => {
  const client = connect()
  client.on('error', () => {})
  await client.ping()
  const admin = connect()
  await admin.call('CLIENT', 'PAUSE', '10000', 'WRITE')
  const pipeline = client.pipeline()
  addEncodedSets(pipeline, sets('lost:1', 'lost:2'))
  const results = pipeline.exec()
  client.disconnect()
  expect((await results)?.map(([error]) => error instanceof Error)).toEqual([true, true])
  await admin.call('CLIENT', 'UNPAUSE')
})

test('a pipeline of another client is left alone', () => {
  const pipeline = { set: expect.unreachable, sendCommand: expect.unreachable }
  expect(addEncodedSets(pipeline, sets('k'))).toBe(false)
})
