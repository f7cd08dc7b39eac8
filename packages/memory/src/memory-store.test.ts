import {
  APPLIED,
  CacheError,
  type Codec,
  type Entry,
  isBatching,
  isEnumerable,
  isMeasurable,
  isTagging,
  isTouching,
  ManualClock,
} from '@cache/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { MemoryStore, type MemoryStoreOptions, POLICY_NAMES } from './index.ts'

const clock = new ManualClock()
const entryFor = (value: unknown, ttlMs: number): Entry => ({
  value,
  createdAt: clock.now(),
  freshUntil: clock.now() + ttlMs,
  expiresAt: clock.now() + ttlMs,
})
const withCode = (code: string): unknown => expect.objectContaining({ name: 'CacheError', code })

const DAY = 86_400_000
const MATRIX: (MemoryStoreOptions & { ttlMs: number })[] = POLICY_NAMES.flatMap(policy =>
  ([undefined, 100_000] as const).flatMap(maxBytes =>
    (['none', 'clone', 'freeze'] as const).flatMap(copy =>
      [60_000, 40 * DAY, Number.POSITIVE_INFINITY].map(ttlMs => ({
        policy,
        copy,
        clock,
        maxItems: 5,
        ttlMs,
        ...(maxBytes !== undefined && { maxBytes }),
      })),
    ),
  ),
)

describe.each(MATRIX)('policy $policy, maxBytes $maxBytes, copy $copy, ttl $ttlMs ms', options => {
  const { ttlMs } = options
  const entry = (value: unknown, ms: number = ttlMs): Entry => entryFor(value, ms)
  let store: MemoryStore
  beforeEach(() => {
    store = new MemoryStore(options)
  })

  test('hands back what was stored, until it ends', () => {
    const stored = { ...entry({ deep: [1, 'ü'] }), tags: ['t'], metadata: { by: 'me' } }
    expect(store.get('k')).toBeUndefined()
    expect(store.set('k', stored)).toBe(APPLIED)
    expect(store.get('k')).toEqual(stored)
    const ends = Number.isFinite(ttlMs)
    clock.advance(ends ? ttlMs - 1 : 36_500 * DAY)
    expect(store.get('k')).toEqual(stored)
    clock.advance(1)
    expect(store.get('k') === undefined).toBe(ends)
    expect(store.measure()).toMatchObject([
      ends
        ? { tier: 'memory', items: 0, hits: 2, evictions: 0, expirations: 1 }
        : { tier: 'memory', items: 1, hits: 3, evictions: 0, expirations: 0 },
    ])
  })

  test('holds no more than its bound, and counts who had to leave', () => {
    for (let i = 0; i < 12; i++) store.set(`k${i}`, entry(i))
    expect([...store.keys()].length).toBe(5)
    expect(store.measure()).toMatchObject([
      { items: 5, maxItems: 5, evictions: 7, evictionsForBytes: 0, expirations: 0 },
    ])
  })

  test('counts what was asked for in vain, and who had to leave for want of bytes', () => {
    const weighed = new MemoryStore({ maxItems: 100, maxBytes: 4_000, clock })
    for (let i = 0; i < 10; i++) weighed.set(`k${i}`, entry('x'.repeat(1_000)))
    const [{ items = 0, maxBytes, evictions, evictionsForBytes } = {}] = weighed.measure()
    expect(maxBytes).toBe(4_000)
    expect(evictions).toBe(10 - items)
    expect(evictionsForBytes).toBe(evictions)
    weighed.get('k9')
    weighed.getMany(['k9', 'none', 'nor this'])
    expect(weighed.measure()).toMatchObject([{ hits: 2, misses: 2 }])
  })

  test('passes on what its codec tells', () => {
    const codec = {
      encode: (value: unknown) => Buffer.from(JSON.stringify(value)),
      decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()),
    }
    expect(new MemoryStore({ codec }).measure()[0]).not.toHaveProperty('codec')
    const stats = {
      serializer: { name: 'json', encoded: 1, encodeMs: 2, decoded: 0, decodeMs: 0 },
      compression: [],
      skipped: { small: 0, incompressible: 0 },
    }
    expect(new MemoryStore({ codec: { ...codec, stats: () => stats } }).measure()).toMatchObject([
      { codec: stats },
    ])
  })

  test('clears everything, or what begins with a scope', () => {
    const { pending } = clock
    for (const key of ['a:1', 'a:2', 'b:1', 'a']) store.set(key, entry(key))
    expect(store.clear('a:')).toBe(APPLIED)
    expect(new Set(store.keys())).toEqual(new Set(['b:1', 'a']))
    expect([...store.keys('b')]).toEqual(['b:1'])
    expect(store.clear()).toBe(APPLIED)
    expect([...store.keys()]).toEqual([])
    expect(clock.pending, 'no timer is left behind').toBe(pending)
  })

  test('an invalidated tag outdates what has it and was stored before', () => {
    const store = new MemoryStore(options)
    const tagged = (tags: string[]): Entry => ({ ...entryFor('v', options.ttlMs), tags })
    store.setMany(
      new Map([
        ['a', tagged(['x', 'y'])],
        ['b', tagged(['z'])],
        ['c', tagged(['y'])],
      ]),
    )
    store.set('d', entryFor('v', options.ttlMs))
    expect(store.invalidateTags(['y'])).toBe(APPLIED)
    store.set('c', tagged(['y']))
    expect([...store.getMany(['a', 'b', 'c', 'd']).found.keys()]).toEqual(['b', 'c', 'd'])
    expect(store.get('c')?.tags).toEqual(['y'])
    store.touch('c', 0, clock.now() + 2 * options.ttlMs)
    expect(store.get('c')).toBeDefined()
    store.invalidateTags(['y'])
    expect(store.get('c')).toBeUndefined()
    expect(store.measure()[0]).toMatchObject({ items: 2 })
  })

  test('once closed, refuses every call', () => {
    store.set('k', entry(1))
    store.close()
    store.close()
    const calls = [
      () => store.get('k'),
      () => store.set('k', entry(1)),
      () => store.delete('k'),
      () => store.clear(),
      () => store.touch('k', 1, 1),
      () => store.invalidateTags(['t']),
      () => store.keys(),
      () => store.getMany([]),
      () => store.setMany(new Map()),
      () => store.deleteMany([]),
    ]
    for (const call of calls) expect(call).toThrow(withCode('CLOSED'))
    expect(store.measure()).toMatchObject([{ items: 0 }])
  })
})

