import type { Batching, CacheError, Entry, Store } from '@cache/core'
import { NothingToTry } from '../case.ts'
import { check, equal } from '../expect.ts'
import { applied, endingOf, type Scene } from './scene.ts'
import { capabilityGroup, type Group } from './spec.ts'

type BatchingScene = Scene<Store & Batching>

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i}`)

/** Many keys at once. */
export const batching: Group = capabilityGroup('batching', [
  ...[1, 3, 1_000].map(count => ({
    rule: 'batch' as const,
    name: `${count} entries are written, read and deleted`,
    async run(scene: BatchingScene) {
      const { store } = scene
      const keys = keysOf(count)
      const entries = new Map(keys.map((key, i) => [key, scene.entry({ i })]))
      applied(await store.setMany(entries), 'setMany')
      const { found, failures } = await store.getMany(['missing', ...keys, 'missing too'])
      equal(failures?.size ?? 0, 0, 'the number of failures of getMany')
      equal(new Map(sorted(found)), new Map(sorted(entries)), 'what getMany found')
      await scene.holds('k0', entries.get('k0'), 'get of a key that setMany wrote')
      applied(await store.deleteMany([...keys, 'missing']), 'deleteMany')
      equal((await store.getMany(keys)).found.size, 0, 'the number of entries found after deleteMany')
      await scene.holds('k0', undefined, 'get of a key that deleteMany removed')
    },
  })),
  {
    rule: 'batch',
    name: 'a batch of nothing is applied, and finds nothing',
    async run({ store }) {
      applied(await store.setMany(new Map()), 'setMany of nothing')
      applied(await store.deleteMany([]), 'deleteMany of nothing')
      equal((await store.getMany([])).found.size, 0, 'the number of entries found for no keys')
    },
  },
  {
    rule: 'batch',
    name: 'a key that is named twice is read and deleted as one',
    async run(scene) {
      const entry = await scene.put('k')
      equal([...(await scene.store.getMany(['k', 'x', 'k'])).found], [['k', entry]], 'what getMany found')
      applied(await scene.store.deleteMany(['k', 'k']), 'deleteMany of one key twice')
      await scene.holds('k', undefined, 'a key that deleteMany was given twice')
    },
  },
  {
    rule: 'batch',
    name: 'what is in a batch keeps its own time, value, tags and metadata',
    async run(scene) {
      const now = scene.time.now()
      const entries = new Map<string, Entry>([
        ['falsy', scene.entry(0)],
        ['empty', scene.entry('')],
        ['short', scene.entry('short', 150)],
        ['over', { ...scene.entry('over'), expiresAt: now }],
        ['whole', { ...scene.entry('whole'), tags: ['t'], metadata: { by: 'me' } }],
      ])
      await scene.put('over', 'elder')
      applied(await scene.store.setMany(entries), 'setMany')
      await scene.time.until(now + 200)
      entries.delete('short')
      entries.delete('over')
      const { found } = await scene.store.getMany(['falsy', 'empty', 'short', 'over', 'whole'])
      equal(
        new Map(sorted(found)),
        new Map(sorted(entries)),
        'what getMany found when the short one was over',
      )
    },
  },
  {
    rule: 'batch-account',
    name: 'a value that cannot be kept is named, and no other one suffers unsaid',
    async run(scene) {
      const good = scene.entry('good')
      const bad = scene.entry(() => 'a function')
      const alone = await endingOf(() => scene.store.set('alone', bad))
      if ('value' in alone && alone.value?.status === 'applied')
        throw new NothingToTry('the store keeps functions')
      const ending = await endingOf(() =>
        scene.store.setMany(
          new Map([
            ['a', good],
            ['bad', bad],
            ['z', good],
          ]),
        ),
      )
      const written = await Promise.all(['a', 'bad', 'z'].map(key => scene.has(key)))
      equal(written[1], false, 'whether the value that cannot be kept is there')
      if ('thrown' in ending)
        return equal(written, [false, false, false], 'what is there of a batch that was refused')
      const { status, failures = new Map<string, CacheError>() } = ending.value
      check(status === 'partial' || status === 'failed', `the outcome must not be ${status}`)
      check(failures.has('bad'), 'failures must name the key of the value that cannot be kept')
      for (const [at, key] of [
        [0, 'a'],
        [2, 'z'],
      ] as const) {
        equal(
          written[at],
          !failures.has(key),
          `whether ${key} is there, which is ${failures.has(key) ? '' : 'not '}among the failures`,
        )
      }
    },
  },
])

function sorted<V>(entries: ReadonlyMap<string, V>): [string, V][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
}
