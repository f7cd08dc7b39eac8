import type { StoreCall } from '@cache/core'
import { expect, test } from 'vitest'
import { codeOf, connected, entry, openStore, ownServer, patientStore } from './support.ts'

/** What Redis did not do in time says in how much time. */
const IN_20_MS = expect.stringContaining('within 20 ms')
const SHORT: StoreCall = { deadlineMs: 20 }
const LONG: StoreCall = { deadlineMs: 20_000 }

test('a call may bring a deadline shorter than the store’s', async () => {
  const server = await ownServer()
  const store = patientStore({ url: server.url })
  await connected(store)
  await store.set('k', entry('v'))
  server.freeze()
  await expect(store.get('k', SHORT)).rejects.toMatchObject({ code: 'TIMEOUT', message: IN_20_MS })
  const many = await store.getMany(['k'], SHORT)
  expect(many.failures?.get('k')).toMatchObject({ code: 'TIMEOUT', message: IN_20_MS })
  expect(await codeOf(store.getOrLease('k', 1_500, undefined, SHORT) as Promise<unknown>)).toBe('TIMEOUT')
  for (const outcome of await Promise.all([
    store.set('k', entry('v'), SHORT),
    store.setMany(new Map([['a', entry('v')]]), SHORT),
    store.delete('b', SHORT),
    store.deleteMany(['c'], SHORT),
    store.fill('d', entry('v'), { token: '00' }, SHORT),
  ])) {
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'TIMEOUT' } })
  }
  server.thaw()
})

test('a call may bring a deadline longer than the store’s', async () => {
  const server = await ownServer()
  // Silent for three times the longest deadline, a connection would be given up.
  const store = openStore({ url: server.url, timeouts: { read: '50ms', write: '2s' } })
  await connected(store)
  await store.set('k', entry('v'))
  server.freeze()
  const calls = [store.get('k', LONG), store.getMany(['k'], LONG).then(({ found }) => found.get('k'))]
  expect(await codeOf(store.get('k'))).toBe('TIMEOUT')
  server.thaw()
  for (const found of await Promise.all(calls)) expect(found).toMatchObject({ value: 'v' })
})
