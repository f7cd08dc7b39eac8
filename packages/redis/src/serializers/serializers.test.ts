import { CacheError } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { devalue } from './devalue.ts'
import { json } from './json.ts'
import { msgpack } from './msgpack.ts'
import type { Serializer } from './serializer.ts'
import { v8 } from './v8.ts'

const SECRET = 'hunter2'
const ALL = [json, v8, msgpack, devalue]
const UNTRUSTING = [json, msgpack, devalue]
class Account {
  password = SECRET
}

const there = (serializer: Serializer, value: unknown) => Buffer.from(serializer.encode(value))
const andBack = (serializer: Serializer, value: unknown) => serializer.decode(there(serializer, value))

function refusal(serializer: Serializer, value: unknown): string {
  try {
    serializer.encode(value)
  } catch (thrown) {
    const { code, message, cause } = thrown as CacheError
    expect(thrown).toBeInstanceOf(CacheError)
    expect({ code, cause }).toEqual({ code: 'SERIALIZATION', cause: undefined })
    expect(message).not.toContain(SECRET)
    return message.replace(/^.* cannot hold /, '')
  }
  throw new Error('it was accepted')
}

function nested(depth: number): unknown {
  let value: unknown = SECRET
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

function depthOf(value: unknown): number {
  let depth = 0
  for (let part = value; Array.isArray(part); part = part[0]) depth++
  return depth
}

/** As Node 26 does with plain values: older ones run out of stack. */
function jsonIsWrittenAtAnyDepth(): boolean {
  try {
    JSON.stringify(nested(100_000))
    return true
  } catch {
    return false
  }
}

const polluted = [
  '{"__proto__":{"evil":1}}',
  '[[{"a":{"__proto__":null}}]]',
  '{"a":{"constructor":{"prototype":{"evil":1}}}}',
].map(text => JSON.parse(text) as unknown)

describe.each(ALL.map(each => [each.name, each] as const))('%s', (_name, serializer) => {
  test('keeps what JSON keeps', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const plain: unknown = JSON.parse(JSON.stringify(value))
        fc.pre(!JSON.stringify(plain).includes('__proto__'))
        expect(andBack(serializer, plain)).toEqual(plain)
      }),
      { numRuns: 300 },
    )
  })

  test('keeps values that merely speak of __proto__ or constructor.prototype', () => {
    const value = {
      text: 'obj.__proto__ = 1; "__proto__": {}; \\u005f',
      constructor: 'Ferrari',
      list: [{ prototype: { wheels: 4 } }, { constructor: { name: 'Lotus' } }, { __proto: 1 }] as unknown[],
    }
    expect(andBack(serializer, value)).toEqual(value)
  })

  test('refuses what is no data, by its kind and not its content', () => {
    expect(refusal(serializer, () => SECRET)).toBe('a function')
    expect(refusal(serializer, Symbol(SECRET))).toBe('a symbol')
  })

  test('throws on bytes that are not its own', () => {
    for (const bytes of ['', '\xc1', '{"a":', '[1', 'nope']) {
      expect(() => serializer.decode(Buffer.from(bytes, 'latin1'))).toThrow()
    }
  })
})

describe.each(UNTRUSTING.map(each => [each.name, each] as const))(
  '%s, which trusts nobody,',
  (_, serializer) => {
    test.each(polluted)('refuses to write the polluted value %#', value => {
      expect(refusal(serializer, value)).toBe('a property named __proto__ or constructor.prototype')
    })

    test('refuses what is nested too deeply for it, in both directions', () => {
      const deep = nested(100_000)
      if (serializer === json && jsonIsWrittenAtAnyDepth()) {
        expect(depthOf(andBack(serializer, deep))).toBe(100_000)
      } else {
        expect(refusal(serializer, deep)).toMatch(/^a value nested too deeply/)
      }
      expect(() => serializer.decode(Buffer.from('['.repeat(1_000_000)))).toThrow()
      expect(() => serializer.decode(Buffer.alloc(1_000_000, 0x91))).toThrow()
    })
  },
)

