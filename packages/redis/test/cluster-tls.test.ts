import { ask, certificates, eventually, RedisCluster, type RedisServer, TcpProxy } from '@cache/test-support'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { RedisStoreOptions } from '../src/index.ts'
import { slotOf } from '../src/slots.ts'
import { everythingWorks } from './every-operation.ts'
import { codeOf, connected, entry, openStore, patientStore } from './support.ts'

let servers: RedisCluster
beforeAll(async () => {
  servers = await RedisCluster.startTls()
}, 60_000)
afterAll(() => servers.stop())

const redisOptions = { tls: { ca: certificates.authority } }

const overTls = (): RedisStoreOptions => ({
  cluster: { nodes: servers.tlsAddresses.slice(0, 2), redisOptions },
})

test('over TLS to every node, everything works', async () => {
  const store = patientStore({ ...overTls(), prefix: 'tls:' })
  await connected(store)
  await everythingWorks(store)
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
  expect(await store.setMany(new Map(keys.map(key => [key, entry(key)])))).toEqual({ status: 'applied' })
  expect((await store.getMany(keys)).found.size).toBe(50)
})

test('with an authority that signed no certificate of its nodes, every call fails', async () => {
  const stranger = { tls: { ca: certificates.stranger } }
  const store = openStore({ cluster: { nodes: servers.tlsAddresses, redisOptions: stranger } })
  await eventually('refused', async () => (await codeOf(store.get('k'))) === 'UNAVAILABLE')
  expect(await store.set('k', entry(1))).toMatchObject({ status: 'failed' })
  expect(store.health().available).toBe(false)
})

test('nodes known by other addresses are reached by those that natMap gives, and by no other', async () => {
  const proxies = await Promise.all(servers.tlsAddresses.map(({ port }) => TcpProxy.start(port)))
  onTestFinished(async () => void (await Promise.all(proxies.map(proxy => proxy.stop()))))
  const reached = proxies.map(({ port }) => ({ host: '127.0.0.1', port }))
  const natMap = Object.fromEntries(
    proxies.map(({ target, port }) => [`127.0.0.1:${target}`, { host: '127.0.0.1', port }]),
  )
  const store = patientStore({ cluster: { nodes: reached, natMap, redisOptions }, prefix: 'nat:' })
  await connected(store)
  await everythingWorks(store)

  for (const proxy of proxies) proxy.mode = 'refuse'
  await eventually('cut off', async () => (await codeOf(store.get('k'))) === 'UNAVAILABLE')
  await eventually('no longer heard', () => !store.bus.connected)
  for (const proxy of proxies) proxy.mode = 'forward'
  await connected(store)
  await eventually('written', async () => (await store.set('k', entry(1))).status === 'applied')
})

test('while nobody holds some slots, nodes that want full coverage refuse every key', async () => {
  const store = openStore({ ...overTls(), prefix: 'full:' })
  await connected(store)
  const [first] = await servers.masters()
  if (!first) throw new Error('there is no master')
  const group = [first, ...(await replicasOf(first))]
  const elsewhere = await keyBeside(first)
  expect(await store.set(elsewhere, entry('kept'))).toEqual({ status: 'applied' })

  for (const node of group) await node.kill()
  await eventually('the rest refuses', async () => {
    const { status, error } = (await store.set(elsewhere, entry('lost'))) as { status: string; error?: Error }
    return status === 'failed' && error?.message === 'the Redis Cluster is down'
  })
  expect(await codeOf(store.get(elsewhere))).toBe('UNAVAILABLE')
  expect((await store.getMany([elsewhere])).found.size).toBe(0)

  for (const node of group) await node.restart()
  await eventually(
    'works again',
    async () => (await store.set(elsewhere, entry('new'))).status === 'applied',
    20_000,
  )
  await eventually('read', async () => (await store.get(elsewhere).catch(() => undefined))?.value === 'new')
}, 40_000)

async function replicasOf(master: RedisServer): Promise<RedisServer[]> {
  const [, , replicas] = await ask(master, client => client.role())
  const ports = (replicas as [host: string, port: string][]).map(([, port]) => Number(port))
  return servers.nodes.filter(
    ({ port, announcedPort }) => ports.includes(port) || ports.includes(announcedPort),
  )
}

/** A key that another master holds. */
async function keyBeside(master: RedisServer): Promise<string> {
  for (let i = 0; ; i++) {
    if ((await servers.masterOf(slotOf(`full:k${i}`))) !== master) return `k${i}`
  }
}
