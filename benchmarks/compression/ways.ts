import { spread } from '../lib/numbers.ts'
import { makeItem } from '../redis/payload.ts'
import { type Direction, METHODS, type Options } from './methods.ts'

/** Of one call, in microseconds. */
interface Timing {
  /** How long the event loop is held. */
  readonly sync: number
  /** How long it is busy for the same on the thread pool, and how long the caller waits. */
  readonly busy: number
  readonly wait: number
}

/** Of each size, in the order given. */
export interface Series {
  readonly name: string
  readonly timings: readonly Timing[]
}

const MAX_CHUNK_BYTES = 1 << 20
/** What is worked through of each size at most, so that large ones do not take for ever. */
const BUDGET_BYTES = 50_000_000
const MIN_RUNS = 10

/** Each algorithm in each direction, synchronously and on the thread pool by turns. */
export async function compareWays(sizes: readonly number[], runs: number): Promise<Series[]> {
  const series: Series[] = []
  for (const { name, compress, decompress } of METHODS) {
    const packing: Timing[] = []
    const unpacking: Timing[] = []
    for (const size of sizes) {
      const raw = jsonOf(size)
      const times = Math.min(runs, Math.max(MIN_RUNS, Math.floor(BUDGET_BYTES / size)))
      const chunkSize = Math.min(size + 1, MAX_CHUNK_BYTES)
      const packed = compress.sync(raw, { chunkSize })
      packing.push(await time(compress, raw, { options: { chunkSize }, times }))
      unpacking.push(await time(decompress, packed, { options: { chunkSize, maxOutputLength: size }, times }))
    }
    series.push({ name: `${name}, compress`, timings: packing })
    series.push({ name: `${name}, decompress`, timings: unpacking })
  }
  return series
}

/** The smallest size from which the event loop is held longer than the thread pool keeps it busy, by all. */
export function crossover(sizes: readonly number[], series: readonly Series[]): number | undefined {
  const wins = (index: number): boolean =>
    series.every(({ timings }) => timings.slice(index).every(({ sync, busy }) => busy < sync))
  return sizes.find((_, index) => wins(index))
}

async function time(
  { sync, async }: Direction,
  input: Buffer,
  { options, times }: { readonly options: Options; readonly times: number },
): Promise<Timing> {
  const samples: { sync: number[]; busy: number[]; wait: number[] } = { sync: [], busy: [], wait: [] }
  for (let i = 0; i < times; i++) {
    await rest()
    const start = performance.now()
    sync(input, options)
    samples.sync.push(performance.now() - start)
    await rest()
    const before = performance.eventLoopUtilization()
    const asked = performance.now()
    await async(input, options)
    samples.wait.push(performance.now() - asked)
    samples.busy.push(performance.eventLoopUtilization(before).active)
  }
  const median = (ms: readonly number[]): number => spread(ms).median * 1_000
  return { sync: median(samples.sync), busy: median(samples.busy), wait: median(samples.wait) }
}

/** What zlib leaves for the next turns of the loop must not count as the next call's. */
async function rest(): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 1))
  await new Promise(resolve => setImmediate(resolve))
}

function jsonOf(size: number): Buffer {
  const items = Array.from({ length: Math.ceil(size / 600) }, (_, i) => makeItem(`item:${i}`, 600))
  return Buffer.from(JSON.stringify(items)).subarray(0, size)
}
