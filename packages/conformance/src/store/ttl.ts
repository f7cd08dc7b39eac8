import { check, equal } from '../expect.ts'
import { applied, type Scene } from './scene.ts'
import { type Group, group } from './spec.ts'

/** Short, and long enough to be written before it is over. */
const SHORT_MS = 150
const YEAR_MS = 365 * 86_400_000

/** How long entries live. */
export const ttl: Group = group('ttl', [
  {
    rule: 'expiry',
    name: 'an entry is there before its expiresAt, and not from then on',
    async run(scene) {
      const entry = scene.entry('v', SHORT_MS)
      await scene.putEntry('k', entry)
      const read = await scene.store.get('k')
      // A read that took longer than the entry lives says nothing.
      if (scene.time.now() < entry.expiresAt) equal(read, entry, 'the entry before its expiresAt')
      await gone(scene, entry.expiresAt)
    },
  },
  {
    rule: 'expiry',
    name: 'an entry that is replaced by one with less time has less',
    async run(scene) {
      await scene.put('k', 'long')
      const entry = scene.entry('short', SHORT_MS)
      await scene.putEntry('k', entry)
      await gone(scene, entry.expiresAt)
    },
  },
  {
    rule: 'expiry',
    name: 'an entry that replaces one with less time has more',
    async run(scene) {
      const short = scene.entry('short', SHORT_MS)
      await scene.putEntry('k', short)
      const long = await scene.put('k', 'long')
      await scene.time.until(short.expiresAt + 20)
      await scene.holds('k', long, 'the entry that replaced a shorter one, when that one would be over')
    },
  },
  {
    rule: 'stale',
    name: 'an entry that is no longer fresh is there until it expires',
    async run(scene) {
      const entry = scene.entry('v')
      const stale = { ...entry, createdAt: entry.createdAt - 60_000, freshUntil: entry.createdAt - 1 }
      await scene.putEntry('k', stale)
      await scene.holds('k', stale, 'an entry that is stale')
    },
  },
  {
    rule: 'written-expired',
    name: 'an entry whose time is up already removes its elder',
    async run(scene) {
      for (const late of [0, 1, 60_000]) {
        await scene.put('k', 'elder')
        const now = scene.time.now()
        const over = {
          value: 'over',
          createdAt: now - 90_000,
          freshUntil: now - 80_000,
          expiresAt: now - late,
        }
        applied(await scene.store.set('k', over), `set of an entry that ended ${late} ms ago`)
        await scene.holds('k', undefined, `a key written with an entry that ended ${late} ms ago`)
      }
    },
  },
  {
    rule: 'long-life',
    name: 'an entry may live for a month, a year, a century and two',
    async run(scene) {
      for (const lifeMs of [25 * 86_400_000, 50 * 86_400_000, YEAR_MS, 100 * YEAR_MS, 200 * YEAR_MS]) {
        const entry = scene.entry('v', lifeMs)
        const key = `k${lifeMs}`
        await scene.putEntry(key, entry)
        await scene.time.until(scene.time.now() + 10)
        await scene.holds(key, entry, `an entry that lives for ${lifeMs / 86_400_000} days, a moment later`)
      }
    },
  },
])

async function gone({ store, time }: Scene, expiresAt: number): Promise<void> {
  await time.until(expiresAt)
  const read = await store.get('k')
  check(read === undefined, `the entry is still returned ${time.now() - expiresAt} ms after its expiresAt`)
}
