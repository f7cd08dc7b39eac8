import { describe, expect, test } from 'vitest'
import { WriteOrder } from './write-order.ts'

const setup = () => ({
  order: new WriteOrder<{ alive: boolean }>(),
  a: { alive: true },
  b: { alive: true },
})

describe('the order of writes', () => {
  test('holds a key to the connection of its unanswered writes, all of them', () => {
    const { order, a } = setup()
    expect(order.connectionOf('k')).toBeUndefined()
    const [first, second] = [order.begin(['k', 'x'], a), order.begin(['k'], a)]
    expect([order.connectionOf('k'), order.connectionOf('x'), order.connectionOf('y')]).toEqual([
      a,
      a,
      undefined,
    ])
    first(true)
    expect([order.connectionOf('k'), order.connectionOf('x')]).toEqual([a, undefined])
    second(true)
    expect(order.connectionOf('k')).toBeUndefined()
  })

  test('holds it until a lost connection is made anew: what was sent on it may yet be executed', () => {
    const { order, a, b } = setup()
    const [one, two] = [order.begin(['k'], a), order.begin(['k', 'x'], a)]
    const other = order.begin(['y'], b)
    a.alive = false
    for (const end of [one, two, other]) end(true)
    expect(['k', 'x', 'y'].map(key => order.connectionOf(key))).toEqual([a, a, undefined])
    const refused = order.begin(['k'], a)
    refused(false)
    expect(order.connectionOf('k')).toBe(a)
    a.alive = true
    expect(['k', 'x'].map(key => order.connectionOf(key))).toEqual([undefined, undefined])
    order.begin(['k'], b)
    expect(order.connectionOf('k')).toBe(b)
  })

  test('forgets what was never sent, whatever became of the connection', () => {
    const { order, a } = setup()
    const end = order.begin(['k'], a)
    a.alive = false
    end(false)
    expect(order.connectionOf('k')).toBeUndefined()
  })
})
