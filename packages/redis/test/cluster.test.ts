import { isVacant, type Lease, SUPERSEDED, type WriteOutcome } from '@cache/core'
import { eventually, RedisCluster, type RedisServer } from '@cache/test-support'
import fc from 'fast-check'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { RedisBus, RedisStore, type RedisStoreOptions } from '../src/index.ts'
import { slotOf } from '../src/slots.ts'
import {
  codeOf,
  collect,
  connected,
  durationOf,
  entry,
  eventsOf,
  openStore,
  patientStore,
} from './support.ts'

let servers: RedisCluster
let admin: Cluster
beforeAll(async () => {
  servers = await RedisCluster.start()
  admin = openCluster()
}, 60_000)
afterAll(async () => {
  admin.disconnect()
  await servers.stop()
})

function openCluster(): Cluster {
  const client = new Cluster(servers.addresses, { slotsRefreshInterval: 1_000 })
  client.on('error', () => {})
  return client
}

let prefixes = 0
const newPrefix = (): string => `cluster${prefixes++}:`

describe.each([
  ['the option `cluster`', (): RedisStoreOptions => ({ cluster: { nodes: servers.addresses.slice(0, 2) } })],
  [
    'a client of one’s own',
    (): RedisStoreOptions => {
      const client = openCluster()
      onTestFinished(() => client.disconnect())
      return { client }
    },
  ],
])('a store with %s', (_way, where) => {
  async function pair(prefix = newPrefix()): Promise<[RedisStore, RedisStore, string]> {
    const stores = [patientStore({ ...where(), prefix }), patientStore({ ...where(), prefix })] as const
    await Promise.all(stores.map(connected))
    return [...stores, prefix]
  }

  test('keeps entries, falsy values among them', async () => {
    const [a, b] = await pair()
    for (const [key, value] of Object.entries({ null: null, zero: 0, empty: '', no: false, list: [] })) {
      const written = entry(value)
      expect(await a.set(key, written)).toEqual({ status: 'applied' })
      expect(await b.get(key)).toEqual(written)
    }
    expect(await b.delete('zero')).toEqual({ status: 'applied' })
    expect(await a.get('zero')).toBeUndefined()
    expect(await a.get('null')).toMatchObject({ value: null })
  })

  test.each(['plain:', '{tag}:', 'a{b', 'a}b{c}d', '}{', 'x{\0'])(
    'takes keys with braces, under the prefix %j',
    async beginning => {
      const [a, b, prefix] = await pair(`${beginning}${prefixes++}`)
      const keys = ['{', '}', '{}', '{}{x}', 'a{b}c', '}{', '{{a}}', '\0{order}last']
      for (const key of keys) {
        expect(await a.set(key, entry(key))).toEqual({ status: 'applied' })
        expect(await b.get(key)).toMatchObject({ value: key })
        expect(await b.delete(key)).toEqual({ status: 'applied' })
        const lease = await leaseOf(a, key)
        expect(await a.renew(key, lease, 5_000)).toBe(true)
        expect(await a.fill(key, { ...entry(key), tags: [key] }, lease)).toEqual({ status: 'applied' })
        expect(await a.touch(key, Date.now() + 50_000, Date.now() + 50_000)).toEqual({ status: 'applied' })
      }
      expect((await b.getMany(keys)).found.size).toBe(keys.length)
      expect(new Set(await collect(b.keys()))).toEqual(new Set(keys))
      expect(await b.invalidateTags(['{}', '}{'])).toEqual({ status: 'applied' })
      await eventually('heard', async () => (await a.getMany(keys)).found.size === keys.length - 2)
      expect(await a.clear('{')).toEqual({ status: 'applied' })
      await eventually('heard', async () => (await b.getMany(keys)).found.size === 3)
      expect([...(await a.getMany(keys)).found.keys()]).toEqual(['}', 'a{b}c', '\0{order}last'])
      expect(await a.deleteMany(keys)).toEqual({ status: 'applied' })
      await eventually('swept', async () => (await rawKeys(prefix)).every(key => key.includes('\0{order}')))
    },
  )

  test('reads, writes and removes batches over all slots and says what is there, in the order asked for', async () => {
    const [a, b] = await pair()
    const keys = Array.from({ length: 300 }, (_, i) => `key${i}`)
    const entries = new Map(keys.map(key => [key, entry(key)]))
    expect(await a.setMany(entries)).toEqual({ status: 'applied' })
    const read = await b.getMany(['none', ...keys])
    expect(read.failures).toBeUndefined()
    expect([...read.found]).toEqual([...entries])
    expect(await b.deleteMany(keys.slice(0, 299))).toEqual({ status: 'applied' })
    expect([...(await a.getMany(keys)).found.keys()]).toEqual(['key299'])
  })

  test('sends a batch to each master once, and not key by key', async () => {
    const [a] = await pair()
    const keys = Array.from({ length: 90 }, (_, i) => `key${i}`)
    await a.setMany(new Map(keys.map(key => [key, entry(key)])))
    const before = await statistics()
    await a.setMany(new Map(keys.map(key => [key, entry(key)])))
    await a.getMany(keys)
    const after = await statistics()
    // A set for each key, a message from each master, no key redirected.
    expect(after.set - before.set).toBe(90)
    expect(after.publish - before.publish).toBe(3)
    expect(after.get - before.get).toBe(0)
    expect(after.moved - before.moved).toBe(0)
  })

  test('reads foreign bytes and foreign types as misses, in batches too', async () => {
    const [a, , prefix] = await pair()
    await admin.set(`${prefix}text`, 'no envelope')
    await admin.rpush(`${prefix}list`, 'x')
    expect(await a.get('text')).toBeUndefined()
    expect(await a.get('list')).toBeUndefined()
    expect(await a.getMany(['text', 'list'])).toEqual({ found: new Map() })
  })

  test('gives one lease, takes it away with every write, and fills with it only', async () => {
    const [a, b] = await pair()
    const first = await leaseOf(a, 'k')
    expect(await b.getOrLease('k', 5_000)).toEqual({ vacant: true, lease: undefined })
    await b.delete('k')
    expect(await a.fill('k', entry('old'), first)).toBe(SUPERSEDED)
    const second = await leaseOf(b, 'k')
    expect(await b.fill('k', entry('new'), second)).toEqual({ status: 'applied' })
    expect(await a.get('k')).toMatchObject({ value: 'new' })
    const third = await leaseOf(a, 'other')
    await a.release('other', third)
    await leaseOf(b, 'other')
  })

  test('invalidates tags and clears scopes on every master', async () => {
    const [a, b, prefix] = await pair()
    const keys = Array.from({ length: 60 }, (_, i) => `${i % 2 ? 'odd' : 'even'}:${i}`)
    const tagged = (key: string) => ({ ...entry(key), tags: [key.split(':')[0] as string] })
    await a.setMany(new Map(keys.map(key => [key, tagged(key)])))
    expect((await b.getMany(keys)).found.size).toBe(60)
    await b.invalidateTags(['odd'])
    await eventually('heard', async () => (await a.getMany(keys)).found.size === 30)
    await a.setMany(new Map(keys.map(key => [key, tagged(key)])))
    expect(await a.clear('even:')).toEqual({ status: 'applied' })
    await eventually('heard', async () => (await b.getMany(keys)).found.size === 30)
    // What was cleared is removed from all three masters.
    await eventually(
      'swept',
      async () => (await rawKeys(prefix)).filter(key => key.startsWith(`${prefix}even`)).length === 0,
    )
    expect((await rawKeys(prefix)).filter(key => key.startsWith(`${prefix}odd`))).toHaveLength(30)
  })

  test('lists the keys of every master, and of a scope', async () => {
    const [a] = await pair()
    const keys = Array.from({ length: 40 }, (_, i) => `${i % 2 ? 'odd' : 'even'}:${i}`)
    await a.setMany(new Map(keys.map(key => [key, entry(key)])))
    expect(new Set(await collect(a.keys()))).toEqual(new Set(keys))
    expect(await collect(a.keys('odd:'))).toHaveLength(20)
  })

  test('hears what others write on any master', async () => {
    const [a, b] = await pair()
    const heard = new Set<string>()
    b.bus.subscribe(message => {
      if (message.type === 'keys') for (const key of message.keys) heard.add(key)
    })
    for (let i = 0; i < 20; i++) await a.set(`single${i}`, entry(i))
    await a.setMany(new Map(Array.from({ length: 50 }, (_, i) => [`many${i}`, entry(i)])))
    await a.fill('filled', entry(1), await leaseOf(a, 'filled'))
    await eventually('all heard', () => heard.size === 71)
    const bus = new RedisBus({ ...(where() as object), prefix: 'elsewhere:' })
    const other = new RedisBus({ ...(where() as object), prefix: 'elsewhere:' })
    onTestFinished(() => bus.close())
    onTestFinished(() => other.close())
    const messages: unknown[] = []
    other.subscribe(message => messages.push(message))
    await eventually('connected', () => other.connected)
    await eventually('published', async () => (await bus.publish({ type: 'clear' })).status === 'applied')
    await eventually('heard', () => messages.length === 1)
  })

  test('keeps the writes of a key in the order they were made, whatever they weigh', async () => {
    const [a, b] = await pair()
    const large = 'x'.repeat(400_000)
    for (let round = 0; round < 5; round++) {
      const writes = Array.from({ length: 20 }, (_, i) =>
        i % 5 === 3 ? a.delete('k') : a.set('k', entry(i % 7 === 0 ? large : i)),
      )
      await Promise.all([
        ...writes,
        a.setMany(
          new Map([
            ['k', entry('last')],
            ['l', entry(1)],
          ]),
        ),
      ])
      expect(await b.get('k')).toMatchObject({ value: 'last' })
    }
  })

  test('goes on through a reshard, batch and single, and loses nothing', async () => {
    const [a, b] = await pair()
    const keys = Array.from({ length: 200 }, (_, i) => `key${i}`)
    const prefix = `cluster${prefixes - 1}:`
    await a.setMany(new Map(keys.map(key => [key, entry(`${key}-0`)])))
    const heard = new Set<string>()
    let round = 0
    const problems: unknown[] = []
    let moving = true
    const load = async (): Promise<void> => {
      while (moving) {
        round++
        const outcome = await a.setMany(new Map(keys.map(key => [key, entry(`${key}-${round}`)])))
        if (outcome.status !== 'applied') problems.push(outcome)
        const { found, failures } = await b.getMany(keys)
        if (failures) problems.push(failures)
        for (const key of keys) {
          if (found.get(key)?.value !== `${key}-${round}`) problems.push([key, round, found.get(key)?.value])
        }
        const single = keys[round % keys.length] as string
        if ((await b.get(single))?.value !== `${single}-${round}`) problems.push(single)
        const written = await b.set(single, entry(`${single}-${round}`))
        if (written.status !== 'applied') problems.push(written)
      }
    }
    b.bus.subscribe(message => {
      if (message.type === 'keys') for (const key of message.keys) heard.add(key)
    })
    const [first, second] = await servers.masters()
    if (!first || !second) throw new Error('there are no masters')
    const loading = load()
    const slots = new Set(keys.map(key => slotOf(`${prefix}${key}`)))
    const moved = [...slots].filter(slot => slot < 5_461).slice(0, 8)
    for (const slot of moved) await move(first, second, slot)
    for (const slot of moved) await move(second, first, slot)
    moving = false
    await loading
    expect(problems).toEqual([])
    expect(round).toBeGreaterThan(3)
    expect(heard.size).toBe(keys.length)
  })

  test('keeps the order of writes that do not wait for each other, however often their slot is moved', async () => {
    const [a, b, prefix] = await pair()
    const slot = slotOf(`${prefix}k`)
    const home = await servers.masterOf(slot)
    const other = (await servers.masters()).find(node => node !== home) as RedisServer
    let moving = true
    const moves = async (): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        await move(home, other, slot)
        await move(other, home, slot)
      }
      moving = false
    }
    const moved = moves()
    const wrong: unknown[] = []
    for (let latest = 0; moving; ) {
      const writes: Promise<WriteOutcome>[] = []
      for (let i = 0; i < 6; i++) {
        // The other one is how the client learns of a move while writes of the first are under way.
        writes.push(a.set('k', entry(++latest)), a.set(`{${prefix}k}`, entry(0)))
        await new Promise(resolve => setImmediate(resolve))
      }
      const outcomes = await Promise.all(writes)
      const value = (await b.get('k'))?.value
      const unsuccessful = outcomes.filter(({ status }) => status !== 'applied')
      if (value !== latest || unsuccessful.length > 0) wrong.push([value, latest, unsuccessful])
    }
    await moved
    expect(wrong).toEqual([])
  })

  test('reads and writes what is being moved, before and after it was', async () => {
    const [a, b, prefix] = await pair()
    const slot = slotOf(`${prefix}{moving}`)
    const from = await servers.masterOf(slot)
    const to = (await servers.masters()).find(node => node !== from)
    if (!to) throw new Error('there is no other master')
    const keys = Array.from({ length: 8 }, (_, i) => `{moving}${i}`)
    const node = (port: number) => admin.nodes('master').find(({ options }) => options.port === port)
    const [source, target] = [node(from.port), node(to.port)]
    if (!source || !target) throw new Error('a master is not connected')
    await a.setMany(new Map(keys.map(key => [key, entry(key)])))
    await target.cluster('SETSLOT', slot, 'IMPORTING', (await source.cluster('MYID')) as string)
    await source.cluster('SETSLOT', slot, 'MIGRATING', (await target.cluster('MYID')) as string)
    const moved = keys.slice(0, 4)
    const heard: string[] = []
    a.bus.subscribe(message => {
      if (message.type === 'keys' && message.source === b.bus.id) heard.push(...message.keys)
    })
    await source.migrate('127.0.0.1', to.port, '', 0, 1_000, 'KEYS', ...moved.map(key => prefix + key))
    // Half of the keys here, half there: a command with several of them is refused by both.
    try {
      expect([...(await b.getMany(keys)).found.keys()]).toEqual(keys)
      expect(await b.setMany(new Map([...keys, '{moving}new'].map(key => [key, entry('new')])))).toEqual({
        status: 'applied',
      })
      expect((await a.getMany([...keys, '{moving}new'])).found.size).toBe(9)
      // What was redirected was not written when it was announced the first time.
      await eventually('announced behind the writes', () => heard.length === 9 + 5)
      expect(heard.sort()).toEqual([...keys, '{moving}new', ...moved, '{moving}new'].sort())
      const lease = await leaseOf(a, '{moving}leased')
      expect(await a.fill('{moving}leased', entry(1), lease)).toEqual({ status: 'applied' })
      expect(await b.get('{moving}leased')).toMatchObject({ value: 1 })
      expect(await b.deleteMany(keys)).toEqual({ status: 'applied' })
      expect((await a.getMany(keys)).found.size).toBe(0)
    } finally {
      await move(from, to, slot)
      await move(to, from, slot)
    }
    expect(await b.get('{moving}new')).toMatchObject({ value: 'new' })
  })

  test('works when every server has forgotten its scripts', async () => {
    const [a] = await pair()
    for (const node of admin.nodes('master')) await node.script('FLUSH')
    const lease = await leaseOf(a, 'k')
    expect(await a.fill('k', { ...entry(1), tags: ['t'] }, lease)).toEqual({ status: 'applied' })
    for (const node of admin.nodes('master')) await node.script('FLUSH')
    expect(await a.invalidateTags(['t'])).toEqual({ status: 'applied' })
    expect(await a.get('k')).toBeUndefined()
  })
})

