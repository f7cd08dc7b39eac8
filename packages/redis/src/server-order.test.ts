import { systemClock } from '@cache/core'
import { expect, test } from 'vitest'
import { Keyspace } from './keyspace.ts'
import { ServerOrder } from './server-order.ts'

const ask = () => Promise.reject(new Error('Redis is not asked'))
const newOrder = () => new ServerOrder({ keys: new Keyspace('p:'), ask, readMs: 1_000, clock: systemClock })

test('the stamp of a write between two clears is before the second one, whichever is answered first', async () => {
  const order = newOrder()
  const [first, second] = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()]
  const clear = (answer: Promise<unknown>) =>
    order.change(
      () => answer,
      version => order.noteClear('', version),
    )

  const firstDone = clear(first.promise)
  const stamp = order.stamp(Date.now() + 10_000)
  const secondDone = clear(second.promise)
  second.resolve([20, 1])
  await second.promise
  first.resolve([10, 1])
  expect(await Promise.all([firstDone, secondDone])).toEqual([{ status: 'applied' }, { status: 'applied' }])

  expect(await stamp).toBe(10)
  expect(order.isOutdated('k', undefined, await stamp)).toBe(true)
  expect(order.latest).toBe(20)
})

test('a clear that Redis saw before an earlier one is made once more: it outdates what was written between them', async () => {
  const order = newOrder()
  const first = Promise.withResolvers<unknown>()
  const note = (version: number) => order.noteClear('', version)
  const answers = [
    [10, 1],
    [30, 1],
  ]

  const firstDone = order.change(() => first.promise, note)
  const stamp = order.stamp(Date.now() + 10_000)
  const secondDone = order.change(async () => answers.shift(), note)
  const later = order.stamp(Date.now() + 10_000)
  first.resolve([20, 1])
  expect(await Promise.all([firstDone, secondDone])).toEqual([{ status: 'applied' }, { status: 'applied' }])

  expect(order.isOutdated('k', undefined, await stamp)).toBe(true)
  expect(order.isOutdated('k', undefined, await later), 'written after both').toBe(false)
  expect(answers).toEqual([])
})

test('a clear waits for the outcome of an earlier one, and not for its success', async () => {
  const order = newOrder()
  const first = Promise.withResolvers<unknown>()
  const firstDone = order.change(
    () => first.promise,
    () => {},
  )
  const secondDone = order.change(
    async () => [10, 1],
    () => {},
  )
  first.reject(new Error('lost'))
  await expect(firstDone).rejects.toThrow('lost')
  expect(await secondDone).toEqual({ status: 'applied' })
})
