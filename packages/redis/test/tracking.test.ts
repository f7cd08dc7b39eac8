import type { InvalidationMessage } from '@cache/core'
import { eventually, RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { RedisBus, RedisStore } from '../src/index.ts'
import { entry, openClient, ownServer, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

/** A bus that tracks, and what it says once it listens: keys, a scope, or why there may be more. */
async function tracking(url: string, prefix = 'cache:'): Promise<{ bus: RedisBus; heard: string[] }> {
  const bus = new RedisBus({ url, prefix, mode: 'tracking' })
  onTestFinished(() => bus.close())
  const heard: string[] = []
  bus.onGap(({ connected, reason }) => heard.push(`${connected ? 'back' : 'lost'}: ${reason}`))
  bus.subscribe(message => heard.push(...textOf(message)))
  await eventually('listening', () => bus.connected)
  return { bus, heard }
}

function textOf(message: InvalidationMessage): readonly string[] {
  if (message.type === 'keys') return message.keys
  return message.type === 'tags' ? message.tags : [`clear ${message.scope ?? ''}`]
}

describe('a bus that tracks', () => {
  test('hears of every change of a key under its prefix, whoever makes it, and of no other key', async () => {
    const { heard } = await tracking(server.url)
    expect(heard).toEqual(['back: listening to Redis and what it tracks'])
    const anyone = openClient(server.url)
    // At once: it must not have expired before it has its new name.
    await anyone.multi().set('cache:set', 'x', 'PX', 30).rename('cache:set', 'cache:ünï').exec()
    await anyone.set('other:set', 'x')
    await anyone.hset('cache:hash', 'field', 'x')
    await anyone.unlink('cache:hash')
    await eventually('the expiry came', () => heard.filter(key => key === 'ünï').length === 2)
    expect(new Set(heard.slice(1))).toEqual(new Set(['set', 'hash', 'ünï']))
  })

  test('takes an emptied database for a doubt', async () => {
    const own = await ownServer()
    const { heard } = await tracking(own.url)
    await openClient(own.url).flushall()
    await eventually('told', () => heard.length > 1)
    expect(heard[1]).toBe('back: the database was emptied')
  })

  test('hears what is published too', async () => {
    const { bus, heard } = await tracking(server.url)
    await bus.publish({ type: 'clear', scope: 'users:' })
    await eventually('heard', () => heard.includes('clear users:'))
  })

  test('tracks again after the connection was lost, having told of the gap', async () => {
    const { heard } = await tracking(server.url)
    const anyone = openClient(server.url)
    await anyone.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually('back', () => heard.length === 3)
    expect(heard.slice(1)).toEqual([
      'lost: the connection to Redis was lost',
      'back: listening to Redis and what it tracks',
    ])
    await anyone.set('cache:after', 'x')
    await eventually('heard', () => heard.includes('after'))
  })

  test('keeps to announcements where Redis does not let it track, and says so', async () => {
    const own = await ownServer()
    const admin = openClient(own.url)
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', '-client|tracking')
    const { bus, heard } = await tracking(own.url.replace('redis://', 'redis://app:secret@'))
    expect(heard).toEqual(['back: listening to Redis'])
    await bus.publish({ type: 'keys', keys: ['k'] })
    await eventually('heard', () => heard.includes('k'))
  })

  test('notices a silent loss by its heartbeat', async () => {
    const own = await ownServer()
    const { bus, heard } = await tracking(own.url)
    own.freeze()
    await eventually('noticed', () => !bus.connected)
    own.thaw()
    await eventually('back', () => bus.connected)
    expect(heard.at(-1)).toBe('back: listening to Redis and what it tracks')
  })
})

describe('a store whose bus tracks', () => {
  test('hears of changes by other programs and of its own', async () => {
    const store = patientStore({ url: server.url, bus: 'tracking', prefix: 'mine:' })
    const heard: string[] = []
    store.bus.subscribe(message => heard.push(...textOf(message)))
    await eventually('listening', () => store.bus.connected)
    await store.set('own', entry(1))
    await openClient(server.url).set('mine:foreign', 'x')
    await eventually('heard', () => heard.includes('foreign'))
    expect(heard).toContain('own')
  })

  test('works on a client of one’s own as well', async () => {
    const store = patientStore({ client: openClient(server.url), bus: 'tracking', prefix: 'yours:' })
    const heard: string[] = []
    store.bus.subscribe(message => heard.push(...textOf(message)))
    await eventually('listening', () => store.bus.connected)
    await openClient(server.url).set('yours:foreign', 'x')
    await eventually('heard', () => heard.includes('foreign'))
  })

  test.each([
    () => new RedisStore({ url: server.url, bus: 'gossip' as 'tracking' }),
    () => new RedisBus({ url: server.url, mode: 'gossip' as 'tracking' }),
  ])('no other mode is accepted', make => {
    expect(make).toThrow(/^(bus|mode) must be one of pubsub, tracking; received "gossip"/)
  })
})
