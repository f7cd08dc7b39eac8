import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { validateIndex } from '../test/validate.ts'
import { HashIndex, NONE, tableOf } from './hash-index.ts'
import { Slots } from './slots.ts'

/** What holds the keys of an index, driven as a map does, and a `Map` to compare with. */
class Host {
  readonly slots = new Slots<unknown, undefined>({
    limit: 1_000_000,
    anchors: 1,
    policyWords: 0,
    weighed: false,
  })
  readonly index: HashIndex<unknown>
  readonly naive = new Map<unknown, number>()

  constructor(type = HashIndex<unknown>, seed = 1) {
    this.index = new type(this.slots, seed)
  }

  set(key: unknown): void {
    const hash = this.index.hash(key)
    const slot = this.index.find(key, hash)
    expect(slot).toBe(this.naive.get(key) ?? NONE)
    if (slot !== NONE) return
    const fresh = this.slots.allocate(key, undefined)
    this.index.add(fresh, key, hash)
    this.naive.set(key, fresh)
  }

  delete(key: unknown): void {
    const slot = this.index.find(key)
    expect(slot).toBe(this.naive.get(key) ?? NONE)
    if (slot === NONE) return
    expect(this.index.remove(slot)).toBe(true)
    expect(this.index.remove(slot), 'only once').toBe(false)
    this.slots.release(slot)
    this.naive.delete(key)
  }

  /** The slot changes hands, and is named by its new key as soon as that is found. */
  exchange(key: unknown, successor: unknown): void {
    const slot = this.naive.get(key)
    if (slot === undefined || this.naive.has(successor)) return
    this.index.remove(slot)
    this.index.add(slot, successor, this.index.hash(successor))
    this.slots.occupy(slot, successor, undefined)
    this.naive.delete(key)
    this.naive.set(successor, slot)
  }

  check(keys: Iterable<unknown>): void {
    validateIndex(this.index, this.slots)
    expect(this.index.size).toBe(this.naive.size)
    const lost = [...keys].filter(key => this.index.find(key) !== (this.naive.get(key) ?? NONE))
    expect(lost, 'what a Map finds').toEqual([])
    expect([...this.naive.values()].filter(slot => !this.index.has(slot))).toEqual([])
  }
}

/** Few hashes for many keys, and homes that lie side by side and at both ends of the table. */
class Crowded extends HashIndex<unknown> {
  override hash(key: unknown): number {
    const hash = super.hash(key)
    return hash === 0 ? 0 : (hash & 0xc000_0000) | (((hash & 3) - 2) & 0xff_ffff)
  }
}

const object = {}
const symbol = Symbol('key')
/** Strings are new ones every time: equal, and not the same in memory. */
const KEYS: readonly (() => unknown)[] = [
  () => '',
  () => '\0',
  () => ['__proto', '__'].join(''),
  () => 'constructor',
  () => ['\ud800', 'x'].join(''),
  () => '\udc00',
  () => 'é',
  () => 'e\u0301',
  () => `user:${[1, 2, 3].join('')}:a name that is put together`,
  () => 'abcdefghijklmnopqrstuvwxyz, and the rest of it'.slice(0, 20),
  () => 'abcdefghijklmnopqrstuvwxyz, and the rest of it'.slice(1, 21),
  () => 'x'.repeat(48),
  () => 'x'.repeat(49),
  () => 'x'.repeat(5_000),
  () => '1',
  () => 1,
  () => 1n,
  () => '-0',
  () => -0,
  () => 0,
  () => -1,
  () => 0.5,
  () => 2 ** 31 - 1,
  () => 2 ** 31,
  () => -(2 ** 31),
  () => 2 ** 53,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => true,
  () => 'true',
  () => null,
  () => 'null',
  () => undefined,
  () => object,
  () => symbol,
  () => Symbol.for('key'),
]

