import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Origin, openOrigin } from '../src/origin.ts'

let origin: Origin
beforeAll(async () => {
  origin = await openOrigin(100)
})
afterAll(() => origin.close())

test('questions asked at once get each their own answer', async () => {
  const products = await Promise.all([3, 1, 2, 101].map(id => origin.product(id)))
  expect(products.map(product => product?.id)).toEqual([3, 1, 2, undefined])
})

test('reads are counted, writes are not', async () => {
  const before = origin.queries
  await origin.product(1)
  expect(await origin.updatePrice(1, 100)).toBe(2)
  expect(origin.queries).toBe(before + 1)
})

test('what the database refuses rejects', async () => {
  await expect(origin.updatePrice(1, null as never)).rejects.toThrow(/NOT NULL/)
})

test('a closed origin rejects what waits and what comes later', async () => {
  const closing = await openOrigin(100)
  const waiting = expect(closing.product(1)).rejects.toThrow('The database is closed')
  await closing.close()
  await waiting
  await expect(closing.product(1)).rejects.toThrow('The database is closed')
})
