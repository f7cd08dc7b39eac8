import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import { CacheError, type TelemetryEvent } from '@cache/core'
import { eventually, RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisBus, RedisStore, type RedisStoreOptions } from '../src/index.ts'
import { codeOf, entry, eventsOf, openClient, openStore, ownServer, patientStore } from './support.ts'

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start(['--requirepass', 'right-password'])
})
afterAll(() => server.stop())

const SECRETS = /hunter2|right-password|secret-value/

/** Everything one can see of something: its message, stack, causes, properties, hidden ones too. */
function everythingOf(thing: unknown): string {
  return [
    inspect(thing, { depth: 20, showHidden: true, getters: true }),
    JSON.stringify(thing),
    String(thing),
  ].join()
}

async function errorOf(call: Promise<unknown>): Promise<CacheError> {
  try {
    await call
  } catch (thrown) {
    if (thrown instanceof CacheError) return thrown
    throw thrown
  }
  throw new Error('it worked')
}

describe('a wrong password', () => {
  test.each([
    ['in a URL', { url: 'redis://:hunter2@127.0.0.1' }],
    ['of a user, in a URL', { url: 'redis://hunter2:hunter2@127.0.0.1' }],
    ['in options', { connection: { host: '127.0.0.1', password: 'hunter2' } }],
    ['over RESP2', { connection: { host: '127.0.0.1', password: 'hunter2', protocol: 2 } }],
  ] as [string, { url: string } & { connection: object }][])(
    '%s is an error of configuration, and told to nobody',
    async (_where, target) => {
      const store = patientStore(
        target.url
          ? { url: `${target.url}:${server.port}` }
          : { connection: { ...target.connection, port: server.port } },
      )
      const events: TelemetryEvent[] = eventsOf(store)
      const error = await errorOf(store.get('k'))
      const outcome = await store.set('k', entry('secret-value'))
      expect(error.code).toBe('CONFIGURATION')
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'CONFIGURATION' } })
      expect(events.some(event => event.type === 'error' && event.operation === 'connect')).toBe(true)
      for (const thing of [error, outcome, events, store, store.bus, store.health()]) {
        expect(everythingOf(thing)).not.toMatch(SECRETS)
      }
    },
  )

  test('that is missing is one too', async () => {
    const store = patientStore({ url: server.url })
    expect(await codeOf(store.get('k'))).toBe('CONFIGURATION')
  })

  test('that is right works', async () => {
    const store = patientStore({ url: `redis://:right-password@127.0.0.1:${server.port}/3` })
    expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
    expect((await store.get('k'))?.value).toBe(1)
    expect(everythingOf(store)).not.toMatch(SECRETS)
  })
})

test('a command that Redis refuses does not show its arguments', async () => {
  const own = await ownServer()
  const client = openClient(own.url)
  await client.call('ACL', 'SETUSER', 'default', '-set', '-get', '-eval')
  const store = patientStore({ url: own.url })
  const events = eventsOf(store)
  const outcomes = [
    await store.set('k', entry('secret-value')),
    await store.setMany(new Map([['k', entry('secret-value')]])),
    await errorOf(store.get('secret-value')),
    await store.touch('secret-value', Date.now() + 9, Date.now() + 99),
  ]
  expect(outcomes[2]).toMatchObject({ code: 'CONFIGURATION' })
  for (const outcome of outcomes.slice(0, 2))
    expect(outcome).toMatchObject({ error: { code: 'CONFIGURATION' } })
  const errors = outcomes.map(outcome => ('error' in outcome ? outcome.error : outcome))
  for (const thing of [...errors, ...events]) expect(everythingOf(thing)).not.toMatch(SECRETS)
})

