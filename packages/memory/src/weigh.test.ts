import { expect, test } from 'vitest'
import { estimateBytes } from './weigh.ts'

test('grows with what a value holds', () => {
  const ascending = [
    null,
    1,
    'a',
    { a: 'a' },
    [{ a: 'a' }, { a: 'b' }],
    new Map([
      ['key', { a: 'a', b: ['b', 'c', 'd'] }],
      ['other', { a: 'a', b: ['b', 'c', 'd'] }],
    ]),
    new Set(Array.from({ length: 20 }, (_, i) => `element ${i}`)),
    'x'.repeat(1_000),
    'ж'.repeat(1_000),
    new Uint8Array(10_000),
  ]
  const bytes = ascending.map(value => estimateBytes(value))
  expect(bytes).toEqual(bytes.toSorted((a, b) => a - b))
  expect(new Set(bytes).size).toBe(bytes.length)
})

test('counts shared parts once, and ends on circles and great depth', () => {
  const shared = 'x'.repeat(100)
  const part = { shared }
  expect(estimateBytes([part, part])).toBeLessThan(estimateBytes([part, { shared }]))
  const circle: unknown[] = []
  circle.push(circle)
  expect(estimateBytes(circle)).toBeGreaterThan(0)
  let deep: unknown[] = []
  for (let i = 0; i < 100_000; i++) deep = [deep]
  expect(estimateBytes(deep)).toBeGreaterThan(100_000)
})

test.each([undefined, true, 10n ** 100n, Symbol('s'), () => 1, new Date(), new ArrayBuffer(8)])(
  '%s weighs something finite',
  value => {
    expect(Number.isFinite(estimateBytes(value))).toBe(true)
  },
)

test('getters are not called: what they make up takes no room, and they may throw', () => {
  const trap = {
    get made(): never {
      throw new Error('asked')
    },
  }
  expect(estimateBytes(trap)).toBe(estimateBytes({ made: undefined }))
})
