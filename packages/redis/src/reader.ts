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
import type { Pool } from './pool.ts'

export interface ReaderOptions {
  readonly pool: Pool
  readonly codec: EntryCodec
  readonly prefix: string
  readonly batchSize: number
  readonly timeoutMs: number
  readonly clock: Clock
  /** Hears of bytes that are not an entry: to the caller they are a miss. */
  readonly onCorrupt: (operation: StoreOperation, error: CacheError) => void
}

/** Reads entries, trusting nothing of what comes back. */
export class Reader {
  readonly #options: ReaderOptions

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  async read(key: string): Promise<Entry | undefined> {
    const { pool, prefix, timeoutMs } = this.#options
    try {
      const bytes = await pool.run('get', pool.forRead(), timeoutMs, client => client.getBuffer(prefix + key))
      return this.#decode('get', bytes)
    } catch (thrown) {
      // Not a string but a list or a hash, as GET alone tells: nothing of ours, like any other foreign bytes.
      if (!(thrown instanceof CacheError && thrown.code === 'CORRUPT')) throw thrown
      this.#options.onCorrupt('get', thrown)
      return undefined
    }
  }

  async readMany(keys: readonly string[]): Promise<BatchRead> {
    const { pool, prefix, timeoutMs, batchSize } = this.#options
    const values = new Map<string, Buffer | null>()
    const failures = new Map<string, CacheError>()
    await eachChunk(
      chunked(keys, batchSize),
      pool.size,
      async chunk => {
        const redisKeys = chunk.map(key => prefix + key)
        const bytes = await pool.run('getMany', pool.forRead(), timeoutMs, client =>
          client.mgetBuffer(redisKeys),
        )
        for (const [i, key] of chunk.entries()) values.set(key, bytes[i] ?? null)
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
