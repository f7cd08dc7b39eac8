import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testStore } from '@cache/conformance/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { HttpStore } from '../src/http-store.ts'
import { KvServer } from '../src/kv-server.ts'
import { SqliteStore } from '../src/sqlite-store.ts'

const directory = mkdtempSync(join(tmpdir(), 'custom-store-'))
const server = new KvServer()
let url: string
beforeAll(async () => {
  url = await server.listen()
})
afterAll(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

testStore('SqliteStore', {
  open: ({ space }) => new SqliteStore({ path: join(directory, space) }),
  shared: true,
  capabilities: ['enumerable'],
})

testStore('HttpStore', {
  open: ({ space }) => new HttpStore({ url, prefix: `${space}:`, timeoutMs: 1_000 }),
  shared: true,
  capabilities: [],
  faults: ([503, 'silent'] as const).map(fault => ({
    name: `the API answers ${fault}`,
    begin: () => {
      server.fault = fault
    },
    end: () => {
      server.fault = undefined
    },
    // One write waits for another.
    boundMs: 10_000,
  })),
})

test('what SQLite has outlives the store, and not its time', async () => {
  const path = join(directory, 'outlives')
  const now = Date.now()
  const entry = { value: 1, createdAt: now, freshUntil: now + 60_000, expiresAt: now + 60_000 }
  const first = new SqliteStore({ path })
  first.set('kept', entry)
  first.set('over', { ...entry, expiresAt: now })
  first.close()
  const second = new SqliteStore({ path })
  expect([...second.keys()]).toEqual(['kept'])
  expect(second.get('kept')).toEqual(entry)
  second.close()
})
