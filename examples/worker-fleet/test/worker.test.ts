import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Cache } from '@cache/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSettings } from '../src/settings.ts'
import { createWorker } from '../src/worker.ts'

// Nobody listens there: what one worker does on its own.
const NO_REDIS = 'redis://127.0.0.1:1'

let settings: Cache<string>
let server: Server
let url: string

beforeEach(async () => {
  settings = createSettings(NO_REDIS)
  server = createWorker(settings, 7).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/settings/theme`
})
afterEach(async () => {
  server.close()
  await settings.close()
})

test('what is written is read, and the answer says who gave it', async () => {
  const written = await fetch(url, { method: 'PUT', body: 'dark' })
  expect(await written.text()).toBe('queued\n')
  const read = await fetch(url)
  expect(await read.text()).toBe('dark')
  expect(read.headers.get('x-worker')).toBe('7')
})

test('what nobody wrote is 404', async () => {
  expect((await fetch(url)).status).toBe(404)
  expect((await fetch(`${url}/..%2f`)).status).toBe(404)
})
