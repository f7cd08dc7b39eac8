import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fault, storeCases } from '@cache/conformance'
import { testCases, testStore } from '@cache/conformance/vitest'
import type { Store } from '@cache/core'
import { freePort, type ProxyMode, RedisServer, TcpProxy } from '@cache/test-support'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { KeyvPostgres } from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { KeyvSqlite } from '@keyv/sqlite'
import { KeyvMemoryAdapter } from 'keyv-6'
import { afterAll, beforeAll, describe } from 'vitest'
import { KeyvStore } from '../src/index.ts'

const timeouts = { read: '10s', write: '10s' } as const
const capabilities = ['batching', 'checking', 'observed'] as const

describe('KeyvStore over @keyv/redis', () => {
  let server: RedisServer
  let proxy: TcpProxy
  beforeAll(async () => {
    server = await RedisServer.start()
    proxy = await TcpProxy.start(server.port)
  })
  afterAll(async () => {
    await proxy.stop()
    await server.stop()
  })

  testStore('the contract', {
    open: ({ space }) => new KeyvStore({ storage: new KeyvRedis(server.url), namespace: space, timeouts }),
    shared: true,
    capabilities,
  })

  const failing = (mode: ProxyMode): Fault => ({
    name: mode,
    begin: () => {
      proxy.mode = mode
    },
    end: () => {
      proxy.mode = 'forward'
    },
    boundMs: 4_000,
    // It waits up to 2 s before it connects again.
    recoveryMs: 20_000,
  })
  const faulty = storeCases({
    open: async ({ space }) => new KeyvStore({ storage: new KeyvRedis(proxy.url), namespace: space }),
    faults: [failing('blackhole'), failing('refuse')],
    limitMs: 60_000,
  })
  testCases(
    'when the network fails',
    faulty.filter(({ group }) => group.startsWith('faults')),
  )
})

describe('KeyvStore over @keyv/postgres', () => {
  let database: PGlite
  let server: PGLiteSocketServer
  let port: number
  beforeAll(async () => {
    database = await PGlite.create()
    port = await freePort()
    server = new PGLiteSocketServer({ db: database, port, host: '127.0.0.1', maxConnections: 10 })
    await server.start()
  })
  afterAll(async () => {
    await server.stop()
    await database.close()
  })

  testStore('the contract', {
    open: ({ space }) => {
      const uri = `postgresql://postgres@127.0.0.1:${port}/postgres`
      const storage = new KeyvPostgres({ uri, keySize: 65_535, max: 1 })
      return new KeyvStore({ storage, namespace: space, timeouts })
    },
    shared: true,
    capabilities,
  })
})

describe('KeyvStore over @keyv/sqlite, an adapter of Keyv 6', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cache-keyv-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  testStore('the contract', {
    open: ({ space }) => {
      const uri = `sqlite://${join(directory, 'cache.sqlite')}`
      const storage = new KeyvSqlite({ uri, driver: 'node:sqlite', wal: true, busyTimeout: 5_000 })
      return new KeyvStore({ storage, namespace: space, timeouts })
    },
    shared: true,
    capabilities,
  })
})

describe('KeyvStore over the memory of Keyv 6', () => {
  const places = new Map<string, Map<string, unknown>>()

  testStore('the contract', {
    open: ({ space, clock }): Store => {
      const place = places.get(space) ?? new Map()
      places.set(space, place)
      return new KeyvStore({ storage: new KeyvMemoryAdapter(place), namespace: space, clock, timeouts })
    },
    clock: 'manual',
    capabilities,
  })
})