describe('polluted bytes', () => {
  test.each([
    ...polluted.map(value => JSON.stringify(value)),
    '{"\\u005f_proto__":{"evil":1}}',
    '{"\\u005F\\u005fpr\\u006Fto__":{"evil":1}}',
    '{"constructor":{"\\u0070rototype":{}}}',
    '{"c\\u006Fnstructor":{"prototype":{}}}',
  ])('of JSON are refused: %s', text => {
    expect(() => json.decode(Buffer.from(text))).toThrow('polluted')
    expect('evil' in {}).toBe(false)
  })

  test.each([
    '[{"__proto__":1},{"evil":2},1]',
    '[{"\\u005f_proto__":1},{"evil":2},1]',
    '[["null","__proto__",1],{"evil":2},1]',
    '[["null","constructor",1],{"prototype":2},{"evil":3},1]',
    '[["Map",1,2],"k",{"constructor":3},{"prototype":4},{"evil":5},1]',
    '[["Set",1],{"constructor":2},{"prototype":3},{"evil":4},1]',
  ])('of devalue are refused: %s', text => {
    expect(() => devalue.decode(Buffer.from(text))).toThrow(/polluted|__proto__/)
    expect('evil' in {}).toBe(false)
  })

  test.each([
    ['__proto__', Buffer.concat([Buffer.from([0x81, 0xa9]), Buffer.from('__proto__'), Buffer.from([0x80])])],
    [
      'constructor.prototype',
      Buffer.concat([
        Buffer.concat([Buffer.from([0x81, 0xab]), Buffer.from('constructor')]),
        Buffer.concat([Buffer.from([0x81, 0xa9]), Buffer.from('prototype'), Buffer.from([0x80])]),
      ]),
    ],
  ])('of MessagePack are refused: %s', (_name, bytes) => {
    expect(() => msgpack.decode(bytes)).toThrow()
  })
})

describe('v8', () => {
  test('keeps what a structured clone keeps', () => {
    const cycle: Record<string, unknown> = { at: new Date(5), re: /a+/g, big: 2n ** 70n, none: [undefined] }
    cycle.self = cycle
    cycle.map = new Map<unknown, unknown>([[new Set([1]), Number.NaN]])
    cycle.bytes = Buffer.from('abc')
    expect(andBack(v8, cycle)).toEqual(cycle)
  })

  test.each([
    [{ a: [Promise.resolve(SECRET)] }, 'a Promise'],
    [new Map([[1, () => SECRET]]), 'a function'],
    [new Set([{ a: Symbol(SECRET) }]), 'a symbol'],
    [new WeakMap(), 'a WeakMap'],
    [nested(1_000_000), 'a value of this kind'],
    [{ get: 1, ...Object.defineProperty({}, SECRET, { get: () => SECRET }) }, undefined],
    [
      Object.defineProperty({}, SECRET, {
        enumerable: true,
        get() {
          throw new Error(SECRET)
        },
      }),
      'an object whose getter or iterator throws',
    ],
  ])('refuses by kind: %#', (value, kind) => {
    if (kind === undefined) expect(() => v8.encode(value)).not.toThrow()
    else expect(refusal(v8, value)).toBe(kind)
  })

  test('hands out no view of what is stored', () => {
    const bytes = there(v8, { a: Buffer.from('abc') })
    const before = Buffer.from(bytes)
    ;(v8.decode(bytes) as { a: Buffer }).a.fill(0)
    expect(bytes).toEqual(before)
  })
})

