import { readFile } from 'node:fs/promises'
import { CacheError, ManualClock } from '@cache/core'
import { ask, eventually, freePort, RedisServer, SentinelTrio } from '@cache/test-support'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RedisStore, RedisStoreOptions } from '../src/index.ts'
import { codeOf, connected, entry, openClient, openStore, ownServer, patientStore } from './support.ts'

/** The write deadline (250 ms, the longest) and what a busy machine may add. */
const BOUND_MS = 250 + 750

async function ownTrio(): Promise<SentinelTrio> {
  const trio = await SentinelTrio.start()
  onTestFinished(() => trio.stop())
  return trio
}

function throughSentinels(trio: SentinelTrio): RedisStoreOptions {
  return { connection: { sentinels: trio.addresses, name: trio.name } }
}

/** Reads and writes without a pause. @returns ends it, with the longest that a call took and how the calls ended */
function keepBusy(store: RedisStore): () => Promise<{ worstMs: number; outcomes: Set<string> }> {
  const outcomes = new Set<string>()
  let worstMs = 0
  let going = true
  const timed = async (call: () => Promise<string>): Promise<void> => {
    const start = performance.now()
    outcomes.add(await call())
    worstMs = Math.max(worstMs, performance.now() - start)
  }
  const write = async (): Promise<string> => {
    const { status, error } = await store.set('busy', entry(1))
    return error?.code ?? status
  }
  onTestFinished(() => {
    going = false
  })
  const traffic = (async () => {
    while (going) {
      await Promise.all([timed(async () => (await codeOf(store.get('busy'))) ?? 'read'), timed(write)])
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    going = false
    await traffic
    return { worstMs, outcomes }
  }
}

async function expectWritesTo(server: RedisServer, store: RedisStore, value: string): Promise<void> {
  const key = `written ${value}`
  expect(await store.set(key, entry(value))).toEqual({ status: 'applied' })
  expect((await store.get(key))?.value).toBe(value)
  expect(await ask(server, client => client.exists(`cache:${key}`))).toBe(1)
}

// Sentinels that begin a failover at once, with votes for two, try again after six seconds.
describe('a failover', { timeout: 60_000 }, () => {
  test('of a killed master: every call ends within its deadline, then all goes to the new one', async () => {
    const trio = await ownTrio()
    const store = openStore(throughSentinels(trio))
    await connected(store)
    const master = await trio.master()
    await expectWritesTo(master, store, 'before')
    const rest = keepBusy(store)
    await master.kill()
    const promoted = await trio.promoted(master)
    await connected(store)
    await expectWritesTo(promoted, store, 'after')
    await master.restart()
    await expectWritesTo(promoted, store, 'after its return')
    const { worstMs, outcomes } = await rest()
    expect(worstMs).toBeLessThan(BOUND_MS)
    for (const outcome of outcomes) expect(['read', 'applied', 'UNAVAILABLE', 'TIMEOUT']).toContain(outcome)
  })

  test('of a frozen master: likewise, and no idle connection writes to the old one when it thaws', async () => {
    const trio = await ownTrio()
    const [busy, idle] = [openStore(throughSentinels(trio)), openStore(throughSentinels(trio))]
    await Promise.all([connected(busy), connected(idle)])
    const master = await trio.master()
    await expectWritesTo(master, idle, 'before')
    const rest = keepBusy(busy)
    master.freeze()
    const promoted = await trio.promoted(master)
    await connected(busy)
    await expectWritesTo(promoted, busy, 'after')
    await eventually('the idle one has heard of it', async () => (await connectionsTo(promoted)) > 20)
    master.thaw()
    for (let i = 0; i < 20; i++) await expectWritesTo(promoted, idle, `after its return, ${i}`)
    const { worstMs, outcomes } = await rest()
    expect(worstMs).toBeLessThan(BOUND_MS)
    for (const outcome of outcomes) expect(['read', 'applied', 'UNAVAILABLE', 'TIMEOUT']).toContain(outcome)
  })

  test('that is heard of while a connection still asks the sentinels', async () => {
    const trio = await ownTrio()
    const frozen = await RedisServer.startSentinel([])
    onTestFinished(() => frozen.stop())
    frozen.freeze()
    const store = openStore({
      timeouts: { connect: '5s' },
      connection: {
        sentinels: [{ host: '127.0.0.1', port: frozen.port }, ...trio.addresses],
        name: trio.name,
      },
    })
    const [first] = trio.sentinels as [RedisServer]
    await eventually('it listens', async () => (await connectionsTo(first, 'PUBSUB')) > 0)
    const master = await trio.master()
    await ask(first, client => client.call('SENTINEL', 'FAILOVER', trio.name))
    const promoted = await trio.promoted(master)
    await connected(store)
    await expectWritesTo(promoted, store, 'after')
  })

  async function connectionsTo(server: RedisServer, type: 'NORMAL' | 'PUBSUB' = 'NORMAL'): Promise<number> {
    const clients = await ask(server, client => client.call('CLIENT', 'LIST', 'TYPE', type))
    return String(clients).split('\n').filter(Boolean).length
  }
})

describe('the sentinels', () => {
  /** One that watches a master, each with a password of its own. */
  async function guarded(): Promise<{ sentinel: RedisServer; master: RedisServer }> {
    const master = await ownServer(['--requirepass', 'master-password'])
    const sentinel = await RedisServer.startSentinel([
      `sentinel monitor guarded 127.0.0.1 ${master.port} 1`,
      'sentinel auth-pass guarded master-password',
      'requirepass sentinel-password',
    ])
    onTestFinished(() => sentinel.stop())
    return { sentinel, master }
  }

  test('are asked one after the other: a dead or frozen one is passed over', async () => {
    const { sentinel } = await guarded()
    const frozen = await RedisServer.startSentinel([])
    onTestFinished(() => frozen.stop())
    frozen.freeze()
    const store = openStore({
      timeouts: { connect: '200ms', read: '10s', write: '10s' },
      connection: {
        name: 'guarded',
        sentinels: [{ port: await freePort() }, frozen, sentinel].map(({ port }) => ({
          host: '127.0.0.1',
          port,
        })),
        password: 'master-password',
        sentinelPassword: 'sentinel-password',
      },
    })
    await connected(store)
    expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
  })

  test.each([
    [
      'that refuse a password are an error of configuration',
      'CONFIGURATION',
      /sentinels refuse/,
      'guarded',
      'hunter2',
    ],
    ['that want one and get none too', 'CONFIGURATION', /sentinels refuse/, 'guarded', undefined],
    [
      'that know no such master make Redis unavailable',
      'UNAVAILABLE',
      /name right/,
      'other',
      'sentinel-password',
    ],
  ] as const)('%s', async (_title, code, message, name, sentinelPassword) => {
    const { sentinel } = await guarded()
    const store = openStore({
      connection: {
        name,
        sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
        password: 'master-password',
        sentinelPassword,
      },
    })
    const errorOf = (): Promise<unknown> => store.get('k').catch(thrown => thrown)
    await eventually('told', async () => message.test(String(await errorOf())))
    const error = await errorOf()
    expect(error).toBeInstanceOf(CacheError)
    expect(error).toMatchObject({ code })
    expect(await store.set('k', entry(1))).toMatchObject({ status: 'failed', error: { code } })
  })

  test('that are all away, or come late, are asked again until one answers', async () => {
    const { sentinel } = await guarded()
    await sentinel.kill()
    const store = openStore({
      connection: {
        name: 'guarded',
        sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
        password: 'master-password',
        sentinelPassword: 'sentinel-password',
      },
    })
    // With the first round of the sentinels, not with the deadline of each of its connections.
    await eventually('refused', () => !('starting' in store.health()))
    const clock = new ManualClock()
    const patient = openStore({
      connection: { name: 'guarded', sentinels: [{ host: '127.0.0.1', port: sentinel.port }] },
      clock,
    })
    expect(await codeOf(patient.get('k'))).toBe('UNAVAILABLE')
    expect(await codeOf(store.get('k'))).toBe('UNAVAILABLE')
    await sentinel.restart()
    await connected(store)
    expect(await codeOf(store.get('k'))).toBeUndefined()
  })

  test('need no more than the permissions in docs/deployments.md', async () => {
    const { sentinel } = await guarded()
    const text = await readFile(new URL('../../../docs/deployments.md', import.meta.url), 'utf8')
    const [, rules = ''] = /sentinel user needs `([^`]+)`/.exec(text) ?? []
    const admin = openClient(`redis://:sentinel-password@127.0.0.1:${sentinel.port}`)
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>app-password', ...rules.split(' '))
    const store = patientStore({
      connection: {
        name: 'guarded',
        sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
        password: 'master-password',
        sentinelUsername: 'app',
        sentinelPassword: 'app-password',
      },
    })
    await connected(store)
    await eventually('it listens', async () =>
      String(await admin.call('CLIENT', 'LIST', 'TYPE', 'PUBSUB')).includes('user=app'),
    )
  })

  test('are listened to by one connection each, however many the pool has, and by none once it is closed', async () => {
    const { sentinel } = await guarded()
    const admin = openClient(`redis://:sentinel-password@127.0.0.1:${sentinel.port}`)
    const listeners = async (): Promise<number> =>
      String(await admin.call('CLIENT', 'LIST', 'TYPE', 'PUBSUB'))
        .split('\n')
        .filter(Boolean).length
    const store = patientStore({
      connection: {
        name: 'guarded',
        sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
        password: 'master-password',
        sentinelPassword: 'sentinel-password',
      },
    })
    await connected(store)
    await eventually('it listens', async () => (await listeners()) === 1)
    await store.close()
    await eventually('nobody listens', async () => (await listeners()) === 0)
  })
})

test.each([
  ['connection.name', { sentinels: [{ port: 1 }] }],
  ['connection.name', { sentinels: [{ port: 1 }], name: '' }],
  ['connection.sentinels', { sentinels: [], name: 'm' }],
  ['connection.sentinels', { sentinels: 'localhost:26379' as never, name: 'm' }],
])('%s is refused by name if it cannot be meant', (option, connection) => {
  expect(() => openStore({ connection })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(option) }),
  )
})
