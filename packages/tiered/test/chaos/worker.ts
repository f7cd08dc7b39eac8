/**
 * One of the processes that share a Redis: a cache over two tiers, a workload, and a judge of every call. Made by fleet.ts, with
 * {@link WorkerOptions} as its only argument.
 */
import { Cache, type WriteStatus } from '@cache/core'
import { MemoryStore } from '@cache/memory'
import { RedisStore } from '@cache/redis'
import { TieredStore } from '../../src/index.ts'
import { LoopDelay, now } from './clock.ts'
import { LEASE_WAIT, ProcessJudge } from './judge.ts'
import { KEYS, nameOf, ownerOf } from './keys.ts'
import type { Audit, OfTruth, OfWorker, Tally, Versioned, WorkerOptions, Write } from './protocol.ts'
import { Random } from './random.ts'
import { Rpc } from './rpc.ts'
import { Workload } from './workload.ts'

const CONFIRM_MS = 20

const options: WorkerOptions = JSON.parse(process.argv[2] ?? '{}')
const { slot, incarnation, processes, prefix, bus, redis, maxItems, tiered, floors } = options

const l1 = new MemoryStore({ maxItems })
const l2 = new RedisStore({ ...redis, prefix, bus, poolSize: 3 })
const store = new TieredStore({ l1, l2, ...tiered })
const delay = new LoopDelay()
const cache = new Cache<Versioned>({
  store,
  ttl: '10m',
  leaseWait: `${LEASE_WAIT}ms`,
  observer: {
    event(event) {
      judge.heard(event)
      if (event.type === 'breaker' && event.state === 'half-open') setImmediate(tempt)
    },
  },
})

const truth = new Rpc<OfTruth>(process as never, api())
const judge: ProcessJudge = new ProcessJudge({
  isPastNear: () => !l2.bus.connected && store.health().available,
  delay,
  floors,
  incarnation,
  ownWritesExpected: options.ownWritesExpected,
  owns: key => ownerOf(key, processes) === slot,
  tell: violation => truth.tell('tell', violation),
  wrote: write => wrote(write),
  readPastNear: read => truth.tell('readPastNear', read),
})
const workload = new Workload({
  cache,
  judge,
  slot,
  processes,
  random: new Random(options.seed, slot, incarnation),
  source: {
    async load(keys) {
      const start = now()
      const versions = await truth.call('load', keys)
      judge.loaded(now() - start)
      return versions
    },
    bump: intent => truth.call('bump', intent),
  },
})

let stopping = false
/** Whether the journal may still hold what a process before this one had queued. */
let inherits = incarnation > 0
/** Writes that ended and that the journal still answers for. */
const unconfirmed = new Set<number>()
const barriers = new Set<string>()
cache.on('invalidated', event => {
  if ('key' in event && event.key.startsWith('barrier')) barriers.add(event.key)
})

/** While one call sees whether Redis is back, others must not ask: some try. */
function tempt(): void {
  for (let i = 0; i < 5; i++) cache.get(`nothing ${i}`).catch(() => {})
}

function wrote(write: Write): void {
  truth.tell('wrote', write)
  if (write.status !== 'applied') unconfirmed.add(write.id)
}

const confirming = setInterval(() => {
  if (store.health().journal !== 0) return
  if (inherits) truth.tell('inheritanceApplied', null)
  inherits = false
  if (unconfirmed.size > 0) truth.tell('confirmed', [...unconfirmed])
  unconfirmed.clear()
}, CONFIRM_MS)

function api(): OfWorker {
  return {
    health: () => store.health(),
    pause: () => workload.pause(),
    resume: () => workload.resume(),
    burst: () => workload.burst(),
    async publishBarrier(name): Promise<WriteStatus> {
      return (await cache.delete(name)).status
    },
    sawBarrier: name => barriers.delete(name),
    enforce: newer => judge.enforce(newer),
    expectOwnWrites: expected => judge.expectOwnWrites(expected),
    audit,
    tally,
    history() {
      judge.recording = false
      return judge.history.splice(0)
    },
    async stop() {
      stopping = true
      await workload.pause()
      await cache.close()
      clearInterval(confirming)
      delay.stop()
      // By now nothing but the channel may keep this process.
      setImmediate(() => process.disconnect())
    },
  }
}

async function audit(): Promise<Audit> {
  const names = Array.from({ length: KEYS }, (_, key) => nameOf(key))
  const near = names.map(name => versionOf(l1.get(name)?.value))
  const found = await cache.getMany(names)
  const { inFlight, tiers } = cache.stats()
  return {
    near,
    seen: names.map(name => versionOf(found.get(name))),
    items: tiers[0]?.items ?? 0,
    inFlight,
  }
}

function versionOf(value: unknown): number | null {
  return (value as Versioned | undefined)?.version ?? null
}

function tally(): Tally {
  const { hits, misses, loads } = cache.stats()
  return { ...judge.tally, hits, misses, loads, writes: judge.statuses }
}

process.on('unhandledRejection', reason => tellUnhandled(reason))
process.on('uncaughtException', thrown => tellUnhandled(thrown))
// Who holds the truth is gone, and nobody is left to judge: only after `stop` that is as it should be.
process.on('disconnect', () => {
  truth.close()
  if (!stopping) process.exit(1)
})

function tellUnhandled(thrown: unknown): void {
  const what = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  truth.tell('tell', { kind: 'unhandled', what })
}
