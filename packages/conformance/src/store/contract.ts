import { check, equal } from '../expect.ts'
import { applied, type Scene } from './scene.ts'
import { type Group, group } from './spec.ts'

/** Scopes with what some language of patterns takes for a wildcard. */
const SCOPES = ['a:', 'a%', 'a_', 'a*', 'a?', '[a]', 'a\\', '^a', 'a.', "a'", 'ä', '🦄']

/** What the five methods of every store do. */
export const contract: Group = group('contract', [
  {
    rule: 'missing',
    name: 'a key that was never written is undefined',
    async run({ store }) {
      equal(await store.get('nothing'), undefined, 'get of a key that was never written')
    },
  },
  {
    rule: 'whole',
    name: 'an entry comes back whole',
    async run(scene) {
      const entry = {
        ...scene.entry({ deep: [1, { ü: true }] }),
        tags: ['a', 'b:1'],
        metadata: { by: 'me', at: [1, 2] },
      }
      const distinct = { ...entry, createdAt: entry.createdAt - 7, freshUntil: entry.freshUntil - 1_001 }
      await scene.putEntry('k', distinct)
      await scene.holds('k', distinct, 'the entry that was set')
      await scene.put('plain', 1)
      const plain = await scene.store.get('plain')
      equal(plain?.tags, undefined, 'the tags of an entry that has none')
      equal(plain?.metadata, undefined, 'the metadata of an entry that has none')
    },
  },
  {
    rule: 'replace',
    name: 'a key that is written again holds the new entry, and nothing of the old one',
    async run(scene) {
      await scene.putEntry('k', { ...scene.entry({ old: 1 }), tags: ['t'], metadata: { old: 1 } })
      const entry = await scene.put('k', { new: 2 })
      await scene.holds('k', entry, 'the second entry that was set')
    },
  },
  {
    rule: 'delete',
    name: 'a deleted key is gone, and may be deleted again',
    async run(scene) {
      const { store } = scene
      applied(await store.delete('k'), 'delete of a key that was never there')
      await scene.put('k')
      const other = await scene.put('other')
      applied(await store.delete('k'), 'delete of a key that is there')
      await scene.holds('k', undefined, 'a deleted key')
      await scene.holds('other', other, 'the key beside a deleted one')
      applied(await store.delete('k'), 'delete of a key that was deleted before')
      const entry = await scene.put('k', 'again')
      await scene.holds('k', entry, 'a key written after its delete')
    },
  },
  {
    rule: 'outcome',
    name: 'set, delete and clear give an outcome',
    async run(scene) {
      const { store } = scene
      applied(await store.set('k', scene.entry(1)), 'set')
      applied(await store.delete('k'), 'delete')
      applied(await store.clear(), 'clear')
      applied(await store.clear('nothing:'), 'clear of a scope in which there is nothing')
    },
  },
  {
    rule: 'clear',
    name: 'clear removes everything, and the store goes on',
    async run(scene) {
      const keys = Array.from({ length: 250 }, (_, i) => `k${i}`)
      await Promise.all(keys.map(key => scene.put(key)))
      applied(await scene.store.clear(), 'clear')
      for (const key of keys) await scene.holds(key, undefined, `${key} after clear`)
      const entry = await scene.put('k1', 'new')
      await scene.holds('k1', entry, 'a key written after clear')
    },
  },
  {
    rule: 'clear',
    name: "clear('') is clear()",
    async run(scene) {
      await scene.put('k')
      applied(await scene.store.clear(''), "clear('')")
      await scene.holds('k', undefined, "a key after clear('')")
    },
  },
  ...SCOPES.map(scope => ({
    rule: 'clear' as const,
    name: `clear(${JSON.stringify(scope)}) takes its scope literally`,
    async run(scene: Scene) {
      const inside = [scope, `${scope}1`, `${scope}:deep:er`]
      const outside = ['a', 'b:1', 'aa', 'abc:1', 'A:', `x${scope}1`, '1', 'bä', 'é']
      const spared = outside.filter(key => !key.startsWith(scope))
      for (const key of [...inside, ...spared]) await scene.put(key)
      applied(await scene.store.clear(scope), 'clear of a scope')
      for (const key of inside)
        check(!(await scene.has(key)), `${key} begins with ${scope}, and is still there`)
      for (const key of spared)
        check(await scene.has(key), `${key} does not begin with ${scope}, and is gone`)
    },
  })),
  {
    rule: 'space',
    name: 'what one store on the data writes, deletes and clears, the other one sees',
    async run(scene) {
      const peer = await scene.peer()
      const entry = await scene.put('k')
      await scene.holds('k', entry, 'what the other store wrote', peer)
      applied(await peer.delete('k'), 'delete by the other store')
      await scene.put('l')
      applied(await peer.clear(), 'clear by the other store')
      check(!(await scene.has('l', peer)), 'what the other store cleared is still there')
    },
  },
])
