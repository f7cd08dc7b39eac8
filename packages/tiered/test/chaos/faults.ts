import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ask, eventually, type Links, type RedisServer, type Toxic } from '@cache/test-support'
import type { Topology } from './backend.ts'
import { sleep } from './clock.ts'
import { KEYS, nameOf, tagsOf } from './keys.ts'
import { Random } from './random.ts'
import type { Stage } from './stage.ts'

/** Something that goes wrong at one process, at the only server, at the master that sentinels watch, or in a cluster. */
export interface FaultType {
  readonly at: 'process' | Topology
  /** Shortest and longest, in milliseconds. */
  readonly lasts: readonly [number, number]
  /** Whether only the stream of invalidations suffers: what Redis answers is true all the time. */
  readonly streamOnly?: true
  /** Whether no call fails by it, so that all promises hold all the time. */
  readonly harmless?: true
  /** Whether nothing else goes wrong meanwhile. */
  readonly alone?: true
  /** Whether the process is replaced by another one. */
  readonly replaces?: true
  /** Whether Redis loses something that it had confirmed. */
  readonly losesData?: true
  /** Where it is not withstood, and said not to be: see docs/reliability.md. */
  readonly notAt?: Topology
  /** @returns what ends it */
  readonly begin: (stage: Stage, slot: number) => Promise<() => Promise<void>>
}

/** A name in {@link FAULTS}. */
export type FaultKind = string

/** Needs a mechanism that is not there yet: in no mix unless asked for by name or with all. */
const NOT_YET: readonly FaultKind[] = []

/** All kinds that can happen to processes with such a Redis. */
export function kindsAt(topology: Topology): readonly FaultKind[] {
  return Object.keys(FAULTS).filter(kind => {
    const { at, notAt } = FAULTS[kind] as FaultType
    return isWithstood(kind) && notAt !== topology && (at === 'process' || at === topology)
  })
}

export function isWithstood(kind: FaultKind): boolean {
  return !NOT_YET.includes(kind)
}

const LATE = { kind: 'late', afterMs: 3_000 } as const
/** From so long before the late writes arrive nobody writes, for what is written behind them would cover them up. */
const LATE_QUIET_MS = 300
/** Keys that a server lost something of, and that are left as they came back: the others are written again meanwhile. */
const LEFT_ALONE = 8
/** One after the other: what is read again behind one is written again by the next. */
const BURSTS = 4
/** Of one master to another, each with the keys in it. */
const MOVED_SLOTS = 4

