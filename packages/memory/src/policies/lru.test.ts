import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BoundedMap } from '../bounded-map.ts'

/** Moves an entry to the end at each use, by the letter. */
class NaiveLru {
  readonly entries = new Map<number, number>()

  use(key: number, maxItems: number): void {
    this.entries.delete(key)
    this.entries.set(key, key)
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= maxItems) break
      this.entries.delete(oldest)
    }
  }
}

describe('lru', () => {
  it('keeps the order of moving each entry at each use, whatever is noted in between, while the map grows', () => {
    const action = fc.record({
      kind: fc.constantFrom('get', 'get', 'get', 'get', 'set', 'set', 'delete', 'resize'),
      key: fc.nat(900),
      burst: fc.integer({ min: 1, max: 200 }),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), actions => {
        let maxItems = 500
        const map = new BoundedMap<number, number>({ maxItems, policy: 'lru' })
        const naive = new NaiveLru()
        for (const { kind, key, burst } of actions) {
          if (kind === 'resize') {
            maxItems = 1 + (key % 600)
            map.resize(maxItems)
            for (const oldest of [...naive.entries.keys()].slice(0, -maxItems)) naive.entries.delete(oldest)
          }
          for (let i = 0; i < burst; i++) {
            const each = (key + i * i) % 900
            if (kind === 'delete') {
              map.delete(each)
              naive.entries.delete(each)
            } else if (kind === 'set') {
              map.set(each, each)
              naive.use(each, maxItems)
            } else if (kind === 'get' && map.get(each) !== undefined) {
              naive.use(each, maxItems)
            }
          }
          expect(map.size).toBe(naive.entries.size)
        }
        expect([...map.keys()]).toEqual([...naive.entries.keys()])
      }),
      { numRuns: 200 },
    )
  })

  it('keeps that order over many more uses than entries', () => {
    const map = new BoundedMap<number, number>({ maxItems: 300, policy: 'lru' })
    const naive = new NaiveLru()
    let random = 1
    const next = (below: number): number => {
      random = Math.imul(random, 48_271) & 0x7fff_ffff
      return random % below
    }
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 300; i++) {
        const key = next(1_000)
        map.set(key, key)
        naive.use(key, 300)
      }
      // Some are never used in between, some at the very end only.
      const keys = [...naive.entries.keys()].filter(key => key % 7 !== round)
      for (let i = 0; i < 20_000 * (round + 1); i++) {
        const key = keys[next(keys.length)] as number
        map.get(key)
        naive.use(key, 300)
      }
      map.delete(keys[0] as number)
      naive.entries.delete(keys[0] as number)
      map.set(-round, 0)
      naive.use(-round, 300)
    }
    expect([...map.keys()]).toEqual([...naive.entries.keys()])
  })
})
