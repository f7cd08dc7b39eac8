import { check, equal } from '../expect.ts'
import { applied } from './scene.ts'
import { capabilityGroup, type Group } from './spec.ts'

/** Moving the times of an entry in place. */
export const touching: Group = capabilityGroup('touching', [
  {
    rule: 'touch',
    name: 'moves both times to later ones, and leaves the rest',
    async run(scene) {
      const entry = { ...scene.entry({ a: [1] }, 300), metadata: { by: 'me' } }
      await scene.putEntry('k', entry)
      const times = { freshUntil: entry.freshUntil + 50_000, expiresAt: entry.expiresAt + 90_000 }
      applied(await scene.store.touch('k', times.freshUntil, times.expiresAt), 'touch')
      await scene.holds('k', { ...entry, ...times }, 'the entry after touch')
      await scene.time.until(entry.expiresAt + 20)
      await scene.holds('k', { ...entry, ...times }, 'a touched entry, when it would have been over')
    },
  },
  {
    rule: 'touch-never-creates',
    name: 'does not shorten a life',
    async run(scene) {
      const entry = await scene.put('k')
      applied(await scene.store.touch('k', entry.freshUntil - 9_000, entry.expiresAt - 9_000), 'touch')
      await scene.holds('k', entry, 'an entry that was touched with earlier times')
    },
  },
  {
    rule: 'touch-never-creates',
    name: 'does not create a key, nor bring one back',
    async run(scene) {
      const later = scene.time.now() + 60_000
      applied(await scene.store.touch('never', later, later), 'touch of a key that was never there')
      check(!(await scene.has('never')), 'touch created a key')
      await scene.put('k')
      await scene.store.delete('k')
      await scene.store.touch('k', later, later)
      check(!(await scene.has('k')), 'touch brought a deleted key back')
      const entry = scene.entry('v', 100)
      await scene.putEntry('short', entry)
      // A server counts from when the entry arrived there.
      await scene.time.until(entry.expiresAt + 250)
      await scene.store.touch('short', later, later)
      equal(await scene.store.get('short'), undefined, 'touch of an entry that is over')
    },
  },
])
