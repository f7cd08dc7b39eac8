import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import type { WriteOutcome } from './outcome.ts'
import type { WarmUpProgress } from './warm-up.ts'

/** One warm-up of a cache from a source of items. */
export interface Warming<Item> {
  readonly source: Iterable<Item> | AsyncIterable<Item>
  readonly batchSize: number
  /** The whole key and the entry of an item; throws for one that is not valid. */
  prepare(item: Item): readonly [address: string, entry: Entry]
  write(entries: ReadonlyMap<string, Entry>): Promise<WriteOutcome>
}

interface Progress extends WarmUpProgress {
  done: number
  failed: number
}

/**
 * Writes what a source gives, a batch at a time. Whatever is not valid or cannot be stored counts as failed and
 * does not stop the others; a key that is invalidated while it waits for its batch stays so.
 */
export async function warm<Item>(engine: Engine, warming: Warming<Item>): Promise<WarmUpProgress> {
  const { source, batchSize } = warming
  const progress: Progress = { done: 0, failed: 0 }
  const batch = new Map<string, Entry>()
  const release = engine.flights.hold(batch, 'write')
  const add = (item: Item): void => {
    try {
      batch.set(...warming.prepare(item))
    } catch {
      progress.failed++
    }
  }
  const flush = async (): Promise<void> => {
    const entries = new Map(batch)
    batch.clear()
    await writeBatch(engine, warming, entries, progress)
  }
  try {
    // Not `for await` for both: it would leave a moment in which an item is neither at its source nor held.
    if (Symbol.asyncIterator in source) {
      for await (const item of source) {
        add(item)
        if (batch.size >= batchSize) await flush()
      }
    } else {
      for (const item of source) {
        add(item)
        if (batch.size >= batchSize) await flush()
      }
    }
    if (batch.size > 0) await flush()
  } finally {
    release()
  }
  return progress
}

async function writeBatch<Item>(
  engine: Engine,
  warming: Warming<Item>,
  entries: ReadonlyMap<string, Entry>,
  progress: Progress,
): Promise<void> {
  const size = entries.size
  try {
    const { status, failures } = await warming.write(entries)
    const failed = failures?.size ?? (status === 'failed' ? size : 0)
    progress.failed += failed
    progress.done += size - failed
  } catch (thrown) {
    if (engine.closed) throw thrown
    if (size === 1) progress.failed++
    else await writeOneByOne(engine, warming, new Map(entries), progress)
  }
}

/** The store refused a batch for a value that it cannot hold: the others are written all the same. */
async function writeOneByOne<Item>(
  engine: Engine,
  warming: Warming<Item>,
  entries: Map<string, Entry>,
  progress: Progress,
): Promise<void> {
  const release = engine.flights.hold(entries, 'write')
  try {
    for (const entry of entries) await writeBatch(engine, warming, new Map([entry]), progress)
  } finally {
    release()
  }
}
