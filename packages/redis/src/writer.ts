import { APPLIED, CacheError, type StoreOperation, type WriteOutcome } from '@cache/core'
import type { Redis } from 'ioredis'
import { chunked, eachChunk } from './batch.ts'
import type { Sender } from './bus/sender.ts'
import { classifyError } from './classify-error.ts'
import { byMaster, isCluster, isRedirection, masterOf } from './cluster-shards.ts'
import type { Connection } from './connection.ts'
import { type Errors, exchangeAll, type Told, takesBytes } from './exchange.ts'
import type { Keyspace } from './keyspace.ts'
import { allowance, isLarge, type Lane } from './lanes.ts'
import type { LargeKeys } from './large-keys.ts'
import type { Pool } from './pool.ts'
import type { ClusterLike, RedisLike, RedisPipeline } from './redis-like.ts'
import { setsMany } from './set-many.ts'

/** One key to store or, without `bytes`, to remove. */
export interface Write {
  readonly key: string
  readonly stored?: { readonly bytes: Buffer; readonly ttlMs: number }
}

export interface WriterOptions {
  readonly pool: Pool
  readonly largeKeys: LargeKeys
  readonly keys: Keyspace
  readonly channel: string
  readonly sender: Sender
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

  /**
   * A batch is a pipeline for every `batchSize` keys; large values, and keys of which a write is under way, go apart.
   *
   * @param spentMs how much of the deadline is gone already; less than 0 gives more
   * @param onSent called when the last chunk is on its way, or will not be sent: later writes of its keys may come behind it now
   */
  async write(
    operation: StoreOperation,
    writes: readonly Write[],
    spentMs = 0,
    onSent: () => void = () => {},
  ): Promise<WriteOutcome> {
    const failures: Failures = { lost: new Map(), unannounced: new Map() }
    const groups = this.#groups(writes)
    let unsent = groups.reduce((sum, chunks) => sum + chunks.length, 0)
    await Promise.all(
      groups.map(chunks =>
        eachChunk(
          chunks,
          widthFor(chunks, this.#options.pool.size),
          chunk => {
            const answered = this.#send(operation, chunk, failures, spentMs)
            if (--unsent === 0) onSent()
            return answered
          },
          ({ writes: chunk }, error) => {
            for (const { key } of chunk) failures.lost.set(key, error)
          },
        ),
      ),
    )
    onSent()
    return outcomeOf(writes.length, failures)
  }

  /** Chunks that succeed or fail for themselves: in a cluster one master's time-out must not be another's. */
  #groups(writes: readonly Write[]): Chunk[][] {
    const { pool, keys } = this.#options
    if (!pool.cluster || writes.length === 1) return [this.#chunks(writes)]
    // What has to wait for an earlier write, or takes long by itself, is waited for by no other.
    const isApart = ({ key, stored }: Write): boolean =>
      pool.isBusy(key) || isLarge(stored?.bytes.length ?? 0)
    const rest = writes.filter(write => !isApart(write))
    const apart = writes.filter(isApart).map(write => this.#chunks([write]))
    return [
      ...byMaster(pool.cluster, rest, ({ key }) => keys.keyOf(key)).map(own => this.#chunks(own)),
      ...apart,
    ]
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

  async #send(
    operation: StoreOperation,
    { route, writes }: Chunk,
    failures: Failures,
    spentMs: number,
  ): Promise<void> {
    const { pool, largeKeys, keys: keyspace, channel, sender } = this.#options
    const keys = writes.map(write => write.key)
    let bytes = 0
    for (const { key, stored } of writes) {
      const length = stored?.bytes.length ?? 0
      largeKeys.note(key, length)
      bytes += length
    }
    const ms = Math.max(1, this.#options.timeoutMs + allowance(bytes) - spentMs)
    const announcing: Announcing = { channel, sender }
    const errors = await pool.write(operation, route, keys, ms, async client =>
      classified(
        await (isCluster(client)
          ? sendToCluster(client, keyspace, writes, announcing)
          : sendTogether(client, keyspace, writes, announcing)),
      ),
    )
    if (!errors) return
    const announcement = errors[writes.length]
    for (const [i, { key }] of writes.entries()) {
      const error = errors[i]
      if (error) failures.lost.set(key, error)
      else if (announcement) failures.unannounced.set(key, announcement)
    }
  }
}

/**
 * How many chunks are under way at once: at least one for each route. One that waited could be overtaken by a later write of
 * its keys, which would go by another connection.
 */
function widthFor(chunks: readonly Chunk[], poolSize: number): number {
  return Math.max(poolSize, new Set(chunks.map(({ route }) => route)).size)
}

interface Announcing {
  readonly channel: string
  readonly sender: Sender
}

/** Writes, and announces behind it what was written. @returns what became of each write and, last, of the announcement */
function sendTogether(
  client: RedisLike,
  keyspace: Keyspace,
  writes: readonly Write[],
  { channel, sender }: Announcing,
): Promise<Errors> {
  const message = sender.message({ type: 'keys', keys: writes.map(({ key }) => key) })
  if (takesBytes(client)) {
    const publish: Told = [channel, ['publish', channel, message]]
    if (writes.length > 1 && setsMany(client)) return exchangeTogether(client, keyspace, writes, publish)
    return exchangeAll(client, [...writes.map(write => commandOf(keyspace, write)), publish])
  }
  const [first] = writes
  // A pipeline of one command costs more than the command.
  if (first && writes.length === 1) {
    return errorsOf([put(client, keyspace, first), client.publish(channel, message)])
  }
  const pipeline = client.pipeline()
  for (const write of writes) put(pipeline, keyspace, write)
  pipeline.publish(channel, message)
  return pipelined(pipeline)
}

async function pipelined(pipeline: RedisPipeline): Promise<Errors> {
  const results = await pipeline.exec()
  if (!results) throw new CacheError('STORE', 'Redis did not execute the pipeline')
  return results.map(([error]) => error ?? undefined)
}

/**
 * The same in a cluster, for keys that, as far as known, one master holds. It announces them itself: announced by another
 * node, they could be read in vain before they are written.
 *
 * Keys that have moved meanwhile are written one by one, for the client follows redirections of single commands only, and
 * announced once more behind that.
 */
async function sendToCluster(
  cluster: ClusterLike,
  keyspace: Keyspace,
  writes: readonly Write[],
  announcing: Announcing,
): Promise<Errors> {
  const master = masterOf(cluster, keyspace.keyOf((writes[0] as Write).key))
  const errors = master && (await sendTogether(master, keyspace, writes, announcing))
  if (master && !errors) return undefined
  const moved = writes.filter((_, i) => !errors || isRedirection(errors[i]))
  if (moved.length === 0) return errors
  const merged: (Error | undefined)[] = errors?.slice() ?? []
  const again = (await errorsOf(moved.map(write => put(cluster, keyspace, write)))) ?? []
  for (const [i, write] of moved.entries()) merged[writes.indexOf(write)] = again[i]
  const written = moved.filter((_, i) => !again[i])
  if (written.length === 0) {
    if (!errors) merged[writes.length] = again[0]
    return merged
  }
  const keys = written.map(({ key }) => key)
  const message = announcing.sender.message({ type: 'keys', keys })
  const told = await errorsOf([cluster.publish(announcing.channel, message)])
  if (told || !errors) merged[writes.length] = told?.[0]
  return merged
}

/** Sends one write. @returns what `commands` gives for it: an answer to come, or nothing yet of a pipeline */
function put(commands: RedisLike | RedisPipeline, keys: Keyspace, { key, stored }: Write): unknown {
  return stored
    ? commands.set(keys.keyOf(key), stored.bytes, 'PX', stored.ttlMs)
    : commands.unlink([keys.keyOf(key)])
}

function commandOf(keys: Keyspace, { key, stored }: Write): Told {
  const redisKey = keys.keyOf(key)
  return [redisKey, stored ? ['set', redisKey, stored.bytes, 'PX', stored.ttlMs] : ['unlink', redisKey]]
}

/** The same, in one command for all entries that live equally long. Removals go one by one: a refused one would fail others. */
async function exchangeTogether(
  client: Redis,
  keyspace: Keyspace,
  writes: readonly Write[],
  publish: Told,
): Promise<Errors> {
  const groups = [...Map.groupBy(writes, write => write.stored?.ttlMs ?? write).values()]
  const errors = await exchangeAll(client, [...groups.map(group => commandOfAll(keyspace, group)), publish])
  if (!errors) return undefined
  const errorOf = new Map(groups.flatMap((group, i) => group.map(write => [write, errors[i]])))
  return [...writes.map(write => errorOf.get(write)), errors[groups.length]]
}

/** @param writes at least one; if they are more, of entries that live equally long */
function commandOfAll(keys: Keyspace, writes: readonly Write[]): Told {
  const [first] = writes as readonly [Write]
  if (writes.length === 1 || !first.stored) return commandOf(keys, first)
  const pairs = writes.flatMap(({ key, stored }) => (stored ? [keys.keyOf(key), stored.bytes] : []))
  return [keys.keyOf(first.key), ['msetex', writes.length, ...pairs, 'PX', first.stored.ttlMs]]
}

/** Of commands sent one behind the other. */
async function errorsOf(answers: readonly unknown[]): Promise<Errors> {
  const settled = await Promise.allSettled(answers)
  if (settled.every(({ status }) => status === 'fulfilled')) return undefined
  return settled.map(each => (each.status === 'rejected' ? (each.reason as Error) : undefined))
}

/** @throws the error, if none worked */
function classified(errors: Errors): readonly (CacheError | undefined)[] | undefined {
  if (!errors?.some(error => error)) return undefined
  // What is sent together fails as a whole most often: one error for all who failed alike.
  const seen = new Map<string, CacheError>()
  const all = errors.map(error => {
    if (!error) return undefined
    const known = seen.get(error.message) ?? classifyError(error)
    seen.set(error.message, known)
    return known
  })
  if (all.every(error => error !== undefined)) throw all[0]
  return all
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
