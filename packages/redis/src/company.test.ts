import { EventEmitter } from 'node:events'
import { eventually, TcpProxy } from '@cache/test-support'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test, vi } from 'vitest'
import { connected, openStore, ownServer } from '../test/support.ts'
import { Company } from './company.ts'
import { connector } from './connect.ts'

interface Member {
  on(event: 'ready', listener: () => void): unknown
  hurry(): void
  stand(): void
}

test('each connection that stands takes the others along', () => {
  const company = new Company<Member>()
  const hurried: string[] = []
  const members = ['a', 'b', 'c'].map(name => {
    const events = new EventEmitter()
    return company.join({
      on: (event, listener) => events.on(event, listener),
      hurry: () => hurried.push(name),
      stand: () => events.emit('ready'),
    })
  })
  members[1]?.stand()
  expect(hurried).toEqual(['a', 'b', 'c'])
})

test('a store whose connections wait for their next attempts has them all as soon as one stands', async () => {
  const server = await ownServer()
  const proxy = await TcpProxy.start(server.port)
  onTestFinished(() => proxy.stop())
  const attempts = vi.spyOn(Redis.prototype, 'connect')
  onTestFinished(() => attempts.mockRestore())
  const store = openStore({ url: proxy.url })
  await connected(store)
  // Of an outage that ends when all of them are about to try, nothing is to be seen: then another one.
  await eventually('called before their time', async () => {
    proxy.mode = 'refuse'
    await eventually('away', () => store.health().pool?.ready === 0)
    proxy.mode = 'forward'
    attempts.mockClear()
    await connected(store)
    // Those it makes by itself, at most one each, are not all: a timer that was pending tries again in vain.
    const more = eventually('more', () => attempts.mock.calls.length > 11, 500)
    return more.then(() => true, () => false) // biome-ignore format: a line
  })
})

test('a connection that was closed while it waited stays closed', async () => {
  const server = await ownServer()
  const proxy = await TcpProxy.start(server.port)
  onTestFinished(() => proxy.stop())
  const connect = connector({ url: proxy.url }, { connectMs: 1_000, silenceMs: 1_000 })
  const [open, closed] = [connect(), connect()]
  onTestFinished(() => open.disconnect())
  for (const client of [open, closed]) client.on('error', () => {})
  await eventually('ready', () => open.status === 'ready' && closed.status === 'ready')
  proxy.mode = 'refuse'
  await eventually('waiting', () => closed.status === 'reconnecting')
  closed.disconnect()
  proxy.mode = 'forward'
  await eventually('ready', () => open.status === 'ready')
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(proxy.connections).toBe(1)
})
