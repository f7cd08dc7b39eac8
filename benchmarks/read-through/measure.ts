import { spread } from '../lib/numbers.ts'
import { seededRandom } from '../lib/random.ts'
import { zipf } from '../lib/zipf.ts'
import { contestant } from './contestants.ts'
import type { Item, Load, Subject } from './subject.ts'

export interface Task {
  readonly contestant: string
  readonly redis: string
  /** How many keys. */
  readonly keys: number
  /** Milliseconds for each of the times that are measured. */
  readonly budgetMs: number
}

/** What one process found out about one contestant. */
export interface Measurement {
  /** A hit, over all keys and of the one most asked for: ratio to the reference measured in turn with it, and ns. */
  readonly zipf: Timed
  readonly hot: Timed
  /** What a miss takes beyond its loader, in microseconds of the processor. */
  readonly missUs: number
  /** What a key takes that is being loaded, beyond its loader and its promise, in bytes of the heap. */
  readonly flightBytes: number
}

interface Timed {
  readonly ratio: number
  readonly ns: number
}

/** Calls of one look at the clock. */
const CALLS = 500
const WINDOW_MS = 10

export async function measure(task: Task): Promise<Measurement> {
  const { open, beside } = contestant(task.contestant)
  const keys = Array.from({ length: task.keys }, (_, id) => `item:${id}`)
  const subject = await open(task.keys, task.redis)
  const reference = beside === undefined ? floor() : await contestant(beside).open(task.keys, task.redis)
  for (const each of [reference, subject]) {
    for (const key of keys) await each.get(key, async () => ({ id: key }))
  }
  const draw = zipf(keys.length, seededRandom(42))
  const order = Array.from({ length: 1 << 16 }, () => keys[draw()] as string)
  const timed = {
    zipf: await inTurn(subject, reference, order, task.budgetMs),
    hot: await inTurn(subject, reference, [keys[0] as string], task.budgetMs),
  }
  const missUs = await missTime(subject, task.budgetMs)
  await subject.close?.()
  const flightBytes = await flightSize(await open(task.keys, task.redis), task.keys)
  return { ...timed, missUs, flightBytes }
}

/** What awaiting costs at least. */
function floor(): Subject {
  const values = new Map<string, Item>()
  return {
    async get(key, load) {
      const value = values.get(key)
      if (value !== undefined) return value
      const loaded = await load()
      values.set(key, loaded)
      return loaded
    },
  }
}

/** Windows of one and of the other by turns in one process: what disturbs it disturbs both. */
async function inTurn(
  subject: Subject,
  reference: Subject,
  order: readonly string[],
  budgetMs: number,
): Promise<Timed> {
  const rounds: Timed[] = []
  const until = performance.now() + budgetMs
  do {
    const base = await hitTime(reference, order)
    const ns = await hitTime(subject, order)
    rounds.push({ ratio: ns / base, ns })
  } while (performance.now() < until)
  const warm = rounds.slice(Math.floor(rounds.length / 4)) // The compiler has made up its mind.
  return {
    ratio: spread(warm.map(({ ratio }) => ratio)).median,
    ns: spread(warm.map(({ ns }) => ns)).median,
  }
}

/** Nanoseconds of an awaited hit. */
async function hitTime(subject: Subject, order: readonly string[]): Promise<number> {
  const start = performance.now()
  let calls = 0
  let elapsed = 0
  do {
    for (let i = 0; i < CALLS; i++) await subject.get(order[(calls + i) % order.length] as string, unexpected)
    calls += CALLS
    elapsed = performance.now() - start
  } while (elapsed < WINDOW_MS)
  await new Promise(setImmediate)
  return (elapsed * 1e6) / calls
}

const unexpected: Load = () => Promise.reject(new Error('a hit was expected'))

async function missTime(subject: Subject, budgetMs: number): Promise<number> {
  let id = 0
  const load: Load = async () => ({ id: 'loaded' })
  const miss = (): Promise<unknown> => subject.get(`missing:${id++}`, load)
  const rounds: number[] = []
  const until = performance.now() + budgetMs
  do {
    const alone = await cpuTime(load)
    rounds.push((await cpuTime(miss)) - alone)
  } while (performance.now() < until)
  return spread(rounds.slice(Math.floor(rounds.length / 4))).median
}

/** Microseconds of the processor that a call takes. */
async function cpuTime(call: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  for (let i = 0; i < CALLS; i++) await call()
  const { user, system } = process.cpuUsage(before)
  await new Promise(setImmediate)
  return (user + system) / CALLS
}

async function flightSize(subject: Subject, keys: number): Promise<number> {
  const names = Array.from({ length: keys }, (_, id) => `flying:${id}`)
  const loads = Array.from({ length: keys }, () => Promise.withResolvers<Item>())
  const calls = new Array<Promise<unknown> | undefined>(keys).fill(undefined)
  let started = 0
  const loaders = loads.map(({ promise }) => (): Promise<Item> => {
    started++
    return promise
  })
  await settled()
  const before = heapUsed()
  for (const [at, name] of names.entries()) calls[at] = subject.get(name, loaders[at] as Load)
  while (started < keys) await settled()
  const bytes = (heapUsed() - before) / keys
  for (const [at, { resolve }] of loads.entries()) resolve({ id: names[at] as string })
  await Promise.all(calls)
  await subject.close?.()
  return bytes
}

function settled(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 5))
}

function heapUsed(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