export const FAULTS: Readonly<Record<FaultKind, FaultType>> = {
  cut: cuts('reset', 'all'),
  'polite cut': cuts('end', 'all'),
  partition: network({ kind: 'refuse' }, 'all', [300, 1_500], 'silent'),
  blackhole: network({ kind: 'blackhole' }, 'all', [300, 2_000], 'silent'),
  delay: network({ kind: 'delay', ms: 25 }, 'all', [500, 1_500]),
  'delay beyond deadlines': network({ kind: 'delay', ms: 400 }, 'all', [1_500, 2_500]),
  bandwidth: network({ kind: 'bandwidth', bytesPerSecond: 20_000 }, 'all', [500, 1_500]),
  'half frame': network({ kind: 'half-frame', behind: 'reset' }, 'all', [200, 600]),
  'half frame then nothing': network({ kind: 'half-frame', behind: 'stall' }, 'all', [200, 600]),
  'subscriber cut': { ...cuts('reset', 'subscriber'), streamOnly: true },
  'subscriber partitioned': {
    ...network({ kind: 'refuse' }, 'subscriber', [600, 1_500]),
    streamOnly: true,
    alone: true,
  },
  'subscriber in a blackhole': {
    ...network({ kind: 'blackhole' }, 'subscriber', [1_200, 2_500]),
    streamOnly: true,
  },
  'commands in a blackhole': network({ kind: 'blackhole' }, 'commands', [300, 2_000], 'silent'),
  // Messages overtake answers.
  'answers delayed': {
    ...amidWrites(network({ kind: 'delay', ms: 60, only: 'answers' }, 'commands', [1_000, 2_000])),
    harmless: true,
    alone: true,
  },
  'writes not sent': network({ kind: 'lose-writes', how: 'unsent' }, 'commands', [300, 1_200], 'silent'),
  'writes not answered': network({ kind: 'lose-writes', how: 'unanswered' }, 'commands', [300, 1_200]),
  'writes stalled': network({ kind: 'lose-writes', how: 'stalled' }, 'commands', [300, 1_500], 'silent'),
  'process killed': {
    at: 'process',
    replaces: true,
    lasts: [100, 300],
    async begin(stage, slot) {
      await stage.replace(slot)
      return async () => {}
    },
  },
  'process killed while cut off': {
    at: 'process',
    replaces: true,
    lasts: [300, 800],
    async begin(stage, slot) {
      const ends = stage.proxiesOf(slot).map(proxy => proxy.inflict({ kind: 'refuse' }, 'all'))
      const speak = stage.truth.silence(slot)
      await sleep(500)
      await stage.replace(slot)
      return async () => {
        speak()
        for (const end of ends) end()
      }
    },
  },
  frozen: {
    at: 'server',
    lasts: [600, 2_000],
    async begin({ backend: { server }, truth }) {
      server.freeze()
      const speak = truth.silence()
      return async () => {
        speak()
        server.thaw()
      }
    },
  },
  'writes refused': {
    at: 'server',
    lasts: [300, 1_200],
    async begin({ backend: { server }, truth }) {
      await ask(server, client => client.config('SET', 'min-replicas-to-write', '1'))
      const speak = truth.silence()
      return async () => {
        speak()
        await ask(server, client => client.config('SET', 'min-replicas-to-write', '0'))
      }
    },
  },
  'restarted with its data': {
    at: 'server',
    lasts: [100, 1_000],
    async begin({ backend: { server }, truth }) {
      const speak = truth.silence()
      await server.kill()
      return async () => {
        speak()
        await server.restart()
      }
    },
  },
  'restarted empty': {
    at: 'server',
    lasts: [100, 1_000],
    async begin({ backend: { server }, truth }) {
      const speak = truth.silence()
      await server.kill()
      await rm(join(server.directory, 'appendonlydir'), { recursive: true, force: true })
      return async () => {
        speak()
        await server.restart()
      }
    },
  },
  'older data': {
    at: 'server',
    lasts: [100, 1_000],
    losesData: true,
    async begin(stage) {
      const { backend, truth } = stage
      const { server } = backend
      await ask(server, client => client.save())
      const { floors } = truth
      await stage.burstEverywhere()
      await sleep(400)
      const speak = truth.silence()
      truth.rest(lostSince(stage, floors))
      await server.kill()
      await rm(join(server.directory, 'appendonlydir'), { recursive: true, force: true })
      return async () => {
        speak()
        truth.forbidClears()
        await server.restart(['--appendonly', 'no'])
        await rm(join(server.directory, 'dump.rdb'), { force: true })
        await ask(server, client => client.config('SET', 'appendonly', 'yes'))
      }
    },
  },
  'failover after a crash': failover(
    master => master.kill(),
    master => master.restart(),
  ),
  'failover after a freeze': failover(
    async master => master.freeze(),
    async master => master.thaw(),
  ),
  'master killed': masterLost(
    master => master.kill(),
    master => master.restart(),
  ),
  'master frozen': masterLost(
    async master => master.freeze(),
    async master => master.thaw(),
  ),
  'slots moved': {
    at: 'cluster',
    lasts: [0, 500],
    async begin({ backend: { cluster }, prefix }, slot) {
      const masters = await cluster.masters()
      const from = masters[slot % masters.length] as RedisServer
      const to = masters[(slot + 1) % masters.length] as RedisServer
      for (let key = 0, moved = 0; key < KEYS && moved < MOVED_SLOTS; key++) {
        const its = await ask(from, client => client.cluster('KEYSLOT', `${prefix}${nameOf(key)}`))
        if ((await cluster.masterOf(its)) !== from) continue
        await cluster.moveSlots(from, to, [its, its])
        moved++
      }
      return async () => {}
    },
  },
  'late writes': {
    at: 'process',
    lasts: [900, 1_200],
    // What resets the connections would lose what is late.
    alone: true,
    notAt: 'cluster',
    async begin(stage, slot) {
      const { afterMs } = LATE
      stage.truth.forbidClears()
      const ends = stage.proxiesOf(slot).map(proxy => proxy.inflict(LATE, 'commands'))
      await stage.burst(slot)
      return async () => {
        for (const end of ends) end()
        // Long enough for the process to recover, and for their keys to be written again, before they arrive.
        await sleep(afterMs - LATE_QUIET_MS)
        await stage.all(worker => worker.call('pause', null))
        await sleep(2 * LATE_QUIET_MS)
      }
    },
  },
}

