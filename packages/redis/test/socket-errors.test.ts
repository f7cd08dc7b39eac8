import { once } from 'node:events'
import { RedisServer } from '@cache/test-support'
import type { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { connections } from '../src/connect.ts'

test('a socket that fails twice does not end the process', async () => {
  const server = await RedisServer.start()
  onTestFinished(() => server.stop())
  const client = connections({ url: server.url }, { connectMs: 500, silenceMs: 750 }).connect() as Redis
  onTestFinished(() => client.disconnect())
  const heard: unknown[] = []
  client.on('error', error => heard.push(error))
  await once(client, 'ready')
  const { stream } = client
  stream.emit('error', new Error('first'))
  expect(() => stream.emit('error', new Error('second'))).not.toThrow()
  expect(heard).toHaveLength(1)
})