/** Moves a slot, and waits until all masters know: moved on before that, it might be claimed by both. */
async function move(from: RedisServer, to: RedisServer, slot: number): Promise<void> {
  await servers.moveSlots(from, to, [slot, slot])
  await eventually('all masters agree', async () => {
    const views = await Promise.all(admin.nodes('master').map(node => node.cluster('NODES')))
    const epochs = views.map(view =>
      String(view)
        .trim()
        .split('\n')
        .map(line => line.split(' '))
        .filter(([, , flags]) => flags?.includes('master'))
        .map(([id, , , , , , epoch]) => `${id} ${epoch}`)
        .sort()
        .join(),
    )
    return new Set(epochs).size === 1
  })
}

async function leaseOf(store: RedisStore, key: string): Promise<Lease> {
  const read = await store.getOrLease(key, 5_000)
  if (!isVacant(read) || !read.lease) throw new Error('no lease was granted')
  return read.lease
}

/** Everything under a prefix, on all masters. */
async function rawKeys(prefix: string): Promise<string[]> {
  const keys = await Promise.all(admin.nodes('master').map(node => node.keys('*')))
  return keys.flat().filter(key => key.startsWith(prefix))
}

/** How often all masters together ran these commands. */
async function statistics(): Promise<Record<'get' | 'set' | 'publish' | 'moved', number>> {
  const infos = await Promise.all(admin.nodes('master').map(node => node.info('everything')))
  const sum = (pattern: RegExp): number =>
    infos.reduce((total, info) => total + Number(pattern.exec(info)?.[1] ?? 0), 0)
  return {
    get: sum(/cmdstat_get:calls=(\d+)/),
    set: sum(/cmdstat_set:calls=(\d+)/),
    publish: sum(/cmdstat_publish:calls=(\d+)/),
    moved: sum(/errorstat_MOVED:count=(\d+)/),
  }
}

