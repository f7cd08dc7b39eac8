import { inspect } from 'node:util'
import type { TelemetryEvent } from '@cache/core'
import { ask, certificates, eventually, freePort, RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { RedisBus, type RedisStore, type RedisStoreOptions } from '../src/index.ts'
import { collect, connected, entry, eventsOf, openClient, openStore, ownServer } from './support.ts'

/** User, passwords, key and value of every test here; also how Node shows the bytes of the latter. */
const SECRETS = /ann-user|hunter2|sentinel-secret|secret-key|secret-value|73 65 63 72 65 74/

const CREDENTIALS = { username: 'ann-user', password: 'hunter2' }

/** All that can be seen of something by whoever logs it: hidden properties, getters, causes, as deep as it goes. */
function everythingOf(thing: unknown): string {
  return [
    inspect(thing, {
      depth: null,
      showHidden: true,
      getters: true,
      maxArrayLength: null,
      maxStringLength: null,
    }),
    JSON.stringify(thing),
    String(thing),
    thing instanceof Error ? thing.stack : '',
  ].join()
}

function expectNoSecrets(...things: readonly unknown[]): void {
  for (const thing of things) expect(everythingOf(thing)).not.toMatch(SECRETS)
}

let server: RedisServer
beforeAll(async () => {
  server = await RedisServer.start()
  await welcome(server)
})
afterAll(() => server.stop())

/** Makes the user. */
async function welcome(own: RedisServer): Promise<void> {
  const rules = ['on', '>hunter2', '~*', '&*', '+@all']
  await ask(own, client => client.call('ACL', 'SETUSER', 'ann-user', ...rules))
}

/** What is printed from now on. */
function printed(): unknown[] {
  const lines: unknown[] = []
  for (const method of ['log', 'warn', 'error', 'info', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...line) => lines.push(...line))
  }
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
  return lines
}

/** Everything a store says in answer to every call, and what it and its bus look like meanwhile. */
async function everythingSaidBy(store: RedisStore): Promise<unknown[]> {
  const later = Date.now() + 1_000
  const events: TelemetryEvent[] = eventsOf(store)
  const said: unknown[] = [events, store, store.bus, store.health()]
  store.bus.onGap(gap => said.push(gap))
  const calls = [
    store.set('secret-key', entry('secret-value')),
    store.setMany(new Map(['secret-key', 'b'].map(key => [key, entry('secret-value')]))),
    store.delete('secret-key'),
    store.deleteMany(['secret-key', 'b']),
    store.touch('secret-key', later, later),
    store
      .getMany(['secret-key', 'b'])
      .then(({ failures }) => withoutKeys({ failures: failures ?? new Map() })),
    store.get('secret-key').then(() => 'found or not'),
    store.clear('secret-key'),
    collect(store.keys()).then(() => 'listed'),
    store.bus.publish({ type: 'keys', keys: ['secret-key'] }),
  ]
  said.push(inspect(store, { depth: null, showHidden: true }))
  said.push(
    ...(await Promise.allSettled(calls)).map(each =>
      each.status === 'fulfilled' ? withoutKeys(each.value) : each.reason,
    ),
  )
  return said
}

/** Of an answer, all but the keys by which it says what failed: the caller named them. */
function withoutKeys(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('failures' in answer)) return answer
  return { ...answer, failures: [...(answer.failures as Map<string, unknown>).values()] }
}

