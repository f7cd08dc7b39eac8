import { once } from 'node:events'
import { eventually, RedisServer } from '@cache/test-support'
import type { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { connections } from './connect.ts'

const SILENCE_MS = 150

async function connect(): Promise<{ client: Redis; server: RedisServer }> {
  const server = await RedisServer.start()
  onTestFinished(() => {
    server.thaw()
    return server.stop()
  })
  const target = { connection: { host: '127.0.0.1', port: server.port, name: 'watched' } }
  const client = connections(target, { connectMs: 10_000, silenceMs: SILENCE_MS }).connect() as Redis
  onTestFinished(() => client.disconnect())
  client.on('error', () => {})
  await once(client, 'ready')
  return { client, server }
}

test('a connection that owes an answer for too long is given up, and what waits on it fails', async () => {
  const { client, server } = await connect()
  await client.ping()
  server.freeze()
  const asked = performance.now()
  await expect(client.ping()).rejects.toThrow()
  expect(performance.now() - asked).toBeGreaterThanOrEqual(SILENCE_MS - 5)
})

test('so is one that is frozen before it has said who it is', async () => {
  const { client, server } = await connect()
  const heard: string[] = []
  for (const event of ['connect', 'close']) client.on(event, () => heard.push(event))
  server.freeze()
  client.disconnect(true)
  await eventually('given up', () => heard.join(' ').startsWith('close connect close'))
})

test('one that owes nothing stays, however quiet, and so does one that answers slowly but does', async () => {
  const { client } = await connect()
  let closed = 0
  client.on('close', () => closed++)
  await client.ping()
  await new Promise(resolve => setTimeout(resolve, 3 * SILENCE_MS))
  const begun = performance.now()
  const slow = client.eval("redis.call('TIME') return 1", 0)
  while (performance.now() - begun < 3 * SILENCE_MS) {
    client.debug('SLEEP', String(SILENCE_MS / 3_000)).catch(() => {})
    await client.ping()
  }
  await slow
  expect(closed).toBe(0)
  await eventually('nothing more is expected', () => client.commandQueue.length === 0)
})
