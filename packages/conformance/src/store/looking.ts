import { isBatching, type TierStats } from '@cache/core'
import { check, equal, eventually } from '../expect.ts'
import { applied, endingOf } from './scene.ts'
import { capabilityGroup, type Group } from './spec.ts'

/** Telling beforehand what is refused. */
export const checking: Group = capabilityGroup('checking', [
  {
    rule: 'check',
    name: 'refuses what set refuses, and writes nothing',
    async run(scene) {
      for (const value of [() => 1, 1n, Symbol('x'), { a: 1 }, 0, '', null, 'x'.repeat(100_000)]) {
        const entry = scene.entry(value)
        const checked = await endingOf(() => scene.store.check('k', entry))
        check(!(await scene.has('k')), 'check has written an entry')
        const set = await endingOf(() => scene.store.set('k', entry))
        const [refusedBefore, refusedThen] = [
          'thrown' in checked,
          !('value' in set && set.value?.status === 'applied'),
        ]
        equal(refusedBefore, refusedThen, `whether check refuses a ${value === null ? 'null' : typeof value}`)
        await scene.store.delete('k')
      }
    },
  },
])

/** Listing keys. */
export const enumerable: Group = capabilityGroup('enumerable', [
  {
    rule: 'enumerate',
    name: 'lists the keys that are there, by scope too',
    async run(scene) {
      const keysOf = async (scope?: string): Promise<string[]> => {
        const keys = new Set<string>()
        for await (const key of scene.store.keys(scope)) keys.add(key)
        return [...keys].sort()
      }
      equal(await keysOf(), [], 'the keys of an empty store')
      const written = ['a:1', 'a:2', 'a%', 'a*', 'ab', 'b', '__proto__', 'ü', '🦄', 'a\nb']
      for (const key of [...written, 'deleted']) await scene.put(key)
      applied(await scene.store.delete('deleted'), 'delete')
      equal(await keysOf(), [...written].sort(), 'all keys')
      for (const scope of ['a', 'a:', 'a%', 'a*', '🦄', 'none'])
        equal(
          await keysOf(scope),
          written.filter(key => key.startsWith(scope)).sort(),
          `the keys of the scope ${scope}`,
        )
    },
  },
  {
    rule: 'enumerate',
    name: 'lists thousands of keys',
    async run(scene) {
      const keys = Array.from({ length: 2_500 }, (_, i) => `k${i}`)
      await Promise.all(keys.map(key => scene.put(key, 1)))
      const listed = new Set<string>()
      for await (const key of scene.store.keys()) listed.add(key)
      equal(listed.size, keys.length, 'the number of keys that are listed')
    },
  },
])

/** Telling sizes. */
export const measurable: Group = capabilityGroup('measurable', [
  {
    rule: 'measure',
    name: 'tells each tier in plain numbers, at once',
    async run(scene) {
      await scene.put('k')
      await scene.store.get('k')
      for (const tier of tiersOf(scene.store.measure())) {
        const { tier: name, ...numbers } = tier
        check(typeof name === 'string' && name !== '', 'a tier must have a name')
        for (const [what, number] of numbersIn(numbers))
          check(number >= 0 && number < Number.POSITIVE_INFINITY, `${what} of the tier ${name} is ${number}`)
      }
    },
  },
  {
    rule: 'measure',
    name: 'the numbers follow what happens',
    async run(scene) {
      const first = (): TierStats => tiersOf(scene.store.measure())[0] as TierStats
      const before = first()
      await scene.put('a')
      await scene.put('b')
      const { items } = first()
      if (items !== undefined)
        equal(items - (before.items ?? 0), 2, 'the items that two new keys add to the first tier')
      const { hits } = first()
      await scene.store.get('a')
      if (hits !== undefined)
        equal((first().hits ?? 0) - hits, 1, 'the hits that one hit adds to the first tier')
      await scene.store.delete('a')
      await scene.store.clear()
      if (items !== undefined) equal(first().items, 0, 'the items of the first tier after clear')
    },
  },
])

/** Telling whether it would answer. */
export const health: Group = capabilityGroup('health', [
  {
    rule: 'health',
    name: 'a store that answers is available, and says so at once',
    async run(scene) {
      await scene.put('k')
      await eventually(() => {
        const health = scene.store.health()
        check(
          typeof health?.available === 'boolean',
          'health must give an object with available, and no promise',
        )
        return health.available
      }, 'a store that answers is available')
    },
  },
])

/** Telling what happens. */
export const observed: Group = capabilityGroup('observed', [
  {
    rule: 'observe',
    name: 'an observation ends when it is ended',
    async run(scene) {
      let told = 0
      const stop = scene.store.observe({ event: () => void told++ })
      check(typeof stop === 'function', 'observe must return a function')
      await scene.put('k')
      await scene.store.get('k')
      stop()
      const before = told
      await scene.put('k')
      await scene.store.get('k')
      if (isBatching(scene.store)) await scene.store.getMany(['k'])
      equal(told, before, 'the number of events after the observation was ended')
      stop()
    },
  },
])

/** Marks of how much survived. */
export const marking: Group = capabilityGroup('marking', [
  {
    rule: 'mark',
    name: 'every mark is later than those before',
    async run({ store }) {
      let last = Number.NEGATIVE_INFINITY
      for (let i = 0; i < 5; i++) {
        const mark = await store.mark()
        check(Number.isFinite(mark) && mark > last, `mark ${mark} comes after ${last}`)
        last = mark
      }
      const stop = store.onSetback(() => {})
      check(typeof stop === 'function', 'onSetback must return a function')
      stop()
    },
  },
])

function tiersOf(tiers: readonly TierStats[]): readonly TierStats[] {
  check(Array.isArray(tiers) && tiers.length > 0, 'measure must give an array with each tier, and no promise')
  return tiers
}

/** All that a tier tells but names, also what lies deeper: of its codec, say. */
function numbersIn(told: object): (readonly [what: string, number: number])[] {
  return Object.entries(told).flatMap(([what, value]) => {
    if (typeof value === 'string') return []
    return typeof value === 'object' && value !== null ? numbersIn(value) : [[what, Number(value)] as const]
  })
}
