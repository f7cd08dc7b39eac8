import { RedisStore } from '@cache/redis'
import { now, sleep } from './clock.ts'
import { KEYS, nameOf } from './keys.ts'
import type { Audit, Versioned } from './protocol.ts'
import { MAX_ITEMS, type Stage } from './stage.ts'

/** A busy machine may take its time; a process that does not recover never does. */
const GIVE_UP = 45_000
const POLL = 25
const BARRIER_WITHIN = 2_000

/**
 * Everything is healed: waits until the processes say so, too, and judges what they see from then on.
 *
 * @returns milliseconds until all were coherent with empty journals, while they went on reading and writing
 */
export async function settle(stage: Stage): Promise<number> {
  const healedAt = now()
  await recovered(stage)
  const took = now() - healedAt
  await quiesce(stage)
  await enforceFloors(stage)
  await audit(stage)
  await stage.all(worker => worker.call('resume', null))
  return took
}

/** Nobody reads or writes any more, and all that was written has been confirmed. */
export async function quiesce(stage: Stage): Promise<void> {
  await stage.all(worker => worker.call('pause', null))
  await recovered(stage)
  await holds(stage, 'every write is confirmed', async () => stage.truth.isConfirmed)
}

/** Reads that begin from now on may return nothing older than what has been invalidated by now, in no process. */
export async function enforceFloors(stage: Stage): Promise<void> {
  const { floors } = stage.truth
  await passBarrier(stage)
  await stage.enforce(floors)
}

/** Waits until every process has heard all that was announced before: messages arrive in order. */
function passBarrier(stage: Stage): Promise<void> {
  return holds(stage, 'invalidations arrive', () => passOne(stage, stage.nextBarrier()))
}

/** A process whose stream just broke hears of this barrier no more, but of the next. */
async function passOne({ workers }: Stage, name: string): Promise<boolean> {
  if ((await workers[0]?.call('publishBarrier', name)) !== 'applied') return false
  const missing = new Set(workers)
  for (const until = now() + BARRIER_WITHIN; now() < until; await sleep(POLL)) {
    for (const worker of missing) if (await worker.call('sawBarrier', name)) missing.delete(worker)
    if (missing.size === 0) return true
  }
  return false
}

function recovered(stage: Stage): Promise<void> {
  return holds(stage, 'all are coherent and their journals empty', async () => {
    const healths = await stage.all(worker => worker.health())
    return healths.every(({ state, journal }) => state === 'coherent' && journal === 0)
  })
}

async function audit(stage: Stage): Promise<void> {
  const [audits, stored] = await Promise.all([
    stage.all(worker => worker.call('audit', null)),
    storedVersions(stage),
  ])
  for (const [slot, seen] of audits.entries()) {
    assertCurrent(stage, `process ${slot}`, seen.seen)
    assertCurrent(stage, `the near tier of process ${slot}`, seen.near)
    assertBounds(stage, slot, seen)
  }
  assertCurrent(stage, 'Redis', stored)
}

/** Nobody writes, and all has been confirmed: whoever has a version has the latest. */
export function assertCurrent(stage: Stage, who: string, seen: readonly (number | null)[]): void {
  const { truth } = stage
  const { versions, floors, disputed } = truth
  for (const [key, version] of seen.entries()) {
    const latest = versions[key] as number
    if (version === null || version === latest) continue
    if (disputed.has(key) && version >= (floors[key] as number)) {
      truth.staleWithProcess++
      continue
    }
    const what = `${who} has version ${version} of ${key}, the latest is ${latest}`
    stage.tell({ kind: version < (floors[key] as number) ? 'stale' : 'processes disagree', what })
  }
}

function assertBounds(stage: Stage, slot: number, { items, inFlight }: Audit): void {
  if (items > MAX_ITEMS) {
    stage.tell({ kind: 'out of bounds', what: `process ${slot} holds ${items} of ${MAX_ITEMS} entries` })
  }
  if (inFlight > 0) {
    stage.tell({ kind: 'out of bounds', what: `process ${slot} has ${inFlight} loads under way for nobody` })
  }
}

/** What a process without a near tier reads. */
async function storedVersions({ backend, prefix }: Stage): Promise<(number | null)[]> {
  const timeouts = { read: '10s', write: '10s', connect: '10s' } as const
  const store = new RedisStore({ ...backend.direct, prefix, poolSize: 1, timeouts })
  try {
    const names = Array.from({ length: KEYS }, (_, key) => nameOf(key))
    const { found } = await store.getMany(names)
    return names.map(name => (found.get(name)?.value as Versioned | undefined)?.version ?? null)
  } finally {
    await store.close()
  }
}

async function holds(stage: Stage, what: string, check: () => Promise<boolean>): Promise<void> {
  const until = now() + GIVE_UP
  while (!(await check())) {
    if (now() > until) {
      const healths = await stage.all(worker => worker.health())
      stage.tell({
        kind: 'not recovered',
        what: `not after ${GIVE_UP} ms: ${what}; ${JSON.stringify(healths)}`,
      })
      throw new Error(`gave up waiting until ${what}`)
    }
    await sleep(POLL)
  }
}
