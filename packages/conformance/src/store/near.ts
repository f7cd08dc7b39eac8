import { type Entry, isPending, isTagging, type Near, type Store } from '@cache/core'
import { check, equal } from '../expect.ts'
import type { Scene } from './scene.ts'
import { capabilityGroup, type Group } from './spec.ts'

/** Answering at once what is at hand. */
export const near: Group = capabilityGroup('near', [
  {
    rule: 'near',
    name: 'gives what get gives, or nothing, whatever was written meanwhile',
    async run(scene) {
      gives(scene, 'k', undefined, 'before anything was written')
      gives(scene, 'k', await scene.put('k', { a: [1] }), 'after set')
      gives(scene, 'k', await scene.put('k', 'another'), 'after another set')
      await scene.store.delete('k')
      gives(scene, 'k', undefined, 'after delete')
      await scene.put('scope:k')
      await scene.store.clear('scope:')
      gives(scene, 'scope:k', undefined, 'after clear of its scope')
      if (!isTagging(scene.store)) return
      await scene.putEntry('k', { ...scene.entry(1), tags: ['t'] })
      await scene.store.invalidateTags(['t'])
      gives(scene, 'k', undefined, 'after its tag was invalidated')
    },
  },
  {
    rule: 'near',
    name: 'gives nothing for what cannot be a key',
    async run(scene) {
      await scene.put('k')
      for (const key of ['', '\ud800', 'k'.repeat(65_537)]) gives(scene, key, undefined, 'for an invalid key')
    },
  },
  {
    rule: 'near-fresh',
    name: 'gives nothing stale, and nothing that is over',
    async run(scene) {
      const entry = { ...scene.entry('v', 60), expiresAt: scene.time.now() + 200 }
      await scene.putEntry('k', entry)
      equal(scene.store.getFresh('k', entry.freshUntil), undefined, 'getFresh at the freshUntil of the entry')
      await scene.time.until(entry.freshUntil + 1)
      gives(scene, 'k', undefined, 'after its freshUntil')
      const short = scene.entry('v', 60)
      await scene.putEntry('short', short)
      await scene.time.until(short.expiresAt + 1)
      gives(scene, 'short', undefined, 'after its expiresAt')
    },
  },
])

/** What a key is answered at once with must be this, if anything. */
function gives(scene: Scene<Store & Near>, key: string, entry: Entry | undefined, when: string): void {
  const found = scene.store.getFresh(key, scene.time.now())
  check(!isPending(found), `getFresh must answer at once, but gave a promise ${when}`)
  if (found !== undefined) equal(found, entry, `what getFresh gives ${when}`)
}
