import { Cache, ManualClock } from '@cache/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FullStore, settled, TaggingStore } from './stores.ts'
import { ControlledLoader, expectRejection, STORES } from './support.ts'

/** Every primitive that is easily taken for another one. */
const primitive = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', ',', '"', '\\', '(', ')', ':', '\ud800', '\0') }),
  fc.constantFrom('1', '1n', 'true', 'null', 'undefined', 'NaN', '-0', '', '","'),
  fc.integer({ min: -3, max: 3 }),
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.boolean(),
  fc.constantFrom(null, undefined),
)
const prefix = fc.oneof(
  fc.constantFrom('a', 'a)', 'a"', 'a\\', 'a,', 'a:b'),
  fc.string({ minLength: 1 }).filter(text => !text.includes('(')),
)

const cacheOf = (): Cache => new Cache({ store: new FullStore(new ManualClock()) })

describe.each(Object.entries(STORES))('wrap over %s', (_, make) => {
  it('calls the function once for calls that are the same, and once for each that is not', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock })
    const calls: unknown[][] = []
    const add = cache.wrap(
      (a: number, b: number) => {
        calls.push([a, b])
        return a + b
      },
      { prefix: 'add' },
    )
    expect(await Promise.all([add(1, 2), add(1, 2), add(2, 1)])).toEqual([3, 3, 3])
    expect(await add(1, 2)).toBe(3)
    expect(calls).toEqual([
      [1, 2],
      [2, 1],
    ])
  })

  it('forgets a call', async () => {
    const { clock, store } = make()
    const cache = new Cache({ store, clock }).namespace('n')
    let version = 0
    const read = cache.wrap(async (_id: string) => ++version, { key: id => `versions:${id}` })
    expect([await read('a'), await read('b'), await read('a')]).toEqual([1, 2, 1])
    expect(await read.invalidate('a')).toEqual({ status: 'applied' })
    expect([await read('a'), await read('b')]).toEqual([3, 2])
    expect(read.key('a')).toBe('versions:a')
    expect(await cache.get('versions:a')).toBe(3)
  })
})