test('offers its capabilities', () => {
  const store = new MemoryStore()
  for (const offers of [isBatching, isEnumerable, isMeasurable, isTagging, isTouching])
    expect(offers(store)).toBe(true)
  expect(store.name).toBe('memory')
})

test("copy 'none': a hit is the very entry that was stored", () => {
  const store = new MemoryStore({ clock })
  const stored = entryFor({}, 60_000)
  store.set('k', stored)
  expect(store.get('k')).toBe(stored)
})

test("copy 'clone': neither writer nor readers can change what is cached", () => {
  const store = new MemoryStore({ clock, copy: 'clone' })
  const value = { list: [1] }
  store.set('k', entryFor(value, 60_000))
  value.list.push(2)
  const read = store.get('k')?.value as typeof value
  read.list.push(3)
  expect(store.get('k')?.value).toEqual({ list: [1] })
})

test("copy 'clone': what cannot be cloned is refused, in a batch it alone", () => {
  const store = new MemoryStore({ clock, copy: 'clone' })
  store.set('k', entryFor(1, 60_000))
  expect(() =>
    store.set(
      'k',
      entryFor(() => 1, 60_000),
    ),
  ).toThrow(withCode('SERIALIZATION'))
  expect(store.get('k')?.value).toBe(1)
  const outcome = store.setMany(
    new Map([
      ['bad', entryFor(() => 1, 60_000)],
      ['good', entryFor(1, 60_000)],
    ]),
  )
  expect(outcome).toMatchObject({ status: 'partial', error: withCode('SERIALIZATION') })
  expect([...(outcome.failures ?? [])].map(([key]) => key)).toEqual(['bad'])
  expect(store.get('good')?.value).toBe(1)
})

test("copy 'freeze': what is cached is frozen all the way down, circles and buffers included", () => {
  const store = new MemoryStore({ clock, copy: 'freeze' })
  const circle: unknown[] = []
  circle.push(circle)
  const value = { list: [{ n: 1 }], bytes: new Uint8Array(3), circle }
  store.set('k', entryFor(value, 60_000))
  const read = store.get('k')?.value as { list: { n: number }[] }
  expect(() => read.list.push({ n: 2 })).toThrow(TypeError)
  expect(() => Object.assign(read.list[0] as object, { n: 2 })).toThrow(TypeError)
  expect(() => Object.assign(value, { more: 1 })).toThrow(TypeError)
})

test('an entry larger than maxBytes fails honestly, and its elder is gone', () => {
  const store = new MemoryStore({ clock, maxBytes: 2_000 })
  store.set('k', entryFor('small', 60_000))
  expect(store.measure()[0]?.bytes).toBeGreaterThan(0)
  expect(store.set('k', entryFor('x'.repeat(5_000), 60_000))).toMatchObject({
    status: 'failed',
    error: withCode('INVALID_VALUE'),
  })
  expect(store.get('k')).toBeUndefined()
  expect(store.measure()[0]?.bytes).toBe(0)
})

test('bytes are told only where they are counted', () => {
  expect(new MemoryStore().measure()[0]).not.toHaveProperty('bytes')
})

test('bad options are refused by name', () => {
  expect(() => new MemoryStore({ maxItems: 0 })).toThrow(/^maxItems must be/)
  expect(() => new MemoryStore({ copy: 'deep' as 'clone' })).toThrow(
    /^copy must be one of none, clone, freeze/,
  )
  expect(() => new MemoryStore({ policy: 'x' as 'lru' })).toThrow(
    /^policy must be one of lru, lfu, fifo, random/,
  )
})

