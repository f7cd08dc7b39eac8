import {
  type Awaitable,
  type BatchRead,
  CacheError,
  type Clock,
  chain,
  type Entry,
  isExpired,
  isPending,
  type StoreOperation,
} from '@cache/core'
import { chunked, eachChunk } from './batch.ts'
import { classifyError } from './classify-error.ts'
import { type Fetched, fetchTogether } from './cluster-reads.ts'
import { byMaster, isCluster } from './cluster-shards.ts'
import { getBytes, getManyBytes } from './commands.ts'
import type { EntryCodec } from './entry-codec.ts'
import { isPlaceholder, stampOf } from './envelope.ts'
import type { Keyspace } from './keyspace.ts'
import { allowance } from './lanes.ts'
import type { LargeKeys } from './large-keys.ts'
import type { Pool } from './pool.ts'
import type { ServerOrder } from './server-order.ts'

export interface ReaderOptions {
  readonly pool: Pool
  readonly largeKeys: LargeKeys
  readonly codec: EntryCodec
  readonly keys: Keyspace
  readonly order: ServerOrder
  readonly batchSize: number
  readonly timeoutMs: number
  readonly clock: Clock
  /** Hears of bytes that are not an entry: to the caller they are a miss. */
  readonly onCorrupt: (operation: StoreOperation, error: CacheError) => void
}

/** Large values asked for in one command. */
const LARGE_PER_CHUNK = 4

/** Reads entries, trusting nothing of what comes back. */
export class Reader {
  readonly #options: ReaderOptions

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  /** @param deadlineMs without what a large value gets besides */
  async read(key: string, deadlineMs: number = this.#options.timeoutMs): Promise<Entry | undefined> {
    const { pool, largeKeys, keys, order, clock } = this.#options
    const expected = largeKeys.sizeOf(key)
    const ms = deadlineMs + allowance(expected)
    const until = clock.now() + ms
    try {
      const reading = pool.run('get', pool.forRead(expected), ms, client => getBytes(client, keys.keyOf(key)))
      if (!order.isCaughtUp) await Promise.all([reading, order.catchUp(until)])
      const bytes = await reading
      largeKeys.note(key, bytes?.length ?? 0)
      if (!bytes) return undefined
      const entry = this.interpret('get', key, bytes, until)
      return isPending(entry) ? await entry : entry
    } catch (thrown) {
      // Not a string but a list or a hash, as GET alone tells: nothing of ours, like any other foreign bytes.
      if (!(thrown instanceof CacheError && thrown.code === 'CORRUPT')) throw thrown
      this.#options.onCorrupt('get', thrown)
      return undefined
    }
  }

  async readMany(keys: readonly string[], deadlineMs: number = this.#options.timeoutMs): Promise<BatchRead> {
    const { order, pool, clock } = this.#options
    const catchUp = order.isCaughtUp ? undefined : order.catchUp(clock.now() + deadlineMs)
    catchUp?.catch(() => {}) // Awaited with each chunk.
    const read = new Map<string, Entry>()
    const failures = new Map<string, CacheError>()
    const groups = this.#groups(keys)
    await Promise.all(
      groups.map(chunks =>
        eachChunk(
          chunks,
          pool.size,
          chunk => this.#readChunk(chunk, read, failures, catchUp, deadlineMs),
          (chunk, error) => {
            for (const key of chunk) failures.set(key, error)
          },
        ),
      ),
    )
    const found = groups.length === 1 && groups[0]?.length === 1 ? read : inOrderOf(keys, read)
    return failures.size === 0 ? { found } : { found, failures }
  }

