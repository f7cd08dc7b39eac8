import { deepStrictEqual } from 'node:assert/strict'
import { Redis } from 'ioredis'
import { type Item, makeItem } from './payload.ts'
import { commandsSent, resetCommands } from './server-stats.ts'
import { NEAR_ITEMS, type Subject, type Workload } from './subject.ts'

export interface Measurement {
  /** Microseconds an operation; on the link, of the slowest hundredth beside large values. */
  readonly figure: number
  /** Commands that Redis executed for an operation. */
  readonly commands?: number
  /** On the link: microseconds of the slowest hundredth without large values. */
  readonly alone?: number
  /** On the link: the slowest hundredth of the event loop's turns beside large values, microseconds. */
  readonly stall?: number
}

export interface Task {
  readonly workload: Exclude<Workload, 'link'>
  /** Bytes of JSON of a value. */
  readonly bytes: number
  /** How long to measure, in milliseconds, after half as long of warming up. */
  readonly budgetMs: number
}

/** Keys in a batch. */
export const BATCH = 100
/** Read and written in turn, many more than a near tier has room for. */
const KEYS = 2_000
/** Of so many results, one is compared with what it should be, after the clock has stopped. */
const SAMPLED = 32

/** Does operation `i`. */
type Work = (i: number) => Promise<unknown>

/** What is measured: the work, and whether what it gave is right. */
interface Job {
  readonly work: Work
  /** Throws if the result of operation `i` is wrong. */
  check(result: unknown, i: number): void | Promise<void>
}

/**
 * Runs one workload with a contestant in this process. Whoever answers wrong, or without asking Redis, has failed.
 *
 * @param url of the server, which is emptied
 */
export async function measure(
  open: (url: string) => Promise<Subject>,
  url: string,
  task: Task,
): Promise<Measurement> {
  const control = new Redis(url)
  await control.flushall()
  const subject = await open(url)
  try {
    const job = await prepare(subject, task, control)
    const warm = await runFor(job.work, 0, { ms: task.budgetMs / 2, operations: WARM_UP[task.workload] })
    for (const { result, i } of warm.samples) await job.check(result, i)
    await resetCommands(control)
    const { ms, operations, samples } = await runFor(job.work, warm.operations, {
      ms: task.budgetMs,
      operations: 1,
    })
    const commands = (await commandsSent(control)) / operations
    for (const { result, i } of samples) await job.check(result, i)
    if (commands < 1) throw new Error(`${commands} commands an operation: it did not ask Redis`)
    return { figure: (ms * 1_000) / operations, commands }
  } finally {
    control.disconnect()
    await subject.close()
  }
}

/** At least so many operations until the code is compiled; a turn over all keys, where they are read. */
const WARM_UP: Readonly<Record<Task['workload'], number>> = {
  get: KEYS,
  getMany: KEYS / BATCH,
  setMany: KEYS / BATCH,
  miss: 500,
}

async function prepare(subject: Subject, { workload, bytes }: Task, control: Redis): Promise<Job> {
  const ids = Array.from({ length: KEYS }, (_, i) => `item:${i}`)
  const items = new Map(ids.map(id => [id, makeItem(id, bytes)]))
  const batches = Array.from({ length: KEYS / BATCH }, (_, i) => ids.slice(i * BATCH, (i + 1) * BATCH))
  const entries = batches.map(batch => new Map(batch.map(id => [id, items.get(id) as Item])))
  const inTurn = <T>(list: readonly T[], i: number): T => list[i % list.length] as T

  if (workload === 'setMany') {
    return {
      work: i => subject.setMany(inTurn(entries, i)),
      check: async (_, i) => checkBatch(await subject.getMany(inTurn(batches, i)), inTurn(entries, i)),
    }
  }
  if (workload === 'miss') return readThrough(subject, inTurn(entries, 0), control)

  for (const batch of entries) await subject.setMany(batch)
  // The last ones written are near, and those who do not keep near what they read would find them there for ever.
  const others = Array.from({ length: NEAR_ITEMS }, (_, i) => makeItem(`other:${i}`, bytes))
  await subject.setMany(new Map(others.map(item => [item.id, item])))
  if (workload === 'get') {
    return {
      work: i => subject.get(inTurn(ids, i)),
      check: (result, i) => deepStrictEqual(result, items.get(inTurn(ids, i))),
    }
  }
  return {
    work: i => subject.getMany(inTurn(batches, i)),
    check: (result, i) => checkBatch(result as Iterable<unknown>, inTurn(entries, i)),
  }
}

function checkBatch(found: Iterable<unknown>, expected: ReadonlyMap<string, Item>): void {
  const byId = new Map(Array.from(found, item => [(item as Item | undefined)?.id, item]))
  deepStrictEqual(byId, new Map(expected))
}

/** Never the same key twice. */
function readThrough(subject: Subject, items: ReadonlyMap<string, Item>, control: Redis): Job {
  const { getOrSet } = subject
  if (!getOrSet) throw new Error('it has no read-through')
  const values = [...items.values()]
  const item = (i: number): Item => values[i % values.length] as Item
  return {
    work: i => getOrSet(`missed:${i}`, async () => item(i)),
    async check(result, i) {
      deepStrictEqual(result, item(i))
      const [, keys] = await control.scan('0', 'MATCH', `*missed:${i}`, 'COUNT', 10_000_000)
      if (keys.length !== 1) throw new Error(`what was loaded for operation ${i} is not in Redis`)
    },
  }
}

interface Extent {
  readonly ms: number
  readonly operations: number
}

interface Sample {
  readonly result: unknown
  readonly i: number
}

/** Works in sequence until both time and operations are reached. */
async function runFor(work: Work, start: number, atLeast: Extent): Promise<Extent & { samples: Sample[] }> {
  const samples: Sample[] = []
  const begin = performance.now()
  let operations = 0
  let ms = 0
  while (ms < atLeast.ms || operations < atLeast.operations) {
    const i = start + operations
    const result = await work(i)
    if (samples.length < SAMPLED && i % 7 === 0) samples.push({ result, i })
    operations++
    ms = performance.now() - begin
  }
  return { operations, ms, samples }
}