describe('with a codec', () => {
  /** Bytes that lie within a larger buffer, as those of `Buffer` do. */
  const codec: Codec = {
    encode: value => {
      const text = JSON.stringify(value)
      if (text === undefined) throw new CacheError('SERIALIZATION', 'JSON cannot hold undefined')
      const whole = new Uint8Array(50 + text.length)
      whole.set(Buffer.from(text), 50)
      return whole.subarray(50)
    },
    decode: bytes => JSON.parse(Buffer.from(bytes).toString()),
  }
  const words = 'value '.repeat(1_000)

  test('values are kept as bytes: every read gives a new one, whatever becomes of the others', () => {
    const store = new MemoryStore({ clock, codec })
    const value = { list: [1, 2] }
    const stored = { ...entryFor(value, 60_000), tags: ['t'], metadata: { by: 'me' } }
    store.set('k', stored)
    value.list.push(3)
    const first = store.get('k') as Entry<{ list: number[] }>
    expect(first).toEqual({ ...stored, value: { list: [1, 2] } })
    first.value.list.push(4)
    expect(store.get('k')?.value).toEqual({ list: [1, 2] })
    store.touch('k', stored.freshUntil + 1_000, stored.expiresAt + 1_000)
    expect(store.getMany(['k']).found.get('k')).toMatchObject({
      value: { list: [1, 2] },
      expiresAt: stored.expiresAt + 1_000,
    })
  })

  test('the bound on bytes is one on these bytes and a little for each entry', () => {
    const store = new MemoryStore({ clock, codec, maxBytes: 100_000 })
    for (let i = 0; i < 100; i++) store.set(`k${i}`, entryFor(words, 60_000))
    const [{ items = 0, bytes = 0 } = {}] = store.measure()
    expect(bytes).toBeGreaterThan(items * words.length)
    expect(bytes).toBeLessThan(items * (words.length + 300))
    expect(bytes).toBeLessThanOrEqual(100_000)
  })

  test('no entry holds on to a buffer that is larger than itself', () => {
    const held: Uint8Array[] = []
    const spying: Codec = { ...codec, decode: bytes => held.push(bytes) }
    const store = new MemoryStore({ clock, codec: spying })
    store.set('k', entryFor('text', 60_000))
    store.get('k')
    expect(held[0]?.buffer.byteLength).toBe(6)
  })

  test('what it refuses is not stored, and the elder stays', () => {
    const store = new MemoryStore({ clock, codec })
    store.set('k', entryFor(1, 60_000))
    expect(() => store.set('k', entryFor(undefined, 60_000))).toThrow(withCode('SERIALIZATION'))
    expect(store.get('k')?.value).toBe(1)
  })

  test.each([
    [{ codec: {} as Codec }, /^codec must be a Codec/],
    [{ codec, copy: 'clone' as const }, /^copy must be 'none' beside a codec/],
  ])('and nonsense beside it is refused', (options, message) => {
    expect(() => new MemoryStore(options)).toThrow(message)
  })
})

describe('onRemoval', () => {
  test('tells what was evicted or expired, and nothing else, to all who listen, until they leave', () => {
    const store = new MemoryStore({ maxItems: 2, policy: 'fifo', clock })
    const heard: unknown[] = []
    store.set('before', entryFor(1, 60_000))
    const leave = store.onRemoval(({ key, tier, cause }) => heard.push([key, tier, cause]))
    const leaveToo = store.onRemoval(({ key }) => heard.push(key))
    store.set('a', entryFor(1, 60_000))
    store.set('b', entryFor(1, 1_000))
    store.set('a', entryFor(2, 60_000))
    store.delete('a')
    clock.advance(1_500)
    expect(store.get('b')).toBeUndefined()
    expect(heard).toEqual([['before', 'memory', 'evicted'], 'before', ['b', 'memory', 'expired'], 'b'])
    leave()
    for (const key of ['c', 'd', 'e']) store.set(key, entryFor(1, 60_000))
    leaveToo()
    leaveToo()
    store.set('f', entryFor(1, 60_000))
    store.clear()
    expect(heard.slice(4)).toEqual(['c'])
  })

  test('tells the others behind one that throws, and warns of that', async () => {
    const warned = new Promise<Error>(resolve => process.once('warning', resolve))
    const store = new MemoryStore({ maxItems: 1, clock })
    const heard: string[] = []
    const leave = store.onRemoval(() => {
      throw new Error('of the listener')
    })
    store.onRemoval(({ key }) => heard.push(key))
    store.set('a', entryFor(1, 60_000))
    store.set('b', entryFor(1, 60_000))
    leave()
    store.set('c', entryFor(1, 60_000))
    expect(heard).toEqual(['a', 'b'])
    expect((await warned).message).toContain('onRemove')
  })
})