test('the permissions in the README suffice, and are those of docs/deployments.md', async () => {
  const own = await ownServer()
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, rules] = /ACL user: `([^`]+)`/.exec(readme) ?? []
  const deployments = await readFile(new URL('../../../docs/deployments.md', import.meta.url), 'utf8')
  const [, same] = /ACL SETUSER app on >password ([^`]+)```/.exec(deployments) ?? []
  expect(rules?.trim().split(/\s+/)).toEqual(same?.trim().split(/[\s\\]+/))
  await openClient(own.url).call('ACL', 'SETUSER', 'app', 'on', '>pw', ...(rules?.split(/\s+/) ?? []))
  const store = patientStore({ url: `redis://app:pw@127.0.0.1:${own.port}` })
  const gaps: unknown[] = []
  store.bus.onGap(gap => gaps.push(gap))
  expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
  expect((await store.get('k'))?.value).toBe(1)
  expect((await store.getMany(['k'])).found.size).toBe(1)
  expect(await store.touch('k', Date.now() + 9_000, Date.now() + 9_000)).toEqual({ status: 'applied' })
  expect(await store.set('tagged', { ...entry(1), tags: ['tag'] })).toEqual({ status: 'applied' })
  expect(await store.invalidateTags(['tag'])).toEqual({ status: 'applied' })
  expect(await store.clear()).toEqual({ status: 'applied' })
  await eventually('listening', () => store.bus.connected)
  await new Promise(resolve => setTimeout(resolve, 1_100)) // two real heartbeats
  expect(gaps).toHaveLength(1)
})

describe('an option', () => {
  const url = 'redis://127.0.0.1:1'
  test.each([
    ['url', { url: 'not a url' }],
    ['url', { url: 'http://user:hunter2@host' }],
    ['poolSize', { url, poolSize: 0 }],
    ['batchSize', { url, batchSize: 1.5 }],
    ['prefix', { url, prefix: '' }],
    ['prefix', { url, prefix: '\ud800' }],
    ['prefix', { url, prefix: 5 }],
    ['compression.threshold', { url, compression: { threshold: -1 } }],
    ['compression.algorithm', { url, compression: { algorithm: 'rar' } }],
    ['limits.maxValueBytes', { url, limits: { maxValueBytes: 0 } }],
    ['timeouts.read', { url, timeouts: { read: 0 } }],
    ['timeouts.write', { url, timeouts: { write: '1 s' } }],
    ['timeouts.connect', { url, timeouts: { connect: -1 } }],
    ['serializer', { url, serializer: {} }],
    ['serializer.id', { url, serializer: { id: 1, encode() {}, decode() {} } }],
    ['serializer.id', { url, serializer: { id: 256, encode() {}, decode() {} } }],
    ['exactly one of url, connection, cluster and client', {}],
  ])('%s is refused by name', (name, options) => {
    const make = () => new RedisStore(options as unknown as RedisStoreOptions)
    expect(make).toThrow(CacheError)
    expect(make).toThrow(name)
    expect(make).not.toThrow(/hunter2/)
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  test('is refused by a bus as well', () => {
    expect(() => new RedisBus({ url, prefix: '' })).toThrow('prefix')
    expect(() => new RedisBus({})).toThrow('exactly one')
  })
})

describe("a client of the user's own", () => {
  test('is used, and neither closed nor changed', async () => {
    const own = await ownServer()
    const client = openClient(own.url)
    const store = patientStore({ client, poolSize: 10 })
    const listeners = client.eventNames()
    expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
    expect((await store.get('k'))?.value).toBe(1)
    expect((await store.getMany(['k'])).found.size).toBe(1)
    expect(store.health()).toEqual({
      available: true,
      outageMs: 0,
      pool: { size: 1, ready: 1, inFlight: 0, waiting: 0, waitedMs: 0 },
    })
    await store.close()
    expect(await client.ping()).toBe('PONG')
    expect(client.eventNames()).toEqual(listeners)
    expect(await codeOf(store.get('k'))).toBe('CLOSED')
  })

  test('that connects at its first command does so', async () => {
    const own = await ownServer()
    const client = openClient(own.url).duplicate({ lazyConnect: true })
    const store = patientStore({ client })
    expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
    client.disconnect()
  })

  test('is not given commands to keep for later while it is away', async () => {
    const own = await ownServer()
    const client = openClient(own.url)
    const store = patientStore({ client })
    await store.set('k', entry(1))
    await own.kill()
    await new Promise(resolve => client.once('reconnecting', resolve))
    expect(await codeOf(store.get('k'))).toMatch(/UNAVAILABLE|TIMEOUT/)
    expect(await store.set('k', entry('stale'))).toMatchObject({ status: 'failed' })
    expect(store.health().available).toBe(false)
  })

  test('is bounded in time although it queues without end', async () => {
    const own = await ownServer()
    const store = openStore({ client: openClient(own.url) })
    await store.set('k', entry(1))
    own.freeze()
    expect(await codeOf(store.get('k'))).toBe('TIMEOUT')
    expect(await store.set('k', entry(1))).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } })
  })
})
