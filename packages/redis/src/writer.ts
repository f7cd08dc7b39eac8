import { APPLIED, CacheError, type StoreOperation, type WriteOutcome } from '@cache/core'
import { chunked, eachChunk } from './batch.ts'
import { encodeMessage } from './bus/message.ts'
import { classifyError } from './classify-error.ts'
import type { Connection } from './connection.ts'
import { allowance, type Lane } from './lanes.ts'
import type { LargeKeys } from './large-keys.ts'
import type { Pool } from './pool.ts'
import type { RedisLike, RedisPipeline } from './redis-like.ts'

/** One key to store or, without `bytes`, to remove. */
export interface Write {
  readonly key: string
  readonly stored?: { readonly bytes: Buffer; readonly ttlMs: number }
}

export interface WriterOptions {
  readonly pool: Pool
  readonly largeKeys: LargeKeys
  readonly prefix: string
  readonly channel: string
  /** The `source` of what is announced. */
  readonly source: string
  readonly batchSize: number
  readonly timeoutMs: number
}

/** Writes that travel together. */
interface Chunk {
  readonly route: Connection | Lane
  readonly writes: readonly Write[]
}

interface Failures {
  /** Keys that were not written. */
  readonly lost: Map<string, CacheError>
  /** Keys that were written, but of which no other process was told. */
  readonly unannounced: Map<string, CacheError>
}

/** Writes keys and announces them in the same round trip. */
export class Writer {
  readonly #options: WriterOptions

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** A batch is a pipeline for every `batchSize` keys; large values, and keys of which a write is under way, go apart. */
  async write(operation: StoreOperation, writes: readonly Write[]): Promise<WriteOutcome> {
    const failures: Failures = { lost: new Map(), unannounced: new Map() }
    await eachChunk(
      this.#chunks(writes),
      this.#options.pool.size,
      chunk => this.#send(operation, chunk, failures),
      ({ writes: chunk }, error) => {
        for (const { key } of chunk) failures.lost.set(key, error)
      },
    )
    return outcomeOf(writes.length, failures)
  }

  #chunks(writes: readonly Write[]): Chunk[] {
    const { pool, batchSize } = this.#options
    const routeOf = ({ key, stored }: Write): Connection | Lane =>
      pool.routeOf(key, stored?.bytes.length ?? 0)
    const [first] = writes
    // By far the most frequent, and grouping costs more than the rest of a write does.
    if (first && writes.length === 1) return [{ route: routeOf(first), writes }]
    return [...Map.groupBy(writes, routeOf)].flatMap(([route, own]) =>
      chunked(own, batchSize).map(chunk => ({ route, writes: chunk })),
    )
  }

  async #send(operation: StoreOperation, { route, writes }: Chunk, failures: Failures): Promise<void> {
    const { pool, largeKeys, prefix, channel, source } = this.#options
    const keys = writes.map(write => write.key)
    for (const { key, stored } of writes) largeKeys.note(key, stored?.bytes.length ?? 0)
    const message = encodeMessage(source, { type: 'keys', keys })
    const results = await pool.write(operation, route, keys, this.#deadline(writes), async client => {
      const [first] = writes
      // A pipeline of one command costs more than the command.
      if (first && writes.length === 1) {
        return errorsOf(await outcomes([put(client, prefix, first), client.publish(channel, message)]))
      }
      const pipeline = client.pipeline()
      for (const write of writes) put(pipeline, prefix, write)
      pipeline.publish(channel, message)
      return errorsOf(await pipeline.exec())
    })
    if (!results) return
    const announcement = results[writes.length]
    for (const [i, { key }] of writes.entries()) {
      const error = results[i]
      if (error) failures.lost.set(key, error)
      else if (announcement) failures.unannounced.set(key, announcement)
    }
  }

  #deadline(writes: readonly Write[]): number {
    const bytes = writes.reduce((sum, { stored }) => sum + (stored?.bytes.length ?? 0), 0)
    return this.#options.timeoutMs + allowance(bytes)
  }
}

/** Sends one write. @returns what `commands` gives for it: an answer to come, or nothing yet of a pipeline */
function put(commands: RedisLike | RedisPipeline, prefix: string, { key, stored }: Write): unknown {
  return stored
    ? commands.set(prefix + key, stored.bytes, 'PX', stored.ttlMs)
    : commands.unlink([prefix + key])
}

/** The results of commands sent one behind the other, as a pipeline gives them. */
async function outcomes(answers: readonly unknown[]): Promise<[Error | null, unknown][]> {
  const settled = await Promise.allSettled(answers)
  return settled.map(each =>
    each.status === 'rejected' ? [each.reason as Error, undefined] : [null, each.value],
  )
}

/**
 * The error of each command, in order, `undefined` where it worked; nothing at all if every one worked.
 *
 * @throws the error, if none worked
 */
function errorsOf(results: [Error | null, unknown][] | null): (CacheError | undefined)[] | undefined {
  if (!results) throw new CacheError('STORE', 'Redis did not execute the pipeline')
  if (results.every(([error]) => !error)) return undefined
  // A pipeline that fails, fails as a whole most often: one error for all who failed alike.
  const seen = new Map<string, CacheError>()
  const errors = results.map(([error]) => {
    if (!error) return undefined
    const known = seen.get(error.message) ?? classifyError(error)
    seen.set(error.message, known)
    return known
  })
  if (errors.every(error => error !== undefined)) throw errors[0]
  return errors
}

function outcomeOf(size: number, { lost, unannounced }: Failures): WriteOutcome {
  if (lost.size === 0 && unannounced.size === 0) return APPLIED
  const failures = new Map([...unannounced, ...lost])
  const [error] = failures.values()
  return {
    status: lost.size === size ? 'failed' : 'partial',
    failures,
    ...(error && { error }),
  }
}