describe('wrap', () => {
  it('takes a function that is not asynchronous, and rejects with what it throws', async () => {
    const fail = cacheOf().wrap(
      (id: number): number => {
        throw new Error(`no ${id}`)
      },
      { prefix: 'fail' },
    )
    await expect(fail(7)).rejects.toThrow('no 7')
  })

  it('does not remember undefined, as getOrSet, unless told to', async () => {
    let calls = 0
    const find = (): undefined => void calls++
    const cache = cacheOf()
    const forgetful = cache.wrap(find, { prefix: 'a' })
    const mindful = cache.wrap(find, { prefix: 'b', negativeTtl: 5 })
    expect([await forgetful(), await forgetful(), calls]).toEqual([undefined, undefined, 2])
    expect([await mindful(), await mindful(), calls]).toEqual([undefined, undefined, 3])
  })

  it('reads through by the options of getOrSet', async () => {
    const clock = new ManualClock()
    const cache = new Cache({ store: new FullStore(clock), clock })
    const { calls, load } = new ControlledLoader<number>()
    const read = cache.wrap(load, { prefix: 'r', ttl: 10, grace: 60, jitter: 0, softTimeout: 0 })
    const first = read()
    await settled()
    calls[0]?.resolve(1)
    await first
    clock.advance(10_000)
    expect(await read()).toBe(1)
    expect(calls).toHaveLength(2)
  })

  it('gives values the tags that are said, or that the arguments say', async () => {
    const clock = new ManualClock()
    const cache = new Cache({ store: new TaggingStore(clock), clock })
    let calls = 0
    const load = (_id: number): number => ++calls
    const all = cache.wrap(load, { prefix: 'all', tags: ['all'] })
    const each = cache.wrap(load, { prefix: 'each', tags: id => [`id:${id}`] })
    const read = async (): Promise<number[]> => [await all(1), await each(1), await each(2)]
    expect(await read()).toEqual([1, 2, 3])
    await cache.invalidateTags(['id:1'])
    expect(await read()).toEqual([1, 4, 3])
    await cache.invalidateTags(['all'])
    expect(await read()).toEqual([5, 4, 3])
  })

  it('calls the function without this: what depends on it fails instead of sharing a key', async () => {
    const seen: unknown[] = []
    const wrapped = cacheOf().wrap(
      function (this: unknown, id: number) {
        seen.push(this)
        return id
      } as (id: number) => number,
      { prefix: 'this' },
    )
    expect(await wrapped.call({ name: 'another' } as never, 1)).toBe(1)
    expect(seen).toEqual([undefined])
  })

  it('never takes the name of a function for a key', async () => {
    const cache = cacheOf()
    const one = { load: () => 1 }
    const two = { load: () => 2 }
    expect(one.load.name).toBe(two.load.name)
    expect(await cache.wrap(one.load, { prefix: 'one' })()).toBe(1)
    expect(await cache.wrap(two.load, { prefix: 'two' })()).toBe(2)
    for (const options of [{}, { prefix: undefined }, { prefix: 'p', key: () => 'k' }]) {
      expect(() => cache.wrap(one.load, options as never)).toThrow(/either key.*or prefix/)
    }
  })

  it('rejects with what the key function throws, and with INVALID_KEY for what is no key', async () => {
    const cache = cacheOf()
    const fn = (): number => expect.fail('called')
    const broken = cache.wrap(fn, {
      key: () => {
        throw new RangeError('no key for that')
      },
    })
    await expect(broken()).rejects.toThrow(RangeError)
    await expect(broken.invalidate()).rejects.toThrow(RangeError)
    const empty = cache.wrap(fn, { key: () => '' })
    await expectRejection(() => empty(), 'INVALID_KEY', /received an empty string/)
    await expectRejection(() => empty.invalidate(), 'INVALID_KEY', /received an empty string/)
  })

  it.each([
    ['an object', { secret: 1 }],
    ['an array of 1', ['secret']],
    ['a symbol', Symbol.for('secret')],
    ['a function', () => 'secret'],
  ])('with a prefix, rejects %s as an argument without showing it', async (kind, argument) => {
    const wrapped = cacheOf().wrap((_first: number, _second: never) => expect.fail('called'), { prefix: 'p' })
    await expectRejection(
      () => wrapped(1, argument as never),
      'INVALID_KEY',
      new RegExp(`^with a prefix, .*argument 2 is ${kind}: give a key function instead$`),
    )
  })

  it.each([
    ['fn', [5, { prefix: 'p' }], /^fn must be a function; received 5$/],
    ['options', [() => 1, 'p'], /^options must be an object; received "p"$/],
    ['no options', [() => 1], /^options must be an object; received undefined$/],
    ['key', [() => 1, { key: 'k' }], /^key must be a function of the arguments .*; received "k"$/],
    ['prefix', [() => 1, { prefix: 'a(' }], /^prefix must be a string .* without "\("/],
    ['an empty prefix', [() => 1, { prefix: '' }], /^prefix must be a string of 1 or more/],
    ['a lone surrogate', [() => 1, { prefix: '\ud800' }], /^prefix must be/],
    ['ttl', [() => 1, { prefix: 'p', ttl: -1 }], /^ttl must be more than 0/],
    ['ttl beside tags by arguments', [() => 1, { prefix: 'p', ttl: -1, tags: () => [] }], /^ttl must be/],
    ['tags', [() => 1, { prefix: 'p', tags: 5 }], /^tags must be an array/],
  ])('refuses at once: %s', (_, args, message) => {
    expect(() => cacheOf().wrap(...(args as [never, never]))).toThrow(message)
  })

  it('with a prefix, gives different keys to different arguments and prefixes', () => {
    const cache = cacheOf()
    const call = fc.tuple(prefix, fc.array(primitive, { maxLength: 4 }))
    const keyOf = ([name, args]: [string, unknown[]]): string =>
      cache.wrap((..._args: readonly never[]) => 1, { prefix: name }).key(...(args as never[]))
    fc.assert(
      fc.property(call, call, (one, other) => {
        fc.pre(one[0].isWellFormed() && other[0].isWellFormed())
        const same =
          one[0] === other[0] &&
          Object.is(one[1].length, other[1].length) &&
          one[1].every((argument, index) => Object.is(argument, other[1][index]))
        expect(keyOf(one) === keyOf(other)).toBe(same)
        expect(keyOf(one).isWellFormed()).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('with a prefix, makes keys that a person can read', () => {
    const wrapped = cacheOf().wrap(
      (..._args: readonly (string | number | bigint | boolean | null | undefined)[]) => 1,
      {
        prefix: 'users',
      },
    )
    expect(wrapped.key()).toBe('users()')
    expect(wrapped.key(7, 'de')).toBe('users(7,"de")')
    expect(wrapped.key('a', 'b,c')).not.toBe(wrapped.key('a,b', 'c'))
    expect(wrapped.key(1, '1', 1n, true, null, undefined, -0, Number.NaN)).toBe(
      'users(1,"1",1n,true,null,undefined,-0,NaN)',
    )
    expect(wrapped.key(1)).not.toBe(wrapped.key(1, undefined))
  })
})
