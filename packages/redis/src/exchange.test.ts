import { eventually, RedisServer, ToxicProxy } from '@cache/test-support'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { exchange, exchangeAll, type Told, takesBytes } from './exchange.ts'
import type { RedisLike } from './redis-like.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

interface Options {
  readonly port?: number
  readonly username?: string
  readonly password?: string
  readonly keyPrefix?: string
  readonly commandTimeout?: number
  readonly enableAutoPipelining?: boolean
  readonly enableOfflineQueue?: boolean
  readonly maxRetriesPerRequest?: number
  readonly retryStrategy?: () => number | null
}

function connect(options: Options = {}): Redis {
  const client = new Redis({ port: server.port, ...options })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

const set = (key: string, value: string | Buffer): Told => [key, ['set', key, value, 'PX', 60_000]]

test('a reply comes as it is: bytes, nothing, a number, a list', async () => {
  const client = connect()
  const bytes = Buffer.from([0, 255, 13, 10])
  expect(await exchange(client, 'k', ['set', 'k', bytes, 'PX', 1_000_000])).toEqual(Buffer.from('OK'))
  expect(await exchange(client, 'k', ['get', 'k'])).toEqual(bytes)
  expect(await exchange(client, 'none', ['get', 'none'])).toBeNull()
  expect(await exchange(client, 'k', ['pttl', 'k'])).toBeGreaterThan(900_000)
  expect(await exchange(client, 'k', ['mget', 'k', 'none'])).toEqual([bytes, null])
})

test('commands told at the same time, in either way, get each its own reply', async () => {
  const client = connect()
  const replies = await Promise.all([
    client.set('a', '1'),
    exchange(client, 'a', ['get', 'a']),
    exchangeAll(client, [set('b', '2'), set('c', '3')]),
    client.get('b'),
    exchange(client, 'c', ['get', 'c']),
  ])
  expect(replies).toEqual(['OK', Buffer.from('1'), undefined, '2', Buffer.from('3')])
})

test('what Redis refuses is an error, of that one command', async () => {
  const admin = connect()
  await admin.call('ACL', 'SETUSER', 'guest', 'on', '>secret', '~mine:*', '+@all')
  const guest = connect({ username: 'guest', password: 'secret' })
  await eventually('ready', () => guest.status === 'ready')
  await expect(exchange(guest, 'theirs', ['get', 'theirs'])).rejects.toThrow(/^NOPERM/)
  const errors = await exchangeAll(guest, [set('mine:1', ''), set('theirs', ''), set('mine:2', '')])
  expect(errors?.map(error => error?.message.slice(0, 6))).toEqual([undefined, 'NOPERM', undefined])
  expect(await admin.exists('mine:1', 'theirs', 'mine:2')).toBe(2)
})

test('those of a connection that is lost all fail, and so do those told after it', async () => {
  const client = connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null })
  const admin = connect()
  await eventually('ready', () => client.status === 'ready')
  await admin.call('CLIENT', 'PAUSE', '10000', 'WRITE')
  const one = exchange(client, 'lost', ['set', 'lost', ''])
  const all = exchangeAll(client, [set('lost:1', ''), set('lost:2', '')])
  client.disconnect()
  await expect(one).rejects.toThrow()
  expect((await all)?.map(error => error instanceof Error)).toEqual([true, true])
  await admin.call('CLIENT', 'UNPAUSE')
  await expect(exchange(client, 'k', ['get', 'k'])).rejects.toThrow()
  const late = await exchangeAll(client, [set('k', ''), set('k', '')])
  expect(late?.map(error => error instanceof Error)).toEqual([true, true])
})

test('a client that sends anew what was not answered is not confused by half a batch', async () => {
  const proxy = await ToxicProxy.start(server.port)
  onTestFinished(() => proxy.stop())
  const client = connect({ port: proxy.port, retryStrategy: () => 10 })
  await eventually('ready', () => client.status === 'ready')
  const end = proxy.inflict({ kind: 'half-frame', behind: 'reset' })
  const names = Array.from({ length: 10 }, (_, i) => `half:${i}`)
  const sent = exchangeAll(
    client,
    names.map(name => set(name, name)),
  )
  await eventually('lost', () => client.status !== 'ready')
  end()
  const errors = await sent
  // Those that had been answered are not sent a second time, nor are the others without them. If the reset was quicker than
  // the half of the answers, none had been: then all are sent anew, and all is well.
  if (errors) {
    expect(errors[0]).toBeUndefined()
    expect(errors.at(-1)).toBeInstanceOf(Error)
  }
  for (const name of names) expect(await client.get(name)).toBe(name)
})

test('a client that others have wrapped sees a command of a name, a key and an outcome', async () => {
  const client = connect()
  await eventually('ready', () => client.status === 'ready')
  const seen: unknown[] = []
  const send = client.sendCommand.bind(client)
  // As tracing does it: what it replaces it calls without an owner.
  client.sendCommand = (command, stream) => {
    const { resolve, name, args } = command
    command.resolve = reply => {
      seen.push([name, ...args])
      resolve(reply)
    }
    return send(command, stream)
  }
  await exchange(client, 'k', ['set', 'k', 'v'])
  await exchangeAll(client, [set('a', 'secret'), set('b', 'secret')])
  expect(seen).toEqual([
    ['set', 'k'],
    ['set', 'a'],
    ['set', 'b'],
  ])
})

test.each([
  ['with a prefix', { keyPrefix: 'p:' }],
  ['with its own deadline', { commandTimeout: 1_000 }],
  ['that collects commands', { enableAutoPipelining: true }],
] as const)('a client %s is asked in its own way', (_, options) => {
  expect(takesBytes(connect(options))).toBe(false)
  expect(takesBytes(connect())).toBe(true)
})

test('so is one that is no ioredis', () => {
  expect(takesBytes({ status: 'ready' } as unknown as RedisLike)).toBe(false)
})
