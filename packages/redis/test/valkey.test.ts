import { testStore } from '@cache/conformance/vitest'
import { RedisServer } from '@cache/test-support'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisStore } from '../src/index.ts'
import { connected, entry, openClient, patientStore } from './support.ts'

/** `pnpm test` fetches one where it can. */
const program = process.env.VALKEY_SERVER

/** A store, and how often its server has run commands since. */
async function counted(url: string, prefix: string) {
  const store = patientStore({ url, prefix, batchSize: 100 })
  await connected(store)
  const client = openClient(url)
  await client.config('RESETSTAT')
  return {
    store,
    async calls(command: string): Promise<number> {
      const stats = await client.info('commandstats')
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
    },
  }
}

describe.skipIf(!program)('on Valkey', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await RedisServer.start([], { program: program as string })
  })
  afterAll(() => server?.stop())

  testStore('RedisStore on Valkey', {
    open: ({ space }) =>
      new RedisStore({
        url: server.url,
        prefix: `${space}:`,
        timeouts: { read: '10s', write: '10s', connect: '10s' },
      }),
    shared: true,
    capabilities: [
      'batching',
      'checking',
      'coherent',
      'enumerable',
      'health',
      'leasing',
      'marking',
      'measurable',
      'observed',
      'replacing',
      'tagging',
      'touching',
    ],
  })

  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)

  test('entries that live equally long are written by one command', async () => {
    const { store, calls } = await counted(server.url, 'equal:')
    const alike = entry('v')
    expect(await store.setMany(new Map(keys.map(key => [key, alike])))).toEqual({ status: 'applied' })
    expect([await calls('msetex'), await calls('set'), await calls('publish')]).toEqual([1, 0, 1])
    expect((await store.getMany(keys)).found.size).toBe(100)
    expect(await store.deleteMany(keys)).toEqual({ status: 'applied' })
    expect((await store.getMany(keys)).found.size).toBe(0)
  })

  test('of a mixture every entry has the life it was given', async () => {
    const { store, calls } = await counted(server.url, 'mixed:')
    const [short, long] = [entry('short', 5_000), entry('long', 50_000)]
    const over = { ...entry('over'), expiresAt: Date.now() - 1 }
    await store.set('over', entry('before'))
    const entries = new Map([
      ['s1', short],
      ['l1', long],
      ['over', over],
      ['s2', short],
      ['l2', long],
      ['alone', entry('alone', 20_000)],
    ])
    expect(await store.setMany(entries)).toEqual({ status: 'applied' })
    expect([await calls('msetex'), await calls('set')]).toEqual([2, 2])
    entries.delete('over')
    expect((await store.getMany(['over', ...entries.keys()])).found).toEqual(entries)
    const client = openClient(server.url)
    for (const [key, limit] of [
      ['s1', 5_000],
      ['l2', 50_000],
      ['alone', 20_000],
    ] as const) {
      const left = await client.pttl(`mixed:${key}`)
      expect(left, key).toBeGreaterThan(limit - 4_000)
      expect(left, key).toBeLessThanOrEqual(limit)
    }
  })

  test('who may not use that command writes one by one', async () => {
    const client = openClient(server.url)
    await client.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~*', '&*', '+@all', '-msetex')
    const { store, calls } = await counted(`redis://app:pw@127.0.0.1:${server.port}`, 'one by one:')
    const alike = entry('v')
    expect(await store.setMany(new Map(keys.map(key => [key, alike])))).toEqual({ status: 'applied' })
    expect([await calls('msetex'), await calls('set')]).toEqual([0, 100])
  })

  test('a command that is refused fails its keys, and says which', async () => {
    const full = await RedisServer.start([], { program: program as string })
    try {
      const store = patientStore({ url: full.url, batchSize: 2 })
      await store.set('k', entry(1))
      await openClient(full.url).config('SET', 'maxmemory', '1')
      const alike = entry(2)
      const outcome = await store.setMany(new Map(['k', 'l', 'm'].map(key => [key, alike])))
      expect(outcome).toMatchObject({ status: 'failed', error: { code: 'STORE' } })
      expect([...(outcome.failures?.keys() ?? [])].sort()).toEqual(['k', 'l', 'm'])
      expect((await store.get('k'))?.value).toBe(1)
    } finally {
      await full.stop()
    }
  })
})

test('a server is asked only for what it has', async () => {
  const server = await RedisServer.start()
  try {
    const [known] = (await openClient(server.url).call('COMMAND', 'INFO', 'msetex')) as unknown[]
    const { store, calls } = await counted(server.url, 'older:')
    const alike = entry('v')
    expect(await store.setMany(new Map(['a', 'b'].map(key => [key, alike])))).toEqual({ status: 'applied' })
    expect([await calls('msetex'), await calls('set')]).toEqual(known ? [1, 0] : [0, 2])
  } finally {
    await server.stop()
  }
})
