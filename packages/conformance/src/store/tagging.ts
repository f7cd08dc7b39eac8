import { isBatching, isLeasing, isTouching, isVacant } from '@cache/core'
import { NothingToTry } from '../case.ts'
import { check } from '../expect.ts'
import { applied, type Scene } from './scene.ts'
import { capabilityGroup, type Group } from './spec.ts'

const put = (scene: Scene, key: string, tags: readonly string[]): Promise<void> =>
  scene.putEntry(key, { ...scene.entry(key), tags })

/** Invalidation by tag. */
export const tagging: Group = capabilityGroup('tagging', [
  {
    rule: 'tags',
    name: 'outdates what has one of the tags, and nothing else',
    async run(scene) {
      await put(scene, 'a', ['x', 'y'])
      await put(scene, 'b', ['z'])
      await put(scene, 'c', ['y'])
      await put(scene, 'd', ['x', '__proto__', 'ü'])
      await scene.put('untagged')
      applied(await scene.store.invalidateTags(['y', 'nobody has this']), 'invalidateTags')
      for (const key of ['a', 'c'])
        check(!(await scene.has(key)), `${key} has the tag, and is still returned`)
      for (const key of ['b', 'd', 'untagged'])
        check(await scene.has(key), `${key} does not have the tag, and is gone`)
      applied(await scene.store.invalidateTags(['__proto__']), 'invalidateTags')
      check(!(await scene.has('d')), 'd has the tag __proto__, and is still returned')
    },
  },
  {
    rule: 'tags',
    name: 'what is written after it is there, until the next time',
    async run(scene) {
      await put(scene, 'k', ['x'])
      for (let i = 0; i < 3; i++) {
        await scene.store.invalidateTags(['x'])
        check(!(await scene.has('k')), 'an entry with an invalidated tag is still returned')
        await put(scene, 'k', ['x'])
        check(await scene.has('k'), 'an entry that was written after the invalidation is not returned')
      }
    },
  },
  {
    rule: 'tags',
    name: 'a new entry has its own tags only',
    async run(scene) {
      await put(scene, 'k', ['old'])
      await put(scene, 'k', ['new'])
      await scene.store.invalidateTags(['old'])
      check(await scene.has('k'), 'a tag of the entry before counts for the one that took its place')
    },
  },
  {
    rule: 'tags',
    name: 'holds for batches, and for entries that were touched',
    async run(scene) {
      const { store } = scene
      const tagged = { ...scene.entry('v'), tags: ['x'] }
      if (isBatching(store)) await store.setMany(new Map([['a', tagged]]))
      else await scene.putEntry('a', tagged)
      await scene.putEntry('b', tagged)
      if (isTouching(store))
        await store.touch('b', tagged.freshUntil + 1_000, tagged.expiresAt + 1_000, tagged.tags)
      await store.invalidateTags(['x'])
      for (const key of ['a', 'b'])
        check(!(await scene.has(key)), `${key} has the tag, and is still returned`)
      if (isBatching(store))
        check((await store.getMany(['a', 'b'])).found.size === 0, 'getMany returns what is outdated')
      if (isTouching(store))
        await store.touch('b', tagged.freshUntil + 9_000, tagged.expiresAt + 9_000, tagged.tags)
      check(!(await scene.has('b')), 'touch brought back what is outdated')
    },
  },
  {
    rule: 'tags',
    name: 'holds for every process on the data',
    async run(scene) {
      const peer = await scene.peer()
      await put(scene, 'k', ['x'])
      check(await scene.has('k', peer), 'what one store wrote the other does not find')
      applied(await peer.invalidateTags(['x']), 'invalidateTags by the other store')
      check(!(await scene.has('k', peer)), 'the store that invalidated the tag still returns the entry')
    },
  },
  {
    rule: 'tags',
    name: 'outdates what was being loaded meanwhile',
    async run(scene) {
      const { store } = scene
      if (!isLeasing(store)) throw new NothingToTry('the store grants no leases')
      const read = await store.getOrLease('k', 60_000)
      if (read === undefined) throw new NothingToTry('the store cannot say who loads')
      check(isVacant(read) && read.lease, 'a missing key must be leased to who asks first')
      await store.invalidateTags(['x'])
      const { stamp } = read.lease
      const loaded = { ...scene.entry('before'), tags: ['x'], ...(stamp !== undefined && { stamp }) }
      await store.fill('k', loaded, read.lease)
      check(!(await scene.has('k')), 'a value that was loaded before the invalidation is returned after it')
    },
  },
])
