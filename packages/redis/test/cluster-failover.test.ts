import type { Gap, Setback } from '@cache/core'
import { ask, eventually, RedisCluster, type RedisServer } from '@cache/test-support'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { RedisStore, RedisStoreOptions } from '../src/index.ts'
import { Keyspace } from '../src/keyspace.ts'
import { slotOf } from '../src/slots.ts'
import { codeOf, collect, connected, entry, openStore } from './support.ts'

const READ_MS = 100
const WRITE_MS = 250
/** Of a machine that runs six servers and a failover besides. */
const SLACK_MS = 300
/** Between two calls about a key. They are forty-eight at a time; without rest they would keep each other waiting. */
const REST_MS = 25

let servers: RedisCluster
beforeAll(async () => {
  // Else the slots that are left refuse everything as long as some are down.
  servers = await RedisCluster.start(['--cluster-require-full-coverage', 'no'])
}, 60_000)
afterAll(() => servers.stop())

/** How a node is lost, and how it comes back. */
interface Loss {
  readonly lose: (node: RedisServer) => void | Promise<void>
  readonly restore: (node: RedisServer) => void | Promise<void>
}
const killed: Loss = { lose: node => node.kill(), restore: node => node.restart() }
const frozen: Loss = { lose: node => node.freeze(), restore: node => node.thaw() }

const lost = new Map<RedisServer, Loss>()
async function lose(node: RedisServer, loss: Loss): Promise<void> {
  lost.set(node, loss)
  await loss.lose(node)
}
beforeEach(async () => {
  for (const [node, { restore }] of lost) {
    await restore(node)
    await eventually('a replica again', async () => {
      const info = await ask(node, client => client.info('replication')).catch(() => '')
      return info.includes('role:slave') && info.includes('master_link_status:up')
    })
  }
  lost.clear()
}, 30_000)

const own = (): RedisStoreOptions => ({ cluster: { nodes: servers.addresses } })

function borrowed(): RedisStoreOptions {
  const client = new Cluster(servers.addresses, { slotsRefreshInterval: 500, slotsRefreshTimeout: 500 })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return { client }
}

let prefixes = 0
async function pair(where: () => RedisStoreOptions): Promise<[RedisStore, RedisStore, string]> {
  const prefix = `failover${prefixes++}:`
  const stores = [openStore({ ...where(), prefix }), openStore({ ...where(), prefix })] as const
  await Promise.all(stores.map(connected))
  return [...stores, prefix]
}

/** Two dozen keys, as the masters hold them now; the first master of the list is that of our own keys. */
async function keysByMaster(prefix: string): Promise<Map<RedisServer, string[]>> {
  const keys = Array.from({ length: 24 }, (_, i) => `k${i}`)
  const order = await servers.masterOf(slotOf(new Keyspace(prefix).last))
  const byMaster = new Map<RedisServer, string[]>([[order, []]])
  for (const key of keys) {
    const master = await servers.masterOf(slotOf(prefix + key))
    byMaster.set(master, [...(byMaster.get(master) ?? []), key])
  }
  return byMaster
}

