import { describe, expect, test } from 'vitest'
import { BoundedMap, MemoryStore, type Policy, type PolicySlots } from '../src/index.ts'
import { validate } from './validate.ts'

/** Most recently used leaves first: right for loops, and nobody's default. */
class Mru implements Policy {
  static readonly words = 2
  static readonly anchors = 1
  readonly #slots: PolicySlots

  constructor(slots: PolicySlots) {
    this.#slots = slots
  }

  admit(slot: number): void {
    this.#slots.append(slot, 0)
  }

  use(slot: number): void {
    this.#slots.unlink(slot)
    this.#slots.append(slot, 0)
  }

  remove(slot: number): void {
    this.#slots.unlink(slot)
  }

  victim(): number {
    return this.#slots.previous(0)
  }

  order(): Iterable<number> {
    return [...this.#slots.ring(0)].reverse()
  }
}

/** Keeps nothing, and names a slot that holds no entry. */
class Lost implements Policy {
  static readonly words = 0
  static readonly anchors = 0
  admit(): void {}
  use(): void {}
  remove(): void {}
  victim(): number {
    return 99
  }
  *order(): Iterable<number> {}
}

describe('a policy of one’s own', () => {
  test('decides who leaves a map', () => {
    const map = new BoundedMap<string, number>({ maxItems: 3, policy: Mru, ttl: '1h' })
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, i)
    map.get('a')
    map.set('e', 4)
    expect([...map.keys()].sort()).toEqual(['b', 'd', 'e'])
    expect([...map.keys()][0], 'the next victim first').toBe('e')
    map.resize(1)
    expect([...map.keys()]).toEqual(['b'])
    validate(map)
  })

  test('decides who leaves a store', () => {
    const store = new MemoryStore({ maxItems: 1, policy: Mru })
    const entry = { value: 1, createdAt: 0, freshUntil: Infinity, expiresAt: Infinity }
    store.set('a', entry)
    store.set('b', entry)
    expect([...store.keys()]).toEqual(['b'])
  })

  test.each([undefined, 1_000])(
    'that names no entry is told so, and the map stays whole (maxBytes %s)',
    maxBytes => {
      const map = new BoundedMap<string, number>({ maxItems: 2, policy: Lost, ...(maxBytes && { maxBytes }) })
      map.set('a', 1)
      map.set('b', 2)
      expect(() => map.set('c', 3)).toThrow(
        expect.objectContaining({
          code: 'STORE',
          message: expect.stringMatching(/named a victim that is no entry/),
        }),
      )
      expect([map.size, map.get('a'), map.get('b'), map.get('c')]).toEqual([2, 1, 2, undefined])
    },
  )

  test.each([
    [
      class extends Mru {
        static override readonly words = 1 as never
      },
      /^policy.words must be at least 2, for the links/,
    ],
    [
      class extends Mru {
        static override readonly anchors = -1 as never
      },
      /^policy.anchors must be/,
    ],
    [
      class extends Mru {
        static override readonly anchors = 1_000_001 as never
      },
      /^policy.anchors must be an integer from 0 to 1000000/,
    ],
    [class {}, /^policy.words must be/],
  ])('is checked when the map is made', (policy, message) => {
    expect(() => new BoundedMap({ maxItems: 1, policy: policy as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(message) }),
    )
  })
})
