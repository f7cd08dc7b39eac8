import { deepStrictEqual } from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { seededRandom } from '../lib/random.ts'
import { makeItem, makeText } from './payload.ts'
import type { Subject } from './subject.ts'
import type { Measurement } from './workloads.ts'

/** Where the contestant is put to work. */
export interface LinkTask {
  /** Bytes of JSON of a small value. */
  readonly bytes: number
  /** How long to measure, in milliseconds, each time: without large values, and beside them. */
  readonly budgetMs: number
}

const SMALL_KEYS = 100
/** One small read so often, whether the one before it was answered or not. */
const EVERY_MS = 2
const LARGE_BYTES = 5_000_000
const LARGE_READERS = 2
/** A reader of large values rests so long after each: together they fill a few hundredths of the link's time. */
const REST_MS = 2_000

/**
 * How long the slowest hundredth of small reads takes, without readers of large values and beside them, over a link of
 * limited bandwidth. The large values are one text each: they take next to no time to parse, and so what is
 * measured is waiting for a connection rather than for the reader's own processor.
 *
 * @param direct the URL of the server, which is emptied
 * @param shaped the URL of the server over the link
 */
export async function measureOnLink(
  open: (url: string) => Promise<Subject>,
  [direct, shaped]: readonly [direct: string, shaped: string],
  { bytes, budgetMs }: LinkTask,
): Promise<Measurement> {
  const control = new Redis(direct)
  await control.flushall()
  control.disconnect()

  const subject = await open(shaped)
  const items = Array.from({ length: SMALL_KEYS }, (_, i) => makeItem(`item:${i}`, bytes))
  await subject.setMany(new Map(items.map(item => [item.id, item])))
  const text = makeText(LARGE_BYTES, seededRandom(1))
  for (let reader = 0; reader < LARGE_READERS; reader++) await subject.set(`large:${reader}`, text)

  const small = async (i: number): Promise<number> => {
    const item = items[i % SMALL_KEYS]
    const begin = performance.now()
    const found = await subject.get(`item:${i % SMALL_KEYS}`)
    const ms = performance.now() - begin
    deepStrictEqual(found, item)
    return ms
  }
  await readSteadily(small, budgetMs / 2)
  const alone = await readSteadily(small, budgetMs)

  const done = new AbortController()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const readers = Array.from({ length: LARGE_READERS }, (_, reader) =>
    readLarge(subject, [`large:${reader}`, text], {
      afterMs: (reader / LARGE_READERS) * REST_MS,
      signal: done.signal,
    }),
  )
  delay.enable()
  const beside = await readSteadily(small, budgetMs)
  delay.disable()
  done.abort()
  const reads = await Promise.all(readers)
  if (!reads.some(count => count > 0)) throw new Error('no large value was read')
  await subject.close()
  return {
    figure: percentile99(beside) * 1_000,
    alone: percentile99(alone) * 1_000,
    stall: delay.percentile(99) / 1_000,
  }
}

/** @returns milliseconds each read took */
async function readSteadily(read: (i: number) => Promise<number>, ms: number): Promise<number[]> {
  const pending: Promise<number>[] = []
  const begin = performance.now()
  for (let i = 0; performance.now() - begin < ms; i++) {
    pending.push(read(i))
    await sleep(Math.max(0, begin + (i + 1) * EVERY_MS - performance.now()))
  }
  return Promise.all(pending)
}

/** @returns how many reads there were */
async function readLarge(
  subject: Subject,
  [key, text]: readonly [key: string, text: string],
  { afterMs, signal }: { readonly afterMs: number; readonly signal: AbortSignal },
): Promise<number> {
  const rest = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {})
  let reads = 0
  await rest(afterMs)
  while (!signal.aborted) {
    if ((await subject.get(key)) !== text) throw new Error('a large value came back wrong, or not at all')
    reads++
    await rest(REST_MS)
  }
  return reads
}

function percentile99(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * 0.99) - 1] as number
}
