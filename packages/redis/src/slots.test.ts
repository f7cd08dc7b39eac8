import { describe, expect, test } from 'vitest'
import { forbidsHashTag, slotOf } from './slots.ts'

describe('the slot of a key', () => {
  test.each([
    // 0x31C3 is the check value in the specification of Redis Cluster; the rest is what CLUSTER KEYSLOT answers.
    ['123456789', 0x31c3 & 16_383],
    ['foo', 12_182],
    ['', 0],
    ['ü€😀', 10_853],
    ['{foo}', 12_182],
    ['a{foo}b{bar}', 12_182],
    ['foo{}{bar}', 8_363],
    ['foo{{bar}}zap', 4_015],
    ['{}', 15_257],
    ['{', 4_092],
    ['}{', 12_793],
  ])('of %j is %i', (key, slot) => {
    expect(slotOf(key)).toBe(slot)
  })
})

test.each([
  ['cache:', false],
  ['{app}:', false],
  ['a{b:', false],
  ['a}b:', false],
  ['a{', false],
  ['{}', true],
  ['a{}b{c}:', true],
])('a prefix %j forbids hash tags behind it: %s', (prefix, forbids) => {
  expect(forbidsHashTag(prefix)).toBe(forbids)
})
