import { RedisCluster } from '@cache/test-support'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

let cluster: RedisCluster
beforeAll(async () => {
  cluster = await RedisCluster.start()
})
afterAll(() => cluster.stop())

/** CRC16 of `foo`, as Redis documents it. */
const SLOT_OF_FOO = 12_182

function openCluster(): Cluster {
  const client = new Cluster(cluster.addresses, { slotsRefreshInterval: 1_000 })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

test('the six nodes of a test are one cluster, through a reshard and a failover', async () => {
  const client = openCluster()
  expect(await client.set('foo', 'bar')).toBe('OK')
  expect(await cluster.masters()).toHaveLength(3)

  const [first] = await cluster.masters()
  const before = await cluster.masterOf(SLOT_OF_FOO)
  if (!first) throw new Error('there is no master')
  await cluster.moveSlots(before, first, [SLOT_OF_FOO - 50, SLOT_OF_FOO + 50])
  expect(await cluster.masterOf(SLOT_OF_FOO)).toBe(first)
  expect(await client.get('foo')).toBe('bar')

  first.freeze()
  await cluster.failedOver(first)
  expect(await cluster.masterOf(SLOT_OF_FOO)).not.toBe(first)
  expect(await client.get('foo')).toBe('bar')
  expect(await client.set('foo', 'baz')).toBe('OK')
  first.thaw()
})
