import type { Setback } from '@cache/core'
import { ask, eventually, type RedisServer, SentinelTrio, ToxicProxy } from '@cache/test-support'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import { connected, entry, openClient, openStore, ownServer, patientStore } from './support.ts'

/** What a store is told, and whether it had been let in by then. */
function toldTo(store: RedisStore): Setback[] {
  const told: Setback[] = []
  store.onSetback(setback => told.push(setback))
  return told
}

async function killAndRestart(server: RedisServer): Promise<void> {
  await server.kill()
  await server.restart()
}

describe('a server that begins anew', () => {
  test('has the marks that its snapshot has, and says so before anybody reads', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url })
    await connected(store)
    const kept = await store.mark()
    await store.set('k', entry('old'))
    await ask(server, client => client.save())
    const lost = await store.mark()
    expect(lost).toBeGreaterThan(kept)
    await store.delete('k')
    const reads: unknown[] = []
    let survived: number | undefined
    store.onSetback(async setback => {
      reads.push(await store.get('k').catch(({ code }) => code))
      survived = await setback.survived
    })
    await killAndRestart(server)
    await connected(store)
    await eventually('told', () => survived !== undefined)
    expect(survived).toBe(kept)
    expect(reads).toEqual(['UNAVAILABLE'])
    expect((await store.get('k'))?.value).toBe('old')
  })

  test('has none if it comes back empty', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url })
    await connected(store)
    await store.mark()
    const told = toldTo(store)
    await killAndRestart(server)
    await connected(store)
    expect(await told[0]?.survived).toBe(0)
    expect(told).toHaveLength(1) // However many connections there are.
  })

  test('is told from one whose connections were merely lost', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url })
    await connected(store)
    const told = toldTo(store)
    await ask(server, client => client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))
    await eventually('lost', () => store.health().pool?.ready !== 10)
    await connected(store)
    expect(told).toEqual([])
  })

  test.each(['garbage', '-1', '1e300', ''])('with %j for a mark has none', async garbage => {
    const server = await ownServer(['--appendonly', 'yes', '--appendfsync', 'always'])
    const store = openStore({ url: server.url })
    await connected(store)
    const told = toldTo(store)
    await ask(server, client => client.set('cache:\0{order}mark', garbage))
    await killAndRestart(server)
    await connected(store)
    expect(await told[0]?.survived).toBe(0)
  })

  test("is noticed through a client of one's own", async () => {
    const server = await ownServer()
    const client = openClient(server.url)
    const store = patientStore({ client })
    await connected(store)
    const told = toldTo(store)
    await killAndRestart(server)
    await eventually('told', () => told.length > 0)
    expect(await told[0]?.survived).toBe(0)
  })

  test('is noticed by nobody who may not ask, and works all the same', async () => {
    const server = await ownServer()
    const grant = (): Promise<unknown> =>
      ask(server, client =>
        client.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all', '-client'),
      )
    await grant()
    await ask(server, client => client.call('ACL', 'SETUSER', 'app', '-info'))
    const store = openStore({ url: server.url.replace('redis://', 'redis://app:secret@') })
    await connected(store)
    const told = toldTo(store)
    expect(await store.set('k', entry(1))).toEqual({ status: 'applied' })
    expect(told).toEqual([])
  })
})

test('a failover to a replica that was behind is a setback to the mark it had', {
  timeout: 60_000,
}, async () => {
  const trio = await SentinelTrio.start()
  onTestFinished(() => trio.stop())
  const store = openStore({ connection: { sentinels: trio.addresses, name: trio.name } })
  await connected(store)
  const master = await trio.master()
  const replica = trio.servers.find(server => server !== master) as RedisServer
  const kept = await store.mark()
  await eventually('copied', async () => (await markOf(replica)) === kept)
  // From here on it hears nothing more, though the master does not know.
  await ask(replica, client => client.replicaof('127.0.0.1', 1))
  await store.mark()
  const told = toldTo(store)
  await master.kill()
  await ask(replica, client => client.replicaof('127.0.0.1', master.port))
  await trio.promoted(master)
  await eventually('told', () => told.length > 0)
  expect(await told[0]?.survived).toBe(kept)
})

async function markOf(server: RedisServer): Promise<number> {
  return Number(await ask(server, client => client.get('cache:\0{order}mark')))
}

describe('a connection that was lost with a write', () => {
  test('is closed for good before another write of the key: what arrives late is not carried out', async () => {
    const server = await ownServer()
    const proxy = await ToxicProxy.start(server.port)
    onTestFinished(() => proxy.stop())
    const store = openStore({ url: proxy.url, poolSize: 1 })
    await connected(store)
    const end = proxy.inflict({ kind: 'late', afterMs: 1_500 }, 'commands')
    expect(await store.set('k', entry('late'))).toMatchObject({
      status: 'failed',
      error: { code: 'TIMEOUT' },
    })
    await eventually('given up', () => store.health().pool?.ready === 0)
    end()
    await connected(store)
    expect(await store.delete('k')).toEqual({ status: 'applied' })
    await new Promise(resolve => setTimeout(resolve, 2_000))
    expect(await store.get('k')).toBeUndefined()
  })

  test('is not looked for on another server, where its number is of somebody else', async () => {
    const server = await ownServer()
    const store = openStore({ url: server.url, poolSize: 1 })
    await connected(store)
    await server.kill()
    await server.restart()
    const bystanders = Array.from({ length: 20 }, () => new Redis(server.url, { retryStrategy: () => null }))
    onTestFinished(() => {
      for (const client of bystanders) client.disconnect()
    })
    await Promise.all(bystanders.map(client => client.ping()))
    await connected(store)
    expect(bystanders.map(({ status }) => status)).toEqual(bystanders.map(() => 'ready'))
  })
})
