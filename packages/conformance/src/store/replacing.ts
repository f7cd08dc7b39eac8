import { equal } from '../expect.ts'
import { capabilityGroup, type Group } from './spec.ts'

/** Writing only in the place of a certain entry. */
export const replacing: Group = capabilityGroup('replacing', [
  {
    rule: 'replace-if',
    name: 'writes over the entry it was told of, once',
    async run(scene) {
      const first = { ...scene.entry('first'), createdAt: scene.time.now() - 3_000 }
      const second = { ...scene.entry('second'), createdAt: scene.time.now() - 2_000 }
      const third = { ...scene.entry('third'), createdAt: scene.time.now() - 1_000 }
      await scene.putEntry('k', first)
      equal((await scene.store.replace('k', second, first)).status, 'applied', 'the outcome of replace')
      await scene.holds('k', second, 'a replaced entry')
      equal(
        (await scene.store.replace('k', third, first)).status,
        'superseded',
        'replace of an entry that is there no more',
      )
      await scene.holds('k', second, 'an entry that was not to be replaced')
    },
  },
  {
    rule: 'replace-if',
    name: 'writes nothing where nothing is',
    async run(scene) {
      const entry = await scene.put('k')
      await scene.store.delete('k')
      const next = { ...scene.entry('next'), createdAt: entry.createdAt + 1 }
      equal((await scene.store.replace('k', next, entry)).status, 'superseded', 'replace of a deleted entry')
      await scene.holds('k', undefined, 'a key at which nothing was to be replaced')
    },
  },
])
