import {
  type Awaitable,
  isVacant,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Store,
  type Vacancy,
} from '@cache/core'
import { NothingToTry } from '../case.ts'
import { check, equal } from '../expect.ts'
import { applied, type Scene } from './scene.ts'
import { capabilityGroup, type Group } from './spec.ts'

type LeasingScene = Scene<Store & Leasing>

const LEASE_MS = 60_000

/** The lease that a store must grant now. */
async function leaseOf({ store }: LeasingScene, leaseMs = LEASE_MS): Promise<Lease> {
  const read = vacancyOf(await store.getOrLease('k', leaseMs))
  check(read.lease, 'nobody holds the lease, and it is not granted')
  return read.lease
}

/** What a store must answer for a missing key, unless it cannot say who loads. */
function vacancyOf(read: LeaseRead): Vacancy {
  if (read === undefined) throw new NothingToTry('the store cannot say who loads')
  check(isVacant(read), 'getOrLease of a missing key must give a vacancy')
  return read
}

function isRefused(read: LeaseRead): boolean {
  return isVacant(read) && read.lease === undefined
}

const TAKERS: Readonly<Record<string, (scene: LeasingScene) => Awaitable<unknown>>> = {
  'a write': scene => scene.put('k', 'new'),
  'a delete': ({ store }) => store.delete('k'),
  'a clear': ({ store }) => store.clear(),
  'a clear of its scope': ({ store }) => store.clear('k'),
}

/** The right of one to load for all. */
export const leasing: Group = capabilityGroup('leasing', [
  {
    rule: 'lease',
    name: 'is granted to one of all who ask at once',
    async run({ store }) {
      const reads = await Promise.all(Array.from({ length: 10 }, async () => store.getOrLease('k', LEASE_MS)))
      for (const read of reads) vacancyOf(read)
      const granted = reads.filter(read => isVacant(read) && read.lease)
      equal(granted.length, 1, 'the number of leases granted at once')
    },
  },
  {
    rule: 'lease',
    name: 'is granted to one process of two',
    async run(scene) {
      const peer = await scene.peer()
      const lease = await leaseOf(scene)
      check(isRefused(await peer.getOrLease('k', LEASE_MS)), 'the other process got a lease too')
      await scene.store.fill('k', scene.entry('loaded'), lease)
      check(await scene.has('k', peer), 'the other process does not find what was loaded')
    },
  },
  {
    rule: 'lease',
    name: 'is not granted where there is a fresh value',
    async run(scene) {
      const entry = await scene.put('k')
      equal(await scene.store.getOrLease('k', LEASE_MS), entry, 'getOrLease of a key that is there')
    },
  },
  {
    rule: 'lease',
    name: 'is no value to other reads',
    async run(scene) {
      await leaseOf(scene)
      await scene.holds('k', undefined, 'get of a key that is being loaded')
    },
  },
  {
    rule: 'lease',
    name: 'stores what was loaded under it',
    async run(scene) {
      const lease = await leaseOf(scene)
      const loaded = scene.entry({ loaded: true })
      applied(await scene.store.fill('k', loaded, lease), 'fill')
      await scene.holds('k', loaded, 'what was loaded')
      equal(await scene.store.getOrLease('k', LEASE_MS), loaded, 'getOrLease of what was loaded')
    },
  },
  {
    rule: 'lease',
    name: 'that is given up is anybody’s; nobody can give up that of another',
    async run(scene) {
      const first = await leaseOf(scene)
      await scene.store.release('k', first)
      const second = await leaseOf(scene)
      check(first.token !== second.token, 'two leases of a key have the same token')
      await scene.store.release('k', first)
      check(isRefused(await scene.store.getOrLease('k', LEASE_MS)), 'an old lease gave up that of another')
      applied(await scene.store.fill('k', scene.entry('v'), second), 'fill')
    },
  },
  {
    rule: 'lease',
    name: 'lasts as long as it is renewed, and no longer',
    async run(scene) {
      const asked = scene.time.now()
      const lease = await leaseOf(scene, 150)
      const renewed = await scene.store.renew('k', lease, LEASE_MS)
      // Whoever could not renew it in time has lost it rightly.
      if (scene.time.now() >= asked + 150) throw new NothingToTry('the store took too long to be watched')
      check(renewed, 'a lease that stands cannot be renewed')
      await scene.time.until(asked + 300)
      check(isRefused(await scene.store.getOrLease('k', LEASE_MS)), 'a lease that was renewed has lapsed')
      check(await scene.store.renew('k', lease, 50), 'a lease that stands cannot be renewed')
      await scene.time.until(scene.time.now() + 100)
      const next = await leaseOf(scene)
      equal(await scene.store.renew('k', lease, LEASE_MS), false, 'whether a lapsed lease can be renewed')
      equal(
        (await scene.store.fill('k', scene.entry('late'), lease)).status,
        'superseded',
        'fill under a lapsed lease',
      )
      applied(await scene.store.fill('k', scene.entry('v'), next), 'fill under the next lease')
    },
  },
  ...Object.entries(TAKERS).map(([name, take]) => ({
    rule: 'lease-lost' as const,
    name: `is lost by ${name} of its key`,
    async run(scene: LeasingScene) {
      const lease = await leaseOf(scene)
      await take(scene)
      const before = await scene.store.get('k')
      equal(
        (await scene.store.fill('k', scene.entry('old'), lease)).status,
        'superseded',
        `fill after ${name}`,
      )
      await scene.holds('k', before, `the key after ${name} and a fill that came too late`)
      equal(await scene.store.renew('k', lease, LEASE_MS), false, 'whether a lost lease can be renewed')
    },
  })),
  {
    rule: 'lease-lost',
    name: 'is lost by a write of another process',
    async run(scene) {
      const peer = await scene.peer()
      const lease = await leaseOf(scene)
      applied(await peer.delete('k'), 'delete by the other process')
      equal((await scene.store.fill('k', scene.entry('old'), lease)).status, 'superseded', 'fill after that')
      check(!(await scene.has('k', peer)), 'what was loaded before the delete is there after it')
    },
  },
  {
    rule: 'lease-stale',
    name: 'over a stale entry leaves that to be read, and is replaced by what is loaded',
    async run(scene) {
      const entry = scene.entry('stale')
      const stale = { ...entry, createdAt: entry.createdAt - 2_000, freshUntil: entry.createdAt - 1_000 }
      await scene.putEntry('k', stale)
      const [first, second] = [
        await scene.store.getOrLease('k', LEASE_MS),
        await scene.store.getOrLease('k', LEASE_MS),
      ]
      if (!isVacant(first)) {
        equal(first, stale, 'getOrLease of a stale entry, from a store that does not look at freshAt')
        return
      }
      equal(first.stale, stale, 'the stale entry beside the lease')
      check(first.lease, 'nobody holds the lease over a stale entry, and it is not granted')
      check(isVacant(second) && !second.lease, 'a second one got a lease over the stale entry')
      equal(second.stale, stale, 'the stale entry for those who wait')
      await scene.holds('k', stale, 'get of a stale entry that is being refreshed')
      const fresh = scene.entry('fresh')
      applied(await scene.store.fill('k', fresh, first.lease), 'fill over a stale entry')
      await scene.holds('k', fresh, 'the entry after its refresh')
    },
  },
])
