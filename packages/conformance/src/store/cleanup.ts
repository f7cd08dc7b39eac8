import { equal } from '../expect.ts'
import { leavingNothing } from '../leftovers.ts'
import { endingOf } from './scene.ts'
import { type Group, group } from './spec.ts'

/** The end of a store. */
export const cleanup: Group = group('cleanup', [
  {
    rule: 'close',
    name: 'a store may be closed twice, and with writes under way',
    async run(scene) {
      const { store } = scene
      const writes = Array.from({ length: 10 }, (_, i) => endingOf(() => store.set(`k${i}`, scene.entry(i))))
      await Promise.all([...writes, store.close()])
      await store.close()
    },
  },
  {
    rule: 'close',
    name: 'a store that was never used can be closed',
    async run({ store }) {
      await store.close()
    },
  },
  {
    rule: 'close',
    name: 'calls of a closed store settle',
    async run(scene) {
      const { store } = scene
      await scene.put('k')
      await store.close()
      await endingOf(() => store.get('k'))
      await endingOf(() => store.set('k', scene.entry(1)))
      await endingOf(() => store.delete('k'))
      await endingOf(() => store.clear())
    },
  },
  {
    rule: 'close-all',
    name: 'nothing is left behind',
    async run(scene) {
      const timers = scene.time.pendingTimers
      await leavingNothing(async () => {
        const store = await scene.openAnother()
        await store.set('k', scene.entry(1))
        await store.get('k')
        await store.close()
      })
      equal(scene.time.pendingTimers, timers, 'the timers on the clock that was given')
    },
  },
])
