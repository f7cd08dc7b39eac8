import {
  type BatchRead,
  CacheError,
  type Clock,
  type Entry,
  isExpired,
  type StoreOperation,
} from '@cache/core'
import { chunked, eachChunk } from './batch.ts'
import type { EntryCodec } from './entry-codec.ts'
import { allowance } from './lanes.ts'
import type { LargeKeys } from './large-keys.ts'
import type { Pool } from './pool.ts'

export interface ReaderOptions {
  readonly pool: Pool
  readonly largeKeys: LargeKeys
  readonly codec: EntryCodec
  readonly prefix: string
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

  async read(key: string): Promise<Entry | undefined> {
    const { pool, largeKeys, prefix, timeoutMs } = this.#options
    const expected = largeKeys.sizeOf(key)
    try {
      const bytes = await pool.run('get', pool.forRead(expected), timeoutMs + allowance(expected), client =>
        client.getBuffer(prefix + key),
      )
      largeKeys.note(key, bytes?.length ?? 0)
      return this.#decode('get', bytes)
    } catch (thrown) {
      // Not a string but a list or a hash, as GET alone tells: nothing of ours, like any other foreign bytes.
      if (!(thrown instanceof CacheError && thrown.code === 'CORRUPT')) throw thrown
      this.#options.onCorrupt('get', thrown)
      return undefined
    }
  }

  async readMany(keys: readonly string[]): Promise<BatchRead> {
    const { pool, largeKeys, prefix, timeoutMs } = this.#options
    const values = new Map<string, Buffer | null>()
    const failures = new Map<string, CacheError>()
    await eachChunk(
      this.#chunks(keys),
      pool.size,
      async chunk => {
        const redisKeys = chunk.map(key => prefix + key)
        const expected = chunk.reduce((sum, key) => sum + largeKeys.sizeOf(key), 0)
        const ms = timeoutMs + allowance(expected)
        const bytes = await pool.run('getMany', pool.forRead(expected), ms, client =>
          client.mgetBuffer(redisKeys),
        )
        for (const [i, key] of chunk.entries()) {
          const value = bytes[i] ?? null
          values.set(key, value)
          largeKeys.note(key, value?.length ?? 0)
        }
      },
      (chunk, error) => {
        for (const key of chunk) failures.set(key, error)
      },
    )
    const found = new Map<string, Entry>()
    for (const key of keys) {
      const entry = this.#decode('getMany', values.get(key) ?? null)
      if (entry) found.set(key, entry)
    }
    return failures.size === 0 ? { found } : { found, failures }
  }

  /** Keys known for large values come apart from the others, and are few to a chunk. */
  #chunks(keys: readonly string[]): string[][] {
    const { largeKeys, batchSize } = this.#options
    const large = keys.filter(key => largeKeys.sizeOf(key) > 0)
    if (large.length === 0) return chunked(keys, batchSize)
    const small = keys.filter(key => largeKeys.sizeOf(key) === 0)
    return [...chunked(small, batchSize), ...chunked(large, LARGE_PER_CHUNK)]
  }

  #decode(operation: StoreOperation, bytes: Buffer | null): Entry | undefined {
    if (!bytes) return undefined
    const { codec, clock, onCorrupt } = this.#options
    try {
      const entry = codec.decode(bytes)
      return isExpired(entry, clock.now()) ? undefined : entry
    } catch (thrown) {
      if (!(thrown instanceof CacheError)) throw thrown
      onCorrupt(operation, thrown)
      return undefined
    }
  }
}
