import { ask, eventually, TcpProxy } from '@cache/test-support'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import {
  codeOf,
  collect,
  connected,
  durationOf,
  entry,
  eventsOf,
  openClient,
  openStore,
  ownServer,
  patientStore,
} from './support.ts'

const APPLIED = { status: 'applied' }
const failed = (code: string, message?: string) => ({
  status: 'failed',
  error: { code, ...(message && { message: expect.stringContaining(message) }) },
})

/** The write deadline (250 ms, the longest) and what a busy machine may add. */
const BOUND_MS = 250 + 750

const answers = (store: RedisStore) =>
  eventually('Redis answers', async () => (await codeOf(store.get('k'))) === undefined)

test('while Redis loads its data calls fail within their deadline, and work when it has', async () => {
  const server = await ownServer([
    // Two milliseconds a key, and an ear for clients between any two.
    ...['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024'],
  ])
  const admin = openClient(server.url)
  for (let i = 0; i < 5_000; i++) admin.set(`filler:${i}`, 'x'.repeat(1_000))
  const before = patientStore({ url: server.url })
  await before.set('k', entry('kept'))
  await admin.save()
  await server.kill()
  const restarted = server.restart()
  const loading = () => ask(server, client => client.info('persistence')).catch(() => '')
  await eventually('it loads', async () => (await loading()).includes('loading:1'))

  const impatient = openStore({ url: server.url })
  for (const store of [impatient, before]) {
    for (const call of [
      async () => expect(await codeOf(store.get('k'))).toBe('UNAVAILABLE'),
      async () => expect(await store.set('k', entry('new'))).toMatchObject(failed('UNAVAILABLE')),
      async () => expect(await store.clear()).toMatchObject(failed('UNAVAILABLE')),
    ]) {
      const start = performance.now()
      await call()
      if (store === impatient) expect(performance.now() - start).toBeLessThan(BOUND_MS)
    }
    expect(store.health().available).toBe(false)
  }
  expect(await loading()).toContain('loading:1')
  await ask(server, client => client.config('SET', 'key-load-delay', '0'))
  await restarted
  await Promise.all([connected(impatient), connected(before)])
  expect((await impatient.get('k'))?.value).toBe('kept')
  expect(await before.set('k', entry('new'))).toEqual(APPLIED)
})

describe('made a replica, Redis', () => {
  test('answers reads and refuses writes at once, until it is a master again', async () => {
    const server = await ownServer()
    const admin = openClient(server.url)
    const store = patientStore({ url: server.url })
    await connected(store)
    await store.set('k', entry('before'))
    // Of a master that is away: it keeps what it has.
    await admin.replicaof('127.0.0.1', 1)
    for (let i = 0; i < 50; i++) {
      const ms = await durationOf(async () =>
        expect(await store.set('k', entry('after'))).toMatchObject(
          failed('UNAVAILABLE', 'read-only replica'),
        ),
      )
      expect(ms).toBeLessThan(BOUND_MS)
      expect((await store.get('k'))?.value).toBe('before')
    }
    expect(await store.delete('k')).toMatchObject(failed('UNAVAILABLE'))
    expect(await store.clear()).toMatchObject(failed('UNAVAILABLE'))
    expect(await store.touch('k', Date.now() + 99_000, Date.now() + 99_000)).toMatchObject(
      failed('UNAVAILABLE'),
    )
    expect(store.health().available).toBe(true)
    await admin.replicaof('NO', 'ONE')
    await connected(store)
    expect(await store.set('k', entry('after'))).toEqual(APPLIED)
  })

  test('is left for the master that its name leads to by now', async () => {
    const [before, after] = [await ownServer(), await ownServer()]
    const name = await TcpProxy.start(before.port)
    onTestFinished(() => name.stop())
    const store = patientStore({ url: name.url })
    await connected(store)
    expect(await store.set('k', entry('before'))).toEqual(APPLIED)
    name.target = after.port
    await ask(before, client => client.replicaof('127.0.0.1', after.port))
    await eventually(
      'it writes again',
      async () => (await store.set('k', entry('after'))).status === 'applied',
    )
    expect(await ask(after, client => client.exists('cache:k'))).toBe(1)
  })

  test('is not left by all connections at once', async () => {
    const server = await ownServer()
    const store = patientStore({ url: server.url, poolSize: 4 })
    await connected(store)
    await store.set('k', entry('before'))
    await ask(server, client => client.replicaof('127.0.0.1', 1))
    const writes = Array.from({ length: 100 }, (_, i) => store.set(`k${i}`, entry(i)))
    for (const outcome of await Promise.all(writes)) expect(outcome).toMatchObject(failed('UNAVAILABLE'))
    expect(store.health().pool?.ready).toBeGreaterThan(0)
    expect((await store.get('k'))?.value).toBe('before')
  })
})

test('out of memory, Redis refuses what would grow it; all else works, and all when there is room', async () => {
  const server = await ownServer()
  const admin = openClient(server.url)
  const store = patientStore({ url: server.url })
  await store.setMany(new Map(['a', 'b', 'c', 'd'].map(key => [key, entry('before')])))
  await admin.config('SET', 'maxmemory', '1')
  const refused = failed('STORE', 'out of memory')
  expect(await store.set('a', entry('after'))).toMatchObject(refused)
  expect(
    await store.setMany(
      new Map([
        ['a', entry('after')],
        ['e', entry(1)],
      ]),
    ),
  ).toMatchObject({
    ...refused,
    failures: new Map(['a', 'e'].map(key => [key, expect.objectContaining({ code: 'STORE' })])),
  })
  expect((await store.get('a'))?.value).toBe('before')
  expect((await store.getMany(['a', 'b'])).found.size).toBe(2)
  expect(await store.delete('a')).toEqual(APPLIED)
  expect(await store.deleteMany(['b'])).toEqual(APPLIED)
  expect(await store.bus.publish({ type: 'keys', keys: ['x'] })).toEqual(APPLIED)
  expect((await collect(store.keys())).sort()).toEqual(['c', 'd'])
  expect(await store.clear()).toEqual(APPLIED)
  expect(store.health().available).toBe(true)
  await admin.config('SET', 'maxmemory', '0')
  expect(await store.set('a', entry('after'))).toEqual(APPLIED)
})

