import type { Awaitable } from './awaitable.ts'
import { mergeOutcomes, throwIfRefused } from './batched.ts'
import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import { APPLIED, failed, type WriteOutcome } from './outcome.ts'
import type { Batching, StoreCall } from './store.ts'

/** How many chunks of one call are under way at a time. */
const CONCURRENT_CHUNKS = 4

/** Reads many keys, in chunks; what could not be read is missing from the result. */
export async function readMany(
  engine: Engine,
  keys: readonly string[],
  batchSize: number,
  call?: StoreCall,
): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>()
  await eachChunk(new Set(keys), batchSize, async chunk => {
    for (const [key, entry] of await readChunk(engine, chunk, call)) found.set(key, entry)
  })
  return found
}

/** Writes many entries for a caller, in chunks; what fails, fails its own keys. Rejects only if nothing was written. */
export function setMany(
  engine: Engine,
  entries: ReadonlyMap<string, Entry>,
  batchSize: number,
  call?: StoreCall,
): Promise<WriteOutcome> {
  const write = writerOf(engine, entries, call)
  for (const key of entries.keys()) engine.invalidate(key)
  return writeChunks(engine, ['setMany', 'write'], entries.keys(), batchSize, keys => {
    outdate(engine, keys)
    return write(keys)
  })
}

/** Deletes many keys for a caller, in chunks; what fails, fails its own keys. Rejects only if nothing was deleted. */
export function deleteMany(
  engine: Engine,
  keys: readonly string[],
  batchSize: number,
  call?: StoreCall,
): Promise<WriteOutcome> {
  for (const key of keys) engine.invalidate(key)
  return writeChunks(engine, ['deleteMany', 'write'], keys, batchSize, chunk => {
    outdate(engine, chunk)
    return engine.batched.deleteMany(chunk, call)
  })
}

/** Writes what was loaded: as {@link setMany}, but it outdates nothing. */
export function fillMany(
  engine: Engine,
  entries: ReadonlyMap<string, Entry>,
  batchSize: number,
  call?: StoreCall,
): Promise<WriteOutcome> {
  return writeChunks(engine, ['setMany', 'load'], entries.keys(), batchSize, writerOf(engine, entries, call))
}

/** What began while a chunk waited may have read what the chunk replaces. */
function outdate(engine: Engine, keys: readonly string[]): void {
  for (const key of keys) engine.flights.supersede(key)
}

/** Writes what has not lost a tag since now: the later call wins. */
function writerOf(
  { batched, flights }: Engine,
  entries: ReadonlyMap<string, Entry>,
  call: StoreCall | undefined,
): (keys: readonly string[]) => Awaitable<WriteOutcome> {
  const since = flights.tags.now
  return keys => {
    const chunk = new Map<string, Entry>()
    for (const key of keys) {
      const entry = entries.get(key) as Entry
      if (!flights.tags.isOutdated(entry.tags, since)) chunk.set(key, entry)
    }
    return chunk.size === 0 ? APPLIED : batched.setMany(chunk, call)
  }
}

async function readChunk(
  engine: Engine,
  keys: readonly string[],
  call: StoreCall | undefined,
): Promise<Iterable<[string, Entry]>> {
  try {
    const { found, failures } = await engine.batched.getMany(keys, call)
    const [failure] = failures?.values() ?? []
    if (failure) engine.fail('getMany', failure)
    return found
  } catch (thrown) {
    engine.missed('getMany', thrown)
    return []
  }
}

/** A key that is invalidated while its chunk waits for its turn is not written: the later call wins. */
async function writeChunks(
  engine: Engine,
  [operation, origin]: readonly ['setMany' | 'deleteMany', 'write' | 'load'],
  keys: Iterable<string>,
  batchSize: number,
  write: (chunk: readonly string[]) => ReturnType<Batching['setMany']>,
): Promise<WriteOutcome> {
  const waiting = new Set(keys)
  const release = engine.flights.hold(waiting, origin)
  const parts: { keys: readonly string[]; outcome: WriteOutcome }[] = []
  await eachChunk(waiting, batchSize, async chunk => {
    const outcome = await engine.write(operation, () => write(chunk)).catch(failed) // Refused by the store.
    parts.push({ keys: chunk, outcome })
  })
  release()
  return throwIfRefused(mergeOutcomes(parts))
}

/** Takes keys from `waiting`, at most `size` at once, and runs a few such chunks at a time. */
export async function eachChunk(
  waiting: Set<string>,
  size: number,
  run: (chunk: readonly string[]) => Promise<void>,
): Promise<void> {
  const worker = async (): Promise<void> => {
    while (waiting.size > 0) await run(take(waiting, size))
  }
  const workers = Math.min(CONCURRENT_CHUNKS, Math.ceil(waiting.size / size))
  await Promise.all(Array.from({ length: workers }, worker))
}

function take(waiting: Set<string>, count: number): string[] {
  const taken: string[] = []
  for (const key of waiting) {
    if (taken.length === count) break
    taken.push(key)
    waiting.delete(key)
  }
  return taken
}
