import { CacheError } from '@cache/core'
import { describe, expect, test } from 'vitest'
import { json } from './json.ts'

const SECRET = 'hunter2'
const cycle: Record<string, unknown> = { [SECRET]: SECRET }
cycle.self = cycle
const deep = { toJSON: () => nested(20_000) }

function nested(depth: number): unknown {
  let value: unknown = SECRET
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

describe('JSON', () => {
  test.each([
    ['undefined', undefined, 'undefined'],
    ['a function', () => SECRET, 'a function'],
    ['a symbol', Symbol(SECRET), 'a symbol'],
    ['a BigInt', 123n, 'a BigInt'],
    ['a BigInt inside', { a: [1n] }, 'a BigInt'],
    ['a cycle', cycle, 'a circular reference'],
    ['a toJSON that returns nothing', { toJSON() {} }, 'an object whose toJSON returns undefined'],
    [
      'a toJSON that throws',
      {
        toJSON() {
          throw new Error(SECRET)
        },
      },
      'an object whose toJSON or getter throws',
    ],
    ['a value nested too deeply', deep, 'a value nested too deeply or too large'],
  ])('refuses %s, by its kind and not its content', (_what, value, kind) => {
    let error: unknown
    try {
      json.encode(value)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(CacheError)
    expect(error).toMatchObject({ code: 'SERIALIZATION', message: `JSON cannot hold ${kind}` })
    expect((error as Error).cause).toBeUndefined()
  })

  test('changes what plain JSON changes, as documented', () => {
    const value = {
      date: new Date(0),
      nan: Number.NaN,
      gone: undefined,
      fn: () => 1,
      list: [undefined, () => 1, Symbol('s')],
      map: new Map([[1, 2]]),
    }
    expect(json.decode(Buffer.from(json.encode(value)))).toEqual({
      date: '1970-01-01T00:00:00.000Z',
      nan: null,
      list: [null, null, null],
      map: {},
    })
  })
})
