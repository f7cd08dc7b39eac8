import { expect, test } from 'vitest'
import { BoundedMap } from '../bounded-map.ts'

test('the least often used leaves, not the longest unused', () => {
  const map = new BoundedMap<string, number>({ maxItems: 2, policy: 'lfu' })
  map.set('often', 1)
  map.get('often')
  map.get('often')
  map.set('once', 1)
  map.set('new', 1)
  expect([...map.keys()]).toEqual(['new', 'often'])
})

test("yesterday's favourites leave when nobody asks for them any more", () => {
  const map = new BoundedMap<string, number>({ maxItems: 100, policy: 'lfu' })
  for (let i = 0; i < 90; i++) {
    for (let uses = 0; uses < 1_000; uses++) if (map.get(`old${i}`) === undefined) map.set(`old${i}`, 1)
  }
  let hits = 0
  for (let request = 0; request < 20_000; request++) {
    const key = `new${request % 80}`
    if (map.get(key) === undefined) map.set(key, 1)
    else hits++
  }
  expect(hits).toBeGreaterThan(15_000)
  expect([...map.keys()].filter(key => key.startsWith('new')).length).toBe(80)
})
