import { afterAll, expect, test } from 'vitest'
import { Database } from '../src/database.ts'

const database = new Database(500)
afterAll(() => database.close())

test('the catalogue is the same every time', () => {
  const again = new Database(500)
  expect(again.product(123)).toEqual(database.product(123))
  again.close()
})

test('a page has a name, a price, a rating and related products', () => {
  const product = database.product(1)
  expect(product).toMatchObject({ id: 1, revision: 1, name: expect.stringMatching(/ 1$/) })
  expect(product?.priceCents).toBeGreaterThan(0)
  expect(Object.keys(product?.rating ?? {})).toEqual(['average', 'reviews'])
  expect(product).not.toHaveProperty('categoryId')
})

test('related products are the best rated others of the same category', () => {
  const product = database.product(2)
  const related = product?.related ?? []
  expect(related.length).toBeGreaterThan(1)
  const bayesianMean = related.map(
    ({ average, reviews }) => ((average ?? 0) * reviews + 17.5) / (reviews + 5),
  )
  expect(bayesianMean.map(mean => mean.toFixed(1))).toEqual(
    bayesianMean.toSorted((a, b) => b - a).map(mean => mean.toFixed(1)),
  )
  for (const { id } of related) {
    expect(id).not.toBe(2)
    expect(database.product(id)?.category).toBe(product?.category)
  }
})

test('every product can be read, also one without reviews', () => {
  const products = Array.from({ length: 500 }, (_, index) => database.product(index + 1))
  expect(products.map(product => product?.id)).toEqual(products.map((_, index) => index + 1))
  expect(products.find(product => product?.rating.reviews === 0)?.rating.average).toBeNull()
})

test('a price change shows, with the next revision', () => {
  expect(database.updatePrice(7, 4_200)).toBe(2)
  expect(database.product(7)).toMatchObject({ priceCents: 4_200, revision: 2 })
})

test('a product that does not exist is null', () => {
  expect(database.product(501)).toBeNull()
  expect(database.updatePrice(501, 1)).toBeNull()
})
