import { expect, it } from 'vitest'
import { Ring } from './ring.ts'

it('forgets the oldest marks, and then counts what was behind them as lost', () => {
  const ring = new Ring()
  for (let mark = 1; mark <= 601; mark++) ring.mark(mark, ring.next)
  expect(ring.lostSince(1)).toBeUndefined()
  expect(ring.lostSince(2)).toEqual([])
})

it('remembers ten thousand names, however they came', () => {
  const ring = new Ring()
  ring.mark(1, ring.next)
  ring.add({ keys: Array.from({ length: 9_998 }, (_, i) => `key ${i}`) })
  ring.add({ tags: ['t'] })
  ring.add({ scope: '' })
  expect(ring.lostSince(1)?.length).toBe(3)
  ring.add({ scope: 'users:' })
  expect(ring.lostSince(1)).toBeUndefined()
  expect(ring.lostSince(undefined)).toEqual([{ tags: ['t'] }, { scope: '' }, { scope: 'users:' }])
})
