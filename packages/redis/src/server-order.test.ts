import { systemClock } from '@cache/core'
import { expect, test } from 'vitest'
import { Keyspace } from './keyspace.ts'
import { ServerOrder } from './server-order.ts'

test('the stamp of a write between two clears is before the second one, whichever is answered first', async () => {
  const ask = () => Promise.reject(new Error('Redis is not asked'))
  const order = new ServerOrder({ keys: new Keyspace('p:'), ask, readMs: 1_000, clock: systemClock })
  const [first, second] = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()]
  const clear = (answer: Promise<unknown>) => order.change(answer, version => order.noteClear('', version))

  const firstDone = clear(first.promise)
  const stamp = order.stamp(Date.now() + 10_000)
  const secondDone = clear(second.promise)
  second.resolve([20, 1])
  expect(await secondDone).toEqual({ status: 'applied' })
  first.resolve([10, 1])
  expect(await firstDone).toEqual({ status: 'applied' })

  expect(await stamp).toBe(10)
  expect(order.isOutdated('k', undefined, await stamp)).toBe(true)
  expect(order.latest).toBe(20)
})
