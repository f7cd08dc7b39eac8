import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type Gap, type InvalidationBus, type InvalidationMessage, ManualClock } from '@cache/core'
import { eventually, RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { RedisBus } from '../src/index.ts'
import { entry, openClient, ownServer, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.stop())

interface Heard {
  readonly messages: InvalidationMessage[]
  readonly gaps: Gap[]
  /** Gaps and messages in the order they came. */
  readonly all: string[]
}

/** Everything a bus says from now on, once it is connected. */
async function listenTo(bus: InvalidationBus): Promise<Heard> {
  const heard: Heard = { messages: [], gaps: [], all: [] }
  bus.onGap(gap => {
    // The contract: `connected` turns false before, and true after, the gap is told.
    expect(bus.connected).toBe(false)
    heard.gaps.push(gap)
    heard.all.push(gap.connected ? 'back' : 'lost')
  })
  bus.subscribe(message => {
    heard.messages.push(message)
    heard.all.push('message')
  })
  await eventually('listening', () => bus.connected)
  return heard
}

function openBus(options: ConstructorParameters<typeof RedisBus>[0]): RedisBus {
  const bus = new RedisBus(options)
  onTestFinished(() => bus.close())
  return bus
}

/** How many connections to a server are subscribed. */
async function listenersOf(own: RedisServer): Promise<number> {
  const list = (await openClient(own.url).client('LIST')) as string
  return list.match(/ sub=[1-9]/g)?.length ?? 0
}

describe('a bus', () => {
  test('of its own connects when it is first listened to', async () => {
    const own = await ownServer()
    const bus = openBus({ url: own.url })
    await bus.publish({ type: 'clear' })
    expect(bus.connected).toBe(false)
    expect(await listenersOf(own)).toBe(0)
    await listenTo(bus)
    bus.subscribe(() => {})
    expect(await listenersOf(own)).toBe(1)
  })

  test('carries what is published to every listener, with its source', async () => {
    const [a, b] = [openBus({ url: server.url }), openBus({ url: server.url })]
    const [heardA, heardB] = [await listenTo(a), await listenTo(b)]
    expect(await a.publish({ type: 'keys', keys: ['x', '__proto__'] })).toEqual({ status: 'applied' })
    expect(await a.publish({ type: 'clear', scope: 'users:' })).toEqual({ status: 'applied' })
    const at = expect.any(Number)
    const keys = { type: 'keys', keys: ['x', '__proto__'], source: a.id }
    const clear = { type: 'clear', scope: 'users:', source: a.id, at }
    await eventually('arrived', () => heardA.messages.length === 2 && heardB.messages.length === 2)
    expect(heardA.messages).toEqual([keys, clear]) // When it sent it, it knows.
    expect(heardB.messages).toEqual([{ ...keys, at }, clear])
    expect(a.id).not.toBe(b.id)
  })

  test('keeps to its prefix', async () => {
    const [a, b] = [openBus({ url: server.url, prefix: 'a:' }), openBus({ url: server.url, prefix: 'b:' })]
    const heard = await listenTo(a)
    await b.publish({ type: 'clear' })
    await a.publish({ type: 'clear' })
    await eventually('arrived', () => heard.messages.length === 1)
    expect(heard.messages[0]?.source).toBe(a.id)
  })

  test('says so before the first message, when it begins to listen', async () => {
    const heard = await listenTo(openBus({ url: server.url }))
    expect(heard.gaps).toEqual([{ connected: true, reason: 'listening to Redis' }])
  })

  test('speaks to those it is told to stop speaking to no more', async () => {
    const bus = openBus({ url: server.url })
    const heard = await listenTo(bus)
    let second = 0
    const stop = bus.subscribe(() => second++)
    await bus.publish({ type: 'clear' })
    await eventually('arrived', () => heard.messages.length === 1 && second === 1)
    stop()
    await bus.publish({ type: 'clear' })
    await eventually('arrived', () => heard.messages.length === 2)
    expect(second).toBe(1)
  })

  test('does not let a faulty listener cost the others a message', async () => {
    const bus = openBus({ url: server.url })
    bus.subscribe(() => {
      throw new Error('a faulty listener')
    })
    const heard = await listenTo(bus)
    await bus.publish({ type: 'clear' })
    await eventually('arrived', () => heard.messages.length === 1)
  })

  test('takes a message it cannot understand for a doubt', async () => {
    const bus = openBus({ url: server.url })
    const gaps: Gap[] = []
    bus.onGap(gap => gaps.push(gap))
    await eventually('listening', () => bus.connected)
    await openClient(server.url).publish('cache:invalidate', '{"v":99}')
    await eventually('told', () => gaps.length === 2)
    expect(gaps[1]).toEqual({ connected: true, reason: 'a message could not be understood' })
  })

  test.each(['_\r\n', ':7\r\n', '*1\r\n$1\r\nk\r\n'])('so it takes one that is none: %j', async nothing => {
    const downstream: Socket[] = []
    const relay = createServer(client => {
      const upstream = connect(server.port)
      downstream.push(client)
      client.pipe(upstream).on('error', () => {})
      upstream.pipe(client).on('error', () => {})
    })
    onTestFinished(() => void relay.close())
    await once(relay.listen(0), 'listening')
    const bus = openBus({ url: `redis://127.0.0.1:${(relay.address() as AddressInfo).port}` })
    const gaps: Gap[] = []
    bus.onGap(gap => gaps.push(gap))
    await eventually('listening', () => bus.connected)
    for (const client of downstream)
      client.write(`>3\r\n$7\r\nmessage\r\n$16\r\ncache:invalidate\r\n${nothing}`)
    await eventually('told', () => gaps.length === 2)
    expect(gaps[1]).toEqual({ connected: true, reason: 'a message could not be understood' })
    expect(bus.connected).toBe(true)
  })

  test.each([2, 3] as const)('works over RESP%i, and with a client of the user’s own', async protocol => {
    const client = openClient(server.url).duplicate({ protocol, keyPrefix: '' })
    onTestFinished(() => client.disconnect())
    const clock = new ManualClock()
    const bus = openBus({ client, clock })
    const heard = await listenTo(bus)
    for (let beat = 0; beat < 5; beat++) {
      clock.advance(500)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    await bus.publish({ type: 'clear' })
    await eventually('arrived', () => heard.messages.length === 1)
    expect(heard.gaps).toHaveLength(1)
    await bus.close()
    expect(await client.ping()).toBe('PONG')
  })
})

describe('a gap is told', () => {
  test('when the connection is cut, and again when messages arrive anew, before the first', async () => {
    const proxy = await TcpProxy.start(server.port)
    onTestFinished(() => proxy.stop())
    const [bus, client] = [openBus({ url: proxy.url }), openClient(server.url)]
    const heard = await listenTo(bus)
    let publishing = true
    const publisher = (async () => {
      const message = JSON.stringify({ v: 1, source: 'other', type: 'clear' })
      while (publishing) {
        await Promise.all(Array.from({ length: 50 }, () => client.publish('cache:invalidate', message)))
      }
    })()
    for (let cut = 1; cut <= 5; cut++) {
      proxy.cut()
      await eventually('back', () => heard.gaps.length === 1 + 2 * cut)
      const before = heard.messages.length
      await eventually('heard', () => heard.messages.length > before)
    }
    publishing = false
    await publisher
    const said = heard.all.filter((each, i, all) => each !== all[i - 1]).join(' ')
    expect(said).toBe(`back${' lost back message'.repeat(5)}`)
  })

  test('when the server dies and comes back', async () => {
    const own = await ownServer()
    const bus = openBus({ url: own.url })
    const heard = await listenTo(bus)
    await own.kill()
    await eventually('lost', () => heard.gaps.length === 2)
    expect(bus.connected).toBe(false)
    expect(await bus.publish({ type: 'clear' })).toMatchObject({ status: 'failed' })
    await own.restart()
    await eventually('back', () => bus.connected)
    expect(heard.all).toEqual(['back', 'lost', 'back'])
  })

  test.each(['freeze', 'blackhole'])(
    'within two seconds of a %s, which TCP says nothing about',
    async how => {
      const own = await ownServer()
      const proxy = await TcpProxy.start(own.port)
      onTestFinished(() => proxy.stop())
      const bus = openBus({ url: proxy.url })
      const heard = await listenTo(bus)
      if (how === 'freeze') own.freeze()
      else proxy.mode = 'blackhole'
      await eventually('noticed', () => heard.gaps.length === 2, 2_000)
      own.thaw()
      proxy.mode = 'forward'
      await eventually('back', () => bus.connected)
      expect(heard.all).toEqual(['back', 'lost', 'back'])
    },
  )

  test('after two beats of its clock without an answer, and not after one', async () => {
    const own = await ownServer()
    const clock = new ManualClock()
    // The deadlines are long here, so that it is the heartbeat that notices.
    const bus = openBus({ url: own.url, clock, timeouts: { read: '60s' } })
    const heard = await listenTo(bus)
    own.freeze()
    clock.advance(500)
    await new Promise(resolve => setTimeout(resolve, 20))
    expect(heard.gaps).toHaveLength(1)
    clock.advance(500)
    await eventually('noticed', () => heard.gaps.length === 2)
    expect(heard.gaps[1]).toEqual({ connected: false, reason: 'Redis missed a heartbeat' })
    own.thaw()
    await eventually('connected anew, without another beat', () => bus.connected)
  })

  test('not for a stall of our own event loop, after which the answer lies unread', async () => {
    const own = await ownServer()
    const clock = new ManualClock()
    const heard = await listenTo(openBus({ url: own.url, clock, timeouts: { read: '60s' } }))
    own.freeze()
    clock.advance(500)
    await new Promise(resolve => setImmediate(resolve))
    own.thaw()
    const until = Date.now() + 100
    while (Date.now() < until);
    clock.advance(500)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(heard.all).toEqual(['back'])
  })

  test('when it may listen at last, having been forbidden to', async () => {
    const own = await ownServer()
    const client = openClient(own.url)
    await client.call('ACL', 'SETUSER', 'default', '-subscribe')
    const bus = openBus({ url: own.url })
    const gaps: Gap[] = []
    bus.onGap(gap => gaps.push(gap))
    await new Promise(resolve => setTimeout(resolve, 200))
    expect({ gaps, connected: bus.connected }).toEqual({ gaps: [], connected: false })
    await client.call('ACL', 'SETUSER', 'default', '+subscribe')
    await eventually('listening', () => bus.connected)
    expect(gaps).toHaveLength(1)
  })
})

describe('the bus of a store', () => {
  test('announces every write in the name of the store', async () => {
    const [store, other] = [patientStore({ url: server.url }), patientStore({ url: server.url })]
    const heard = await listenTo(other.bus)
    await store.set('a', entry(1))
    await store.setMany(new Map([['b', entry(1)]]))
    await store.delete('a')
    await store.deleteMany(['b'])
    await store.set('c', entry(1, -1))
    await store.touch('c', 0, 0)
    await store.clear('s:')
    await store.clear()
    await store.bus.publish({ type: 'keys', keys: ['d'] })
    await eventually('arrived', () => heard.messages.length === 9)
    const at = expect.any(Number)
    const keys = (key: string) => ({ type: 'keys', keys: [key], source: store.bus.id, at })
    const version = expect.any(Number)
    expect(heard.messages).toEqual([
      ...['a', 'b', 'a', 'b', 'c', 'c'].map(keys),
      { type: 'clear', scope: 's:', source: store.bus.id, version, at },
      { type: 'clear', source: store.bus.id, version, at },
      keys('d'),
    ])
  })

  test('is one, on one connection of its own from the start, whoever listens', async () => {
    const own = await ownServer()
    const store = patientStore({ url: own.url, poolSize: 1 })
    const { bus } = store
    await eventually('listening', () => bus.connected)
    expect(await listenersOf(own)).toBe(1)
    await listenTo(bus)
    bus.subscribe(() => {})
    await store.set('a', entry(1))
    expect(store.bus).toBe(bus)
    expect(await listenersOf(own)).toBe(1)
  })

  test('hears what is written before anybody listens to it: a gap is not told then', async () => {
    const store = patientStore({ url: server.url, prefix: 'early:' })
    await eventually('listening', () => store.bus.connected)
    const [messages, gaps]: [InvalidationMessage[], Gap[]] = [[], []]
    store.bus.onGap(gap => gaps.push(gap))
    store.bus.subscribe(message => messages.push(message))
    await store.delete('k')
    await eventually('arrived', () => messages.length === 1)
    expect(gaps).toEqual([])
  })

  test('tells of a write after it is done: who reads then, reads it', async () => {
    const [store, other] = [
      patientStore({ url: server.url, prefix: 'o:' }),
      patientStore({ url: server.url, prefix: 'o:' }),
    ]
    const reads: Promise<unknown>[] = []
    other.bus.subscribe(() => reads.push(other.get('k').then(found => found?.value)))
    await eventually('listening', () => other.bus.connected)
    for (let i = 0; i < 50; i++) await store.set('k', entry(i))
    await eventually('told', () => reads.length === 50)
    for (const [i, value] of (await Promise.all(reads)).entries()) expect(value).toBeGreaterThanOrEqual(i)
  })
})
