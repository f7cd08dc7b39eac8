import { expect, test } from 'vitest'
import { BoundedMap } from '../bounded-map.ts'

test('everybody has to fear the same', () => {
  const evictions = new Map<number, number>()
  for (let round = 0; round < 2_000; round++) {
    const map = new BoundedMap<number, number>({
      maxItems: 4,
      policy: 'random',
      onRemove: key => evictions.set(key, (evictions.get(key) ?? 0) + 1),
    })
    for (let key = 0; key < 5; key++) map.set(key, key)
  }
  // 500 each is expected; a fair draw leaves these bounds once in more than a million runs.
  for (let key = 0; key < 4; key++) {
    expect(evictions.get(key)).toBeGreaterThan(400)
    expect(evictions.get(key)).toBeLessThan(600)
  }
  expect(evictions.has(4), 'never the newcomer').toBe(false)
})