test('without the replicas that it wants, Redis refuses writes and answers reads, until they are back', async () => {
  const server = await ownServer()
  const store = patientStore({ url: server.url })
  await store.set('k', entry('before'))
  await ask(server, admin => admin.config('SET', 'min-replicas-to-write', '1'))
  expect(await store.set('k', entry('after'))).toMatchObject(failed('UNAVAILABLE', 'replicas'))
  expect(await store.delete('k')).toMatchObject(failed('UNAVAILABLE'))
  expect((await store.get('k'))?.value).toBe('before')
  const replica = await ownServer(['--replicaof', '127.0.0.1', `${server.port}`])
  await ask(server, admin => admin.config('SET', 'repl-diskless-sync-delay', '0'))
  await eventually('it writes', async () => (await store.set('k', entry('after'))).status === 'applied')
  await replica.stop()
})

test('a password changed while running stops new connections only, until it is right again', async () => {
  const server = await ownServer(['--requirepass', 'first-password'])
  const admin = openClient(`redis://:first-password@127.0.0.1:${server.port}`)
  await admin.config('SET', 'requirepass', 'first-password')
  const store = patientStore({ url: `redis://:first-password@127.0.0.1:${server.port}`, poolSize: 3 })
  const events = eventsOf(store)
  await connected(store)
  await admin.config('SET', 'requirepass', 'second-password')
  expect(await store.set('k', entry(1))).toEqual(APPLIED)
  expect((await store.get('k'))?.value).toBe(1)

  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await eventually('refused', async () => (await codeOf(store.get('k'))) === 'CONFIGURATION')
  expect(await store.set('k', entry(2))).toMatchObject(failed('CONFIGURATION', 'user name or password'))
  expect(store.health().available).toBe(false)
  const told = () => events.filter(event => event.type === 'error' && event.operation === 'connect')
  expect(told().at(-1)).toMatchObject({ error: { code: 'CONFIGURATION' } })
  expect(told().length).toBeLessThan(10)

  await admin.config('SET', 'requirepass', 'first-password')
  await connected(store)
  expect(await store.set('k', entry(3))).toEqual(APPLIED)
})

describe("a client of the user's own", () => {
  test('made a replica, answers reads and refuses writes, and is not reconnected', async () => {
    const server = await ownServer()
    const client = openClient(server.url)
    const store = patientStore({ client })
    await store.set('k', entry('before'))
    await ask(server, admin => admin.replicaof('127.0.0.1', 1))
    const before = await client.client('ID')
    expect(await store.set('k', entry('after'))).toMatchObject(failed('UNAVAILABLE'))
    expect((await store.get('k'))?.value).toBe('before')
    expect(await client.client('ID')).toBe(before)
  })

  test('whose database was refused tells its owner, and its store uses the database that it uses', async () => {
    const server = await ownServer()
    const client = new Redis({ port: server.port, db: 99 })
    onTestFinished(() => client.disconnect())
    const complaints: string[] = []
    client.on('error', error => complaints.push(error.message))
    const store = patientStore({ client })
    expect(await store.set('k', entry(1))).toEqual(APPLIED)
    expect(complaints).toEqual(['ERR DB index is out of range'])
    expect(await ask(server, admin => admin.exists('cache:k'))).toBe(1)
    // The connection on which its bus listens is the store's own, and needs no database.
    store.bus.subscribe(() => {})
    await eventually('listening', () => store.bus.connected)
  })
})

describe('where Redis takes no more clients', () => {
  // Mostly it has closed the connection before its reason can be read.
  test('calls fail within their deadline, and work when there is room', async () => {
    const server = await ownServer()
    const admin = openClient(server.url)
    await admin.config('SET', 'maxclients', '1')
    const store = openStore({ url: server.url })
    const events = eventsOf(store)
    const ms = await durationOf(async () => expect(await codeOf(store.get('k'))).toBe('UNAVAILABLE'))
    expect(ms).toBeLessThan(BOUND_MS)
    expect(await store.set('k', entry(1))).toMatchObject(failed('UNAVAILABLE'))
    expect(store.health()).toMatchObject({ available: false, pool: { ready: 0 } })
    // Of a connection that was closed without a word, the next attempt tells.
    await eventually('it is told', () =>
      events.some(
        event =>
          event.type === 'error' && event.operation === 'connect' && event.error.code === 'UNAVAILABLE',
      ),
    )
    await admin.config('SET', 'maxclients', '100')
    await connected(store)
    expect(await store.set('k', entry(1))).toEqual(APPLIED)
  })

  test('the connections that stand do the work of those that do not', async () => {
    const server = await ownServer()
    const admin = openClient(server.url)
    await admin.config('SET', 'maxclients', '4')
    const store = patientStore({ url: server.url })
    await answers(store)
    await eventually('the others were refused', () => store.health().pool?.ready === 3)
    const writes = Array.from({ length: 100 }, (_, i) => store.set(`k${i}`, entry(i)))
    for (const outcome of await Promise.all(writes)) expect(outcome).toEqual(APPLIED)
  })
})