describe('a store of a cluster', () => {
  test('lets the first calls wait until it is connected', async () => {
    const store = patientStore({ cluster: { nodes: servers.addresses }, prefix: newPrefix() })
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
    const calls = [store.set('a', entry(1)), store.setMany(new Map(keys.map(key => [key, entry(key)])))]
    expect(await Promise.all(calls)).toEqual([{ status: 'applied' }, { status: 'applied' }])
    expect((await store.getMany(keys)).found.size).toBe(50)
  })

  test('opens two connections to each master, and none to a replica', async () => {
    const redisOptions = { connectionName: 'counted' }
    const nodes = servers.addresses.slice(0, 1)
    const store = patientStore({ cluster: { nodes, redisOptions }, prefix: newPrefix() })
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
    await store.setMany(new Map(keys.map(key => [key, entry(key)])))
    await eventually('connected', async () => {
      await Promise.all(keys.map(key => store.get(key)))
      return (await connectionsOf('counted')).join() === '2,2,2,0,0,0'
    })
    expect(store.health().pool).toMatchObject({ size: 2, ready: 2 })
  })

  test('has no use for a prefix whose braces keep our own keys apart', () => {
    const cluster = { nodes: servers.addresses }
    expect(() => new RedisStore({ cluster, prefix: 'a{}:' })).toThrow(/^prefix must be without \{\}/)
  })

  test('says that a server is no cluster', async () => {
    const { RedisServer } = await import('@cache/test-support')
    const server = await RedisServer.start()
    onTestFinished(() => server.stop())
    const store = openStore({ cluster: { nodes: [{ host: '127.0.0.1', port: server.port }] } })
    await eventually('said', async () => (await codeOf(store.get('k'))) === 'CONFIGURATION')
    await expect(store.get('k')).rejects.toThrow('the server is no node of a Redis Cluster')
  })

  test('fails fast while no node can be reached, closes at once, and tells of it once', async () => {
    const store = new RedisStore({ cluster: { nodes: [{ host: '127.0.0.1', port: 1 }] } })
    const events = eventsOf(store)
    await codeOf(store.get('k'))
    for (let i = 0; i < 20; i++) {
      expect(await durationOf(() => store.get('k'))).toBeLessThan(150)
      expect(await codeOf(store.get('k'))).toBe('UNAVAILABLE')
      expect(await store.set('k', entry(1))).toMatchObject({ status: 'failed' })
    }
    expect(await durationOf(() => store.close())).toBeLessThan(300)
    expect(events.filter(({ type }) => type === 'error').length).toBeLessThanOrEqual(1)
  })

  test('leaves a client that is not its own open, and none of its own connections behind', async () => {
    const client = openCluster()
    onTestFinished(() => client.disconnect())
    const store = new RedisStore({ client, prefix: newPrefix() })
    await connected(store)
    await store.close()
    expect(client.status).toBe('ready')
    const cluster = { nodes: servers.addresses, redisOptions: { connectionName: 'left' } }
    const own = new RedisStore({ cluster, prefix: newPrefix() })
    await connected(own)
    await own.set('k', entry(1))
    await own.close()
    await eventually('gone', async () => (await connectionsOf('left')).every(count => count === 0))
  })

  test('needs no more than the documented rights', async () => {
    const rules =
      '~acl:* &acl:* +get +mget +set +getrange +setrange +unlink +pexpire +pttl +time +eval +evalsha +zadd +zrange ' +
      '+zremrangebyrank +zscore +scan +publish +subscribe +ping +info +hello +cluster|slots +cluster|info +asking +readonly +readwrite'
    for (const node of admin.nodes()) await node.acl('SETUSER', 'app', 'on', '>secret', ...rules.split(' '))
    const redisOptions = { username: 'app', password: 'secret', disableClientInfo: true }
    const store = patientStore({ cluster: { nodes: servers.addresses, redisOptions }, prefix: 'acl:' })
    await connected(store)
    const slot = slotOf('acl:{s}')
    const from = await servers.masterOf(slot)
    const to = (await servers.masters()).find(node => node !== from) as RedisServer
    const keys = ['{s}1', '{s}2', 'a', 'b', 'c']
    const moving = move(from, to, slot)
    for (let i = 0; i < 20; i++) {
      expect(await store.setMany(new Map(keys.map(key => [key, { ...entry(i), tags: ['t'] }])))).toEqual({
        status: 'applied',
      })
      expect((await store.getMany(keys)).found.size).toBe(keys.length)
    }
    await moving
    expect(await store.fill('f', entry(1), await leaseOf(store, 'f'))).toEqual({ status: 'applied' })
    expect(await store.touch('f', Date.now() + 9_000, Date.now() + 9_000)).toEqual({ status: 'applied' })
    expect(await store.invalidateTags(['t'])).toEqual({ status: 'applied' })
    expect(await collect(store.keys())).toHaveLength(6)
    expect(await store.clear()).toEqual({ status: 'applied' })
    await eventually('swept', async () =>
      (await rawKeys('acl:')).every(key => key.startsWith('acl:\0{order}')),
    )
    for (const node of admin.nodes()) {
      // By its name the client introduces itself; nothing depends on that.
      const refused = ((await node.acl('LOG')) as unknown[][]).map(each => each[each.indexOf('object') + 1])
      expect(refused.filter(what => what !== 'client|setname')).toEqual([])
    }
    await move(to, from, slot)
  })

  test('says that the password is wrong', async () => {
    const redisOptions = { username: 'app', password: 'hunter2' }
    const store = openStore({ cluster: { nodes: servers.addresses, redisOptions }, prefix: 'acl:' })
    await eventually('said', async () => (await codeOf(store.get('k'))) === 'CONFIGURATION')
    await expect(store.get('k')).rejects.toThrow('Redis refuses our user name or password')
  })

  test('knows the slot of any key as the servers do', async () => {
    const node = admin.nodes('master')[0]
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[{}ab\u00fc\u{1f600}]{0,12}$/u), async key => {
        expect(slotOf(key)).toBe(await node?.cluster('KEYSLOT', key))
      }),
      { numRuns: 500 },
    )
  })
})

/** How many connections of this name, but for those that listen, each master has, and then each replica. */
async function connectionsOf(name: string): Promise<number[]> {
  const nodes = [...admin.nodes('master'), ...admin.nodes('slave')]
  const lists = await Promise.all(nodes.map(node => node.client('LIST', 'TYPE', 'NORMAL')))
  return lists.map(list => String(list).split(` name=${name} `).length - 1)
}