describe.each([
  ['the option `cluster`', own],
  ['a client of one’s own', borrowed],
])('with %s', (_way, where) => {
  test.each([
    ['killed', killed],
    ['frozen', frozen],
  ])(
    'a master that is %s costs its own keys some seconds, and no key its latest value',
    async (_how, loss) => {
      const [a, b, prefix] = await pair(where)
      const setbacks: Setback[] = []
      a.onSetback(setback => setbacks.push(setback))
      const byMaster = await keysByMaster(prefix)
      const [[, healthyToo = []] = [], [victim, doomed] = []] = [...byMaster]
      if (!victim || !doomed?.length) throw new Error('no key lies on the master to be lost')
      const keys = [...byMaster.values()].flat()
      const healthy = keys.filter(key => !doomed.includes(key))
      expect(healthy).toEqual(expect.arrayContaining(healthyToo))

      /** By key, the number of the last write, and of the last one that was answered `applied`. */
      const attempted = new Map<string, number>()
      const applied = new Map<string, number>()
      const problems: string[] = []
      const failedReads = new Set<string>()
      let number = 0
      let running = true
      const timed = async <T>(what: string, ms: number, call: () => Promise<T>): Promise<T> => {
        const start = performance.now()
        try {
          return await call()
        } finally {
          const took = performance.now() - start
          if (took > ms + SLACK_MS) problems.push(`${what} took ${Math.round(took)} ms`)
        }
      }
      const write = async (key: string): Promise<boolean> => {
        const value = ++number
        attempted.set(key, value)
        const { status } = await timed('a write', WRITE_MS, () => a.set(key, entry(value)))
        if (status === 'applied') applied.set(key, value)
        return status === 'applied'
      }
      const writing = async (key: string): Promise<void> => {
        while (running) {
          await write(key)
          await new Promise(resolve => setTimeout(resolve, REST_MS))
        }
      }
      const reading = async (key: string): Promise<void> => {
        while (running) {
          await timed('a read', READ_MS, () => b.get(key)).catch(() => failedReads.add(key))
          await new Promise(resolve => setTimeout(resolve, REST_MS))
        }
      }
      const batching = async (): Promise<void> => {
        while (running) {
          const { found, failures } = await timed('a batch', READ_MS, () => b.getMany(keys)).catch(() => ({
            found: new Map(),
            failures: new Map(keys.map(key => [key, undefined])),
          }))
          for (const key of failures?.keys() ?? []) failedReads.add(key)
          for (const key of keys) if (found.has(key) && failures?.has(key)) problems.push(`${key} is both`)
          await new Promise(resolve => setTimeout(resolve, REST_MS))
        }
      }

      for (const key of keys) expect(await write(key)).toBe(true)
      await ask(victim, client => client.wait(1, 2_000))
      const replicated = new Map(applied)

      const load = [...keys.map(writing), ...keys.map(reading), batching()]
      await new Promise(resolve => setTimeout(resolve, 200))
      await lose(victim, loss)
      // Rather no list than one in which a master's keys are missing.
      expect(await codeOf(collect(a.keys()))).toMatch(/^(UNAVAILABLE|TIMEOUT)$/)
      await servers.failedOver(victim)
      await eventually('all keys are written again', async () =>
        (await Promise.all(doomed.map(async key => (await a.set(`${key}again`, entry(1))).status))).every(
          status => status === 'applied',
        ),
      )
      const recovered = new Map(attempted)
      await eventually('each is written after that', () =>
        doomed.every(key => (applied.get(key) ?? 0) > (recovered.get(key) ?? 0)),
      )
      running = false
      await Promise.all(load)

      for (const key of keys) {
        const value = (await b.get(key))?.value as number | undefined
        // What the lost master answered last may be unknown to the one that took over: Redis replicates behind its answers.
        expect(value ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(replicated.get(key) as number)
        if (value !== undefined) expect(value).toBeGreaterThanOrEqual(applied.get(key) as number)
      }
      expect(problems).toEqual([])
      // One mark for all says nothing of what this master lost.
      await eventually('told', () => setbacks.length > 0)
      expect(await setbacks[0]?.survived).toBeUndefined()
      // The others were never in doubt.
      expect(healthy.filter(key => failedReads.has(key))).toEqual([])

      const last = new Map(keys.map(key => [key, entry(`last of ${key}`)]))
      expect(await a.setMany(last)).toEqual({ status: 'applied' })
      expect(await a.delete(doomed[0] as string)).toEqual({ status: 'applied' })
      expect(await b.clear('nothing')).toEqual({ status: 'applied' })
      if (loss === frozen) victim.thaw()
      // Nothing that was under way when the master was lost comes behind these.
      await new Promise(resolve => setTimeout(resolve, 1_000))
      const { found } = await b.getMany(keys)
      for (const key of keys.filter(each => each !== doomed[0])) {
        expect(found.get(key)?.value).toBe(`last of ${key}`)
      }
      expect(found.has(doomed[0] as string)).toBe(false)
    },
    40_000,
  )
})

test('a list of keys has those of every master, or is refused', async () => {
  const prefix = `listed${prefixes++}:`
  const store = openStore({ ...own(), prefix })
  await connected(store)
  const keys = Array.from({ length: 60 }, (_, i) => `k${i}`)
  await store.setMany(new Map(keys.map(key => [key, entry(key)])))
  const [victim] = await servers.masters()
  if (!victim) throw new Error('there is no master')
  await ask(victim, client => client.wait(1, 2_000))
  await lose(victim, killed)
  const lengths = new Set<number | string | undefined>()
  for (const end = performance.now() + 700; performance.now() < end; ) {
    const listed = await collect(store.keys()).catch(thrown => codeOf(Promise.reject(thrown)))
    lengths.add(Array.isArray(listed) ? listed.length : listed)
  }
  expect([...lengths].filter(length => length !== 60)).toEqual(['UNAVAILABLE'])
  await servers.failedOver(victim)
  await eventually(
    'listed again',
    async () => (await collect(store.keys()).catch(() => [])).length === keys.length,
  )
}, 30_000)

describe('a bus of a cluster', () => {
  async function listenedTo(prefix: string): Promise<RedisServer> {
    for (const node of servers.nodes) {
      const channels = await ask(node, client => client.pubsub('CHANNELS', `${prefix}*`)).catch(() => [])
      if ((channels as string[]).length > 0) return node
    }
    throw new Error('nobody is listened to')
  }

  async function listener(): Promise<{ store: RedisStore; gaps: Gap[]; heard: string[]; prefix: string }> {
    const prefix = `listening${prefixes++}:`
    const store = openStore({ ...own(), prefix })
    await connected(store)
    const gaps: Gap[] = []
    const heard: string[] = []
    store.bus.onGap(gap => gaps.push(gap))
    store.bus.subscribe(message => message.type === 'keys' && heard.push(...message.keys))
    return { store, gaps, heard, prefix }
  }

  async function hears(store: RedisStore, heard: string[]): Promise<void> {
    let i = 0
    await eventually('it hears again', async () => {
      await store.set(`probe${++i}`, entry(i))
      await new Promise(resolve => setTimeout(resolve, 20))
      return heard.includes(`probe${i}`)
    })
  }

  test.each([
    ['dies', killed],
    ['freezes', frozen],
  ])(
    'listens to another node when its own %s, and tells of the gap',
    async (_how, loss) => {
      const { store, gaps, heard, prefix } = await listener()
      const node = await listenedTo(prefix)
      await lose(node, loss)
      await eventually('a gap', () => gaps.some(gap => !gap.connected), 3_000)
      await eventually('listening again', () => gaps.at(-1)?.connected === true && store.bus.connected, 5_000)
      expect(await listenedTo(prefix)).not.toBe(node)
      await servers.failedOver(node)
      await hears(store, heard)
    },
    40_000,
  )

  test('does not trust a node that answers but is cut off from the others', async () => {
    const { store, gaps, heard, prefix } = await listener()
    const node = await listenedTo(prefix)
    const others = servers.nodes.filter(each => each !== node)
    for (const other of others) other.freeze()
    try {
      await eventually('a gap', () => gaps.some(gap => !gap.connected), 6_000)
      expect(store.bus.connected).toBe(false)
    } finally {
      for (const other of others) other.thaw()
    }
    await eventually('listening again', () => store.bus.connected, 15_000)
    await eventually(
      'writable again',
      async () => (await store.set('k', entry(1))).status === 'applied',
      15_000,
    )
    await hears(store, heard)
  }, 40_000)
})