describe('neither credentials nor keys and values are seen in a store, its bus, what they say and what is printed', () => {
  test.each([
    ['in a URL', () => ({ url: `redis://ann-user:hunter2@127.0.0.1:${server.port}/2` })],
    ['in options', () => ({ connection: { ...CREDENTIALS, port: server.port } })],
    ['of a client', () => ({ client: openClient(`redis://ann-user:hunter2@127.0.0.1:${server.port}`) })],
  ] as readonly [string, () => RedisStoreOptions][])('given %s, where all is well', async (_where, to) => {
    const lines = printed()
    const store = openStore(to())
    const said = await everythingSaidBy(store)
    expectNoSecrets(...said, lines)
    await store.close()
    expectNoSecrets(store, store.bus)
  })

  test.each([
    ['nobody listens', async () => ({ ...CREDENTIALS, port: await freePort() })],
    ['the password is wrong', async () => ({ ...CREDENTIALS, password: 'hunter2-was', port: server.port })],
    [
      'the user is unknown',
      async () => ({ username: 'ann-user-was', password: 'hunter2', port: server.port }),
    ],
    ['the database does not exist', async () => ({ ...CREDENTIALS, port: server.port, db: 99 })],
    ['nothing is permitted', async () => ({ ...CREDENTIALS, port: (await strict()).port })],
    [
      'it speaks no TLS',
      async () => ({ ...CREDENTIALS, port: server.port, tls: { ca: certificates.authority } }),
    ],
    [
      'no sentinel answers',
      async () => ({
        ...CREDENTIALS,
        name: 'm',
        sentinels: [{ port: await freePort() }],
        sentinelUsername: 'ann-user',
        sentinelPassword: 'sentinel-secret',
      }),
    ],
  ])('where %s', async (_why, to) => {
    const lines = printed()
    const connection = await to()
    const store = openStore({ connection })
    expectNoSecrets(...(await everythingSaidBy(store)), ...(await everythingSaidBy(store)), lines)
    const bus = new RedisBus({ connection })
    onTestFinished(() => bus.close())
    expectNoSecrets(bus, await bus.publish({ type: 'keys', keys: ['secret-key'] }), bus, lines)
  })

  async function strict(): Promise<RedisServer> {
    const own = await ownServer()
    const rules = ['on', '>hunter2', 'resetkeys', 'resetchannels', '-@all']
    await openClient(own.url).call('ACL', 'SETUSER', 'ann-user', ...rules)
    return own
  }

  test('when the connection is lost, or nothing is answered, with values under way', async () => {
    const lines = printed()
    const own = await ownServer()
    await welcome(own)
    const proxy = await TcpProxy.start(own.port)
    onTestFinished(() => proxy.stop())
    const store = openStore({ url: `redis://ann-user:hunter2@127.0.0.1:${proxy.port}` })
    await connected(store)
    own.freeze()
    expectNoSecrets(...(await everythingSaidBy(store)))
    const interrupted = everythingSaidBy(store)
    proxy.cut()
    expectNoSecrets(...(await interrupted), lines)
    own.thaw()
  })

  test('when Redis refuses what it is told: out of memory, or a replica', async () => {
    const lines = printed()
    const own = await ownServer()
    await welcome(own)
    const admin = openClient(own.url)
    const store = openStore({ url: `redis://ann-user:hunter2@127.0.0.1:${own.port}` })
    await connected(store)
    await admin.config('SET', 'maxmemory', '1')
    expectNoSecrets(...(await everythingSaidBy(store)))
    await admin.config('SET', 'maxmemory', '0')
    await admin.replicaof('127.0.0.1', 1)
    expectNoSecrets(...(await everythingSaidBy(store)), lines)
  })

  test('when what lies in Redis is foreign', async () => {
    const lines = printed()
    const store = openStore({ url: `redis://ann-user:hunter2@127.0.0.1:${server.port}` })
    await openClient(server.url).set('cache:secret-key', 'secret-value')
    await openClient(server.url).rpush('cache:b', 'secret-value')
    const events = eventsOf(store)
    await Promise.allSettled([store.get('secret-key'), store.get('b'), store.getMany(['secret-key'])])
    await eventually('told', () => events.some(event => event.type === 'error'))
    expectNoSecrets(events, store, lines)
  })
})

test('the check itself finds a secret wherever it is', () => {
  const hidden = Object.defineProperty({}, 'deep', { value: { deeper: [{ deepest: 'hunter2' }] } })
  const bytes = { command: { args: [Buffer.from('secret-value')] } }
  const caused = new Error('x', { cause: Object.assign(new Error('y'), { args: ['ann-user'] }) })
  for (const thing of [hidden, bytes, caused, new Map([['k', caused]])]) {
    expect(everythingOf(thing)).toMatch(SECRETS)
  }
})