describe('msgpack', () => {
  test('keeps dates, bytes and every number', () => {
    const value = {
      dates: [0, 1_700_000_000_123, -1, -62_135_596_800_000, 8.64e15, 2 ** 34 * 1_000].map(
        ms => new Date(ms),
      ),
      bytes: new Uint8Array([0, 1, 255]),
      numbers: [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53 - 1, -(2 ** 40), 0.1, 128, -129, 70_000],
      text: 'ü€😀'.repeat(30_000),
      long: Array.from({ length: 70_000 }, (_, i) => i),
      wide: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key${i}`, i])),
    }
    expect(andBack(msgpack, value)).toEqual(value)
  })

  test('leaves undefined out of objects, makes it null in arrays, and objects of a class plain', () => {
    expect(andBack(msgpack, { a: undefined, b: [undefined], c: new Account() })).toEqual({
      b: [null],
      c: { password: SECRET },
    })
  })

  test('reads integers of 64 bits and floats of 32, as others write them', () => {
    expect(msgpack.decode(Buffer.from('92cf00000000000000ffca3fc00000', 'hex'))).toEqual([255, 1.5])
  })

  test.each([
    [undefined, 'undefined'],
    [{ a: 1n }, 'a BigInt'],
    [[new Map()], 'a Map'],
    [new Set(), 'a Set'],
    [/hunter2/, 'a RegExp'],
    [new Error(SECRET), 'an Error'],
    [new Date(Number.NaN), 'a Date'],
    [new Float64Array(1), 'a Float64Array'],
  ])('refuses by kind: %#', (value, kind) => {
    expect(refusal(msgpack, value)).toBe(kind)
  })

  test('hands out no view of what is stored', () => {
    const bytes = there(msgpack, [new Uint8Array([1, 2, 3])])
    const before = Buffer.from(bytes)
    ;(msgpack.decode(bytes) as [Uint8Array])[0].fill(0)
    expect(bytes).toEqual(before)
  })

  test.each([
    ['an array of 2³² elements', 'ddffffffff'],
    ['a map of 2³² entries', 'dfffffffff'],
    ['a string longer than the bytes', 'db7fffffff61'],
    ['binary longer than the bytes', 'c67fffffff61'],
    ['an array larger than the bytes left', '92dc0003010201'],
    ['an extension that is no timestamp', 'd6010000000a'],
    ['a timestamp of 3 bytes', 'c703ff000000'],
    ['the byte that is never used', 'c1'],
    ['bytes to spare', '0101'],
    ['a length that is cut off', 'dc00'],
    ['an array as a key', '819001'],
  ])('refuses %s', (_what, hex) => {
    expect(() => msgpack.decode(Buffer.from(hex, 'hex'))).toThrow()
  })

  test('reads as deep as it writes, and no deeper', () => {
    const deepest = nested(998)
    expect(andBack(msgpack, deepest)).toEqual(deepest)
    expect(refusal(msgpack, nested(999))).toBe('a value nested too deeply, or too large')
    const arrays = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.from([1])])
    expect(() => msgpack.decode(arrays(999))).not.toThrow()
    expect(() => msgpack.decode(arrays(1_000))).toThrow()
  })

  test('allocates nothing for arrays that claim what they do not hold', () => {
    const hostile = Buffer.concat(Array.from({ length: 900 }, () => Buffer.from('dd00ffffff', 'hex')))
    const before = process.memoryUsage().rss
    expect(() => msgpack.decode(hostile)).toThrow()
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000)
  })
})

describe('devalue', () => {
  test('keeps Date, Map, Set, BigInt, undefined, special numbers, bytes and cycles', () => {
    const value: Record<string, unknown> = {
      at: new Date(5),
      map: new Map<unknown, unknown>([[{ k: 1 }, new Set([1n, undefined])]]),
      list: [undefined, Number.NaN, Number.NEGATIVE_INFINITY, -0],
      bytes: new Uint8Array([1, 2]),
      huge: [10n ** 9_999n - 1n, 1n - 10n ** 9_999n],
      none: undefined,
      html: '<b>&</b>',
    }
    value.self = value
    expect(andBack(devalue, value)).toEqual(value)
  })

  const sparse: unknown[] = []
  sparse[1_000] = 1
  test.each([
    [new Account(), 'an object of a class'],
    [{ a: [Promise.resolve()] }, 'a Promise'],
    [/hunter2/, 'a regular expression'],
    [[sparse], 'a sparse array'],
    [10n ** 9_999n, 'a BigInt of 10000 digits or more'],
    [-(10n ** 9_999n), 'a BigInt of 10000 digits or more'],
    [{ [Symbol(SECRET)]: 1 }, 'a property named by a symbol'],
    [
      {
        get a() {
          throw new Error(SECRET)
        },
      },
      'an object whose getter or iterator throws',
    ],
  ])('refuses by kind: %#', (value, kind) => {
    expect(refusal(devalue, value)).toBe(kind)
  })

  test.each([
    ['a regular expression', '[["RegExp","(a+)+$"]]'],
    ['a sparse array', '[[-7,4294967295]]'],
    ['a BigInt of many digits', `[["BigInt","${'9'.repeat(10_001)}"]]`],
    ['a BigInt of a reference', '[["BigInt",1],["BigInt",0]]'],
    ['a typed array of no buffer', '[["Float64Array",1],100000000]'],
    ['an unknown type', '[["Function","return 1"]]'],
    ['a reference out of range', '[[99]]'],
  ])('refuses to read %s', (_what, text) => {
    expect(() => devalue.decode(Buffer.from(text))).toThrow()
  })
})