type Range = readonly [number, number]

function network(toxic: Toxic, links: Links, lasts: Range, silent?: 'silent'): FaultType {
  return {
    at: 'process',
    lasts,
    async begin(stage, slot) {
      const ends = stage.proxiesOf(slot).map(proxy => proxy.inflict(toxic, links))
      const speak = silent && stage.truth.silence(slot)
      return async () => {
        speak?.()
        for (const end of ends) end()
      }
    },
  }
}

/** Everybody writes more than usual from its beginning on. */
function amidWrites(fault: FaultType): FaultType {
  return {
    ...fault,
    async begin(stage, slot) {
      const end = await fault.begin(stage, slot)
      for (let i = 0; i < BURSTS; i++) await stage.burstEverywhere()
      return end
    },
  }
}

function cuts(how: 'reset' | 'end', links: Links): FaultType {
  return {
    at: 'process',
    lasts: [0, 200],
    async begin(stage, slot) {
      for (const proxy of stage.proxiesOf(slot)) proxy.cut(how, links)
      return async () => {}
    },
  }
}

/** One of the masters of a cluster, until a replica has its place. What it had confirmed last may be unknown to that one. */
function masterLost(
  lose: (master: RedisServer) => Promise<void>,
  bringBack: (master: RedisServer) => Promise<void>,
): FaultType {
  return {
    at: 'cluster',
    lasts: [0, 500],
    losesData: true,
    async begin({ backend: { cluster } }, slot) {
      const masters = await cluster.masters()
      const master = masters[slot % masters.length] as RedisServer
      const others = cluster.nodes.filter(node => !masters.includes(node))
      await eventually(
        'every replica follows its master',
        async () => (await Promise.all(others.map(follows))).every(Boolean),
        60_000,
      )
      await lose(master)
      await cluster.failedOver(master)
      return () => bringBack(master)
    },
  }
}

/** What the lost master had confirmed last may be unknown to the new one. */
function failover(
  lose: (master: RedisServer) => Promise<void>,
  bringBack: (master: RedisServer) => Promise<void>,
): FaultType {
  return {
    at: 'sentinels',
    lasts: [0, 500],
    losesData: true,
    async begin({ backend: { trio } }) {
      const master = await trio.master()
      const others = trio.servers.filter(server => server !== master)
      // The master of before may not know yet that it is none.
      await eventually(
        'there is a replica',
        async () => (await Promise.all(others.map(follows))).every(Boolean),
        // A sentinel that was held up for two seconds does nothing for the next thirty.
        120_000,
      ).catch(async thrown => {
        const roles = trio.servers.map(server => ask(server, client => client.role()).catch(String))
        throw new Error(`${thrown}; the servers say ${JSON.stringify(await Promise.all(roles))}`)
      })
      await lose(master)
      await trio.promoted(master)
      return () => bringBack(master)
    },
  }
}

/**
 * Some of the keys that have been invalidated since, and which a server that comes back as it was then may hold. None with a tag:
 * that outdates them, whichever of its keys is written.
 */
function lostSince({ truth, options }: Stage, floors: readonly number[]): readonly number[] {
  const lost = truth.invalidatedSince(floors).filter(key => tagsOf(key) === undefined)
  return new Random(options.seed, 3).shuffled(lost).slice(0, LEFT_ALONE)
}

async function follows(server: RedisServer): Promise<boolean> {
  const [role, , , link] = await ask(server, client => client.role()).catch(() => [])
  return role === 'slave' && link === 'connected'
}