  async #readChunk(
    chunk: readonly string[],
    found: Map<string, Entry>,
    failures: Map<string, CacheError>,
    catchUp: Promise<void> | undefined,
    deadlineMs: number,
  ): Promise<void> {
    const { pool, largeKeys, keys, clock } = this.#options
    const until = clock.now() + deadlineMs
    const redisKeys = chunk.map(key => keys.keyOf(key))
    const expected = largeKeys.none ? 0 : chunk.reduce((sum, key) => sum + largeKeys.sizeOf(key), 0)
    const ms = deadlineMs + allowance(expected)
    const fetched = await pool.run(
      'getMany',
      pool.forRead(expected),
      ms,
      (client): Promise<Fetched[]> =>
        isCluster(client) ? fetchTogether(client, redisKeys) : getManyBytes(client, redisKeys),
      { keys: chunk.length },
    )
    const values = pool.cluster ? withoutErrors(chunk, fetched, failures) : (fetched as (Buffer | null)[])
    if (catchUp) await catchUp
    const now = clock.now()
    const entries: Awaitable<Entry | undefined>[] = []
    for (let i = 0; i < chunk.length; i++) {
      const key = chunk[i] as string
      const bytes = values[i]
      largeKeys.note(key, bytes?.length ?? 0)
      entries.push(bytes ? this.interpret('getMany', key, bytes, until, now) : undefined)
    }
    const ready = entries.some(isPending) ? await Promise.all(entries) : (entries as (Entry | undefined)[])
    for (let i = 0; i < chunk.length; i++) {
      const entry = ready[i]
      if (entry) found.set(chunk[i] as string, entry)
    }
  }

  /** Chunks that succeed or fail for themselves: in a cluster one master's time-out must not be another's. */
  #groups(keys: readonly string[]): string[][][] {
    const { pool, keys: keyspace } = this.#options
    if (!pool.cluster) return [this.#chunks(keys)]
    return byMaster(pool.cluster, keys, key => keyspace.keyOf(key)).map(group => this.#chunks(group))
  }

  /** Keys known for large values come apart from the others, and are few to a chunk. */
  #chunks(keys: readonly string[]): string[][] {
    const { largeKeys, batchSize } = this.#options
    if (largeKeys.none) return chunked(keys, batchSize)
    const isLarge = (key: string): boolean => largeKeys.sizeOf(key) > 0
    const small = keys.filter(key => !isLarge(key))
    return [...chunked(small, batchSize), ...chunked(keys.filter(isLarge), LARGE_PER_CHUNK)]
  }

  /** What bytes mean: an entry that counts, or nothing. @param until when that has to be known, epoch ms */
  interpret(
    operation: StoreOperation,
    key: string,
    bytes: Buffer,
    until: number,
    now: number = this.#options.clock.now(),
  ): Awaitable<Entry | undefined> {
    if (isPlaceholder(bytes)) return undefined
    try {
      const entry = this.#options.codec.decode(bytes)
      if (!isPending(entry)) return this.#ifCounts(key, entry, bytes, until, now)
      return entry.then(
        each => this.#ifCounts(key, each, bytes, until, now),
        thrown => this.#corrupt(operation, thrown),
      )
    } catch (thrown) {
      return this.#corrupt(operation, thrown)
    }
  }

  #ifCounts(
    key: string,
    entry: Entry,
    bytes: Buffer,
    until: number,
    now: number,
  ): Awaitable<Entry | undefined> {
    const { order } = this.#options
    if (isExpired(entry, now)) return undefined
    if (!order.concerns(entry)) return entry
    return chain(order.isOutdated(key, entry.tags, stampOf(bytes), until), outdated =>
      outdated ? undefined : entry,
    )
  }

  #corrupt(operation: StoreOperation, thrown: unknown): undefined {
    if (!(thrown instanceof CacheError)) throw thrown
    this.#options.onCorrupt(operation, thrown)
  }
}

/** Of a cluster's answers those that are no errors; the others become failures. */
function withoutErrors(
  chunk: readonly string[],
  fetched: readonly Fetched[],
  failures: Map<string, CacheError>,
): (Buffer | null)[] {
  return fetched.map((each, i) => {
    if (!(each instanceof Error)) return each
    failures.set(chunk[i] as string, classifyError(each))
    return null
  })
}

/** Chunks are answered in any order. */
function inOrderOf(keys: readonly string[], entries: ReadonlyMap<string, Entry>): Map<string, Entry> {
  const ordered = new Map<string, Entry>()
  for (const key of keys) {
    const entry = entries.get(key)
    if (entry) ordered.set(key, entry)
  }
  return ordered
}
