import type { Gap } from '@cache/core'
import { eventually, RedisCluster } from '@cache/test-support'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { RedisBus, type RedisBusOptions } from '../src/index.ts'
import { slotOf } from '../src/slots.ts'
import { connected, entry, patientStore } from './support.ts'

let servers: RedisCluster
let anyone: Cluster
beforeAll(async () => {
  // Else what is left refuses everything while a master is down.
  servers = await RedisCluster.start(['--cluster-require-full-coverage', 'no'])
  anyone = openCluster()
}, 60_000)
afterAll(async () => {
  anyone?.disconnect()
  await servers?.stop()
})

function openCluster(): Cluster {
  const client = new Cluster(servers.addresses, { slotsRefreshInterval: 500 })
  client.on('error', () => {})
  return client
}

const patience = { read: '10s', write: '10s', connect: '10s' } as const

let prefixes = 0
/** A bus that tracks, with all the keys and gaps that it has told since it was connected for the first time. */
async function tracking(options: Pick<RedisBusOptions, 'client' | 'cluster'>) {
  const prefix = `tracked${prefixes++}:`
  const bus = new RedisBus({ ...options, prefix, mode: 'tracking', timeouts: patience })
  onTestFinished(() => bus.close())
  const gaps: Gap[] = []
  bus.onGap(gap => gaps.push(gap))
  const keys: string[] = []
  bus.subscribe(message => {
    if (message.type === 'keys') keys.push(...message.keys)
  })
  await eventually('listening', () => bus.connected, 20_000)
  return { bus, prefix, gaps, keys }
}

/** A key of each master. */
async function spreadKeys(prefix: string): Promise<string[]> {
  const byMaster = new Map<unknown, string>()
  for (let i = 0; i < 60; i++) byMaster.set(await servers.masterOf(slotOf(`${prefix}k${i}`)), `k${i}`)
  return [...byMaster.values()].sort()
}

describe.each([
  ['the option `cluster`', () => ({ cluster: { nodes: servers.addresses.slice(0, 2) } })],
  [
    'a client of one’s own',
    () => {
      const client = openCluster()
      onTestFinished(() => client.disconnect())
      return { client }
    },
  ],
])('a bus that tracks, with %s', (_way, where) => {
  test('hears of what any program changes, on whichever master', async () => {
    const { prefix, gaps, keys } = await tracking(where())
    expect(gaps).toEqual([{ connected: true, reason: 'listening to Redis and what it tracks' }])
    const spread = await spreadKeys(prefix)
    expect(spread).toHaveLength(3)
    for (const key of spread) await anyone.set(prefix + key, 'x')
    await anyone.set('other:k1', 'x')
    await eventually('heard', () => keys.length >= 3)
    expect(keys.sort()).toEqual(spread)
  })

  test('hears what is announced, once', async () => {
    const { bus, prefix, keys } = await tracking(where())
    await anyone.publish(`${prefix}invalidate`, '{"v":1,"source":"peer","type":"keys","keys":["told"]}')
    await bus.publish({ type: 'keys', keys: ['own'] })
    await eventually('heard', () => keys.includes('told') && keys.includes('own'))
    await new Promise(resolve => setTimeout(resolve, 300)) // for those that must not come
    expect(keys.sort()).toEqual(['own', 'told'])
  })

  test('one connection lost is a gap, until all are there again', async () => {
    const { bus, prefix, gaps, keys } = await tracking(where())
    const [master] = await servers.masters()
    if (!master) throw new Error('there is no master')
    master.freeze()
    await eventually('noticed', () => !bus.connected)
    master.thaw()
    await eventually('back', () => bus.connected, 20_000)
    expect(gaps.slice(1).map(({ connected }) => connected)).toEqual([false, true])
    for (const key of await spreadKeys(prefix)) await anyone.set(prefix + key, 'y')
    await eventually('heard', () => keys.length >= 3)
  })
})

test('a store whose bus tracks works, and hears of every part of the cluster', async () => {
  const store = patientStore({ cluster: { nodes: servers.addresses }, bus: 'tracking', prefix: 'tracking:' })
  await connected(store)
  const heard: string[] = []
  store.bus.subscribe(message => {
    if (message.type === 'keys') heard.push(...message.keys)
  })
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  expect(await store.setMany(new Map(keys.map(key => [key, entry(key)])))).toEqual({ status: 'applied' })
  expect((await store.getMany(keys)).found.size).toBe(20)
  for (const key of keys) await anyone.unlink(`tracking:${key}`)
  await eventually('heard', () => keys.every(key => heard.filter(each => each === key).length >= 2))
  expect(await store.clear()).toEqual({ status: 'applied' })
})

test('after a failover it listens to the new master', async () => {
  const { bus, prefix, gaps, keys } = await tracking({ cluster: { nodes: servers.addresses } })
  const key = 'k1'
  const master = await servers.masterOf(slotOf(prefix + key))
  await master.kill()
  await eventually('noticed', () => !bus.connected)
  await servers.failedOver(master)
  await eventually('listening to the new one', () => bus.connected, 20_000)
  expect(gaps.at(-1)).toEqual({ connected: true, reason: 'listening to Redis and what it tracks' })
  keys.length = 0
  await eventually(
    'written',
    async () => (await anyone.set(prefix + key, 'x').catch(() => '')) === 'OK',
    20_000,
  )
  await eventually('heard', () => keys.includes(key))
  await master.restart()
}, 60_000)
