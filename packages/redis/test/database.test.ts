import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import { systemClock } from '@cache/core'
import { eventually } from '@cache/test-support'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connector } from '../src/connect.ts'
import { RedisBus, type RedisStore } from '../src/index.ts'
import { Pool } from '../src/pool.ts'
import { codeOf, connected, entry, eventsOf, openClient, ownServer, patientStore } from './support.ts'

const REFUSED = { status: 'failed', error: { code: 'CONFIGURATION' } }

async function expectRefused(store: RedisStore): Promise<void> {
  expect(await codeOf(store.get('k'))).toBe('CONFIGURATION')
  expect(await store.set('k', entry(1))).toMatchObject(REFUSED)
  expect(await store.clear()).toMatchObject(REFUSED)
  expect(await store.bus.publish({ type: 'clear' })).toMatchObject(REFUSED)
  expect(store.health().available).toBe(false)
  await eventually('every connection was refused', () => !('starting' in store.health()))
}

async function serverWithUser() {
  const server = await ownServer()
  const admin = openClient(server.url)
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, rules = ''] = /ACL user: `([^`]+)`/.exec(readme) ?? []
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>hunter2', ...rules.split(/\s+/))
  await admin.set('cache:bystander', 'of database 0')
  return { server, admin, url: `redis://app:hunter2@127.0.0.1:${server.port}/3` }
}

describe('a database that Redis refuses', () => {
  test.each([
    ['in a URL', (port: number) => ({ url: `redis://127.0.0.1:${port}/99` })],
    ['in options', (port: number) => ({ connection: { port, db: 99 } })],
    ['beyond all numbers', (port: number) => ({ connection: { port, db: 2 ** 40 } })],
  ])(
    'because it does not exist, %s, is an error of configuration, and none is used instead',
    async (_where, to) => {
      const server = await ownServer()
      const admin = openClient(server.url)
      await admin.set('cache:bystander', 'of database 0')
      const store = patientStore(to(server.port))
      const events = eventsOf(store)
      await expectRefused(store)
      expect(await admin.keys('*')).toEqual(['cache:bystander'])
      expect(events.filter(event => event.type === 'error' && event.operation === 'connect')).toHaveLength(1)
      const bus = new RedisBus({ ...to(server.port), timeouts: { write: '10s' } })
      onTestFinished(() => bus.close())
      expect(await bus.publish({ type: 'clear' })).toMatchObject(REFUSED)
    },
  )

  test('because the user lacks +select likewise, until a connection is granted it', async () => {
    const { admin, url } = await serverWithUser()
    const store = patientStore({ url })
    await expectRefused(store)
    expect(inspect(await store.set('k', entry(1)), { depth: 20, showHidden: true })).not.toContain('hunter2')
    await admin.call('ACL', 'SETUSER', 'app', '+select')
    await admin.call('CLIENT', 'KILL', 'USER', 'app')
    await connected(store)
    expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
    expect(await store.clear()).toEqual({ status: 'applied' })
    expect(await admin.keys('*')).toEqual(['cache:bystander'])
  })

  test('from a reconnection on is refused from then on', async () => {
    const { admin, url } = await serverWithUser()
    await admin.call('ACL', 'SETUSER', 'app', '+select')
    const store = patientStore({ url })
    await connected(store)
    expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
    await admin.call('ACL', 'SETUSER', 'app', '-select')
    await admin.call('CLIENT', 'KILL', 'USER', 'app')
    await eventually('refused', async () => (await codeOf(store.get('k'))) === 'CONFIGURATION')
    await expectRefused(store)
    expect(await admin.keys('*')).toEqual(['cache:bystander'])
  })
})

test('nothing is sent before Redis has selected the database', async () => {
  const server = await ownServer()
  const connect = connector({ url: `${server.url}/3` }, { connectMs: 10_000, silenceMs: 10_000 })
  const pool = new Pool({
    client: undefined,
    connect: () => {
      const client = connect()
      client.on('ready', () => server.freeze())
      return client
    },
    size: 1,
    name: 'test',
    clock: systemClock,
    emit: () => {},
  })
  onTestFinished(() => pool.close())
  const run = (): Promise<unknown> => pool.run('get', pool.forRead(), 500, client => client.ping())
  // Had it been sent, this were a TIMEOUT.
  expect(await codeOf(run())).toBe('UNAVAILABLE')
  server.thaw()
  await eventually('selected', () => pool.health().available)
  expect(await run()).toBe('PONG')
})
