import { isVacant } from '@cache/core'
import { RedisServer } from '@cache/test-support'
import { Redis } from 'iovalkey'
import { expect, onTestFinished, test } from 'vitest'
import { connected, entry, openStore } from './support.ts'

test('a client of iovalkey does as well, and stays open', async () => {
  const server = await RedisServer.start()
  onTestFinished(() => server.stop())
  const client = new Redis(server.url)
  onTestFinished(() => client.disconnect())
  const store = openStore({ client, timeouts: { read: '10s', write: '10s' } })
  await connected(store)
  const heard: unknown[] = []
  store.bus.subscribe(message => heard.push(message))
  await store.setMany(
    new Map([
      ['a', entry(1)],
      ['b', { ...entry('x'.repeat(100_000)), tags: ['t'] }],
    ]),
  )
  expect([...(await store.getMany(['a', 'b', 'c'])).found.keys()]).toEqual(['a', 'b'])
  const read = await store.getOrLease('c', 5_000)
  const lease = isVacant(read) ? read.lease : undefined
  expect(await store.fill('c', entry(3), lease)).toEqual({ status: 'applied' })
  expect((await store.get('c'))?.value).toBe(3)
  await store.invalidateTags(['t'])
  expect(await store.get('b')).toBeUndefined()
  await store.delete('a')
  await store.clear()
  expect(await store.get('c')).toBeUndefined()
  await expect.poll(() => heard.length).toBeGreaterThanOrEqual(5)
  await store.close()
  expect(await client.ping()).toBe('PONG')
})