const anyKey = fc.oneof(
  { weight: 3, arbitrary: fc.nat(KEYS.length - 1).map(i => (KEYS[i] as () => unknown)()) },
  { weight: 2, arbitrary: fc.nat(400) },
  { weight: 2, arbitrary: fc.nat(400).map(n => `key:${n}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ set: anyKey }) },
  { weight: 2, arbitrary: fc.record({ delete: anyKey }) },
  { weight: 2, arbitrary: fc.record({ exchange: anyKey, successor: anyKey }) },
  { weight: 1, arbitrary: fc.record({ fill: fc.nat(300), count: fc.nat(300) }) },
)
type Step = { set: unknown } | { delete: unknown } | { exchange: unknown; successor: unknown } | Fill
interface Fill {
  readonly fill: number
  readonly count: number
}

function run(host: Host, steps: readonly Step[]): void {
  const asked = new Set<unknown>()
  for (const each of steps) {
    if ('set' in each) host.set(each.set)
    else if ('delete' in each) host.delete(each.delete)
    else if ('exchange' in each) host.exchange(each.exchange, each.successor)
    else for (let i = 0; i < each.count; i++) host.set(`key:${each.fill + i}`)
    for (const key of Object.values(each)) asked.add(key)
    host.check(asked)
  }
  host.check(host.naive.keys())
}

describe('finds what a Map finds, and stays whole', () => {
  const steps = fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }) as fc.Arbitrary<Step[]>

  test('whatever the keys are', () => {
    fc.assert(fc.property(fc.integer(), steps, (seed, all) => run(new Host(HashIndex<unknown>, seed), all)))
  })

  test('even if many of them have the same hash', () => {
    fc.assert(fc.property(fc.integer(), steps, (seed, all) => run(new Host(Crowded, seed), all)))
  })
})

test('of keys with the same hash, a search looks at 64; the others are in the Map', () => {
  class Colliding extends HashIndex<unknown> {
    override hash(): number {
      return -1
    }
  }
  const host = new Host(Colliding)
  const keys = Array.from({ length: 1_000 }, (_, i) => `key:${i}`)
  for (const key of keys) host.set(key)
  host.check(keys)
  expect(tableOf(host.index).rest.size).toBe(1_000 - 64)
  host.check(['key:1000', 'another'])
  for (const key of keys) host.delete(key)
  host.check(keys)
})

test('keys of a kind that would collide under another seed are spread', () => {
  const other = new Host(HashIndex<unknown>, 2)
  const chosen: unknown[] = []
  for (let i = 0; chosen.length < 300; i++) {
    for (const key of [i, `key:${i}`]) if ((other.index.hash(key) & 1_023) === 0) chosen.push(key)
  }
  const host = new Host()
  for (const key of chosen) host.set(key)
  expect(tableOf(host.index).rest.size).toBe(0)
  expect(new Set(chosen.map(key => host.index.hash(key) & 1_023)).size).toBeGreaterThan(200)
})

test('every index draws a seed of its own', () => {
  const { slots } = new Host()
  const hashes = Array.from({ length: 100 }, () => new HashIndex(slots).hash('key'))
  expect(new Set(hashes).size).toBeGreaterThan(98)
})

test('a key that finds no cell within reach when the table grows is not lost', () => {
  class ByName extends HashIndex<unknown> {
    override hash(key: unknown): number {
      return (Number.parseInt(String(key), 10) & 0xff_ffff) | 0x4000_0000
    }
  }
  const host = new Host(ByName)
  const named = (home: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${home} ${i}`)
  // The table goes from 256 to 512 cells with the last of these. Those of cell 5 come before one of the last cell then.
  const elsewhere = Array.from({ length: 38 }, (_, i) => `${100 + i}`)
  const keys = [...elsewhere.slice(1), ...named(0, 60), ...named(-1, 4), ...named(5, 1), elsewhere[0]]
  for (const key of keys) host.set(key)
  host.check(keys)
  expect(tableOf(host.index).cells.length).toBe(512)
  expect(tableOf(host.index).rest.size).toBe(1)
})

test('a slot without an entry has no key, not even undefined', () => {
  const host = new Host()
  host.set(undefined)
  expect(host.index.has(99)).toBe(false)
  expect(host.index.remove(99)).toBe(false)
  host.check([undefined])
})

test('a Map that is full of removed entries is compacted, and nothing is lost', () => {
  const host = new Host()
  const keys = [Symbol('a'), Symbol('b'), Symbol('c')]
  for (const key of keys) host.set(key)
  const full = tableOf(host.index).rest
  const { set } = Map.prototype
  const spy = vi.spyOn(Map.prototype, 'set').mockImplementation(function (
    this: Map<unknown, unknown>,
    key,
    value,
  ) {
    if (this === full) throw new RangeError('Map maximum size exceeded')
    return set.call(this, key, value)
  })
  host.set(object)
  spy.mockRestore()
  host.check([...keys, object])
})
