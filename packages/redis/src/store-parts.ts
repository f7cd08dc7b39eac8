import { randomUUID } from 'node:crypto'
import type { CacheError, Clock, StoreOperation } from '@cache/core'
import { announce } from './bus/announce.ts'
import { channelOf } from './bus/message.ts'
import { Sender } from './bus/sender.ts'
import { openStream, type Stream } from './bus/stream.ts'
import { watchMasters } from './cluster-masters.ts'
import { EntryCodec } from './entry-codec.ts'
import { EntryWriter } from './entry-writer.ts'
import { Keyspace } from './keyspace.ts'
import { LargeKeys } from './large-keys.ts'
import { Leases } from './leases.ts'
import { Marks } from './marks.ts'
import type { ResolvedStoreOptions } from './options.ts'
import { type Emit, Pool } from './pool.ts'
import { Reader } from './reader.ts'
import { ServerOrder } from './server-order.ts'
import { Sweeper } from './sweeper.ts'
import { Tags } from './tags.ts'
import { Writer } from './writer.ts'

/** What a store consists of. */
export interface StoreParts {
  readonly pool: Pool
  readonly keys: Keyspace
  readonly order: ServerOrder
  readonly codec: EntryCodec
  readonly reader: Reader
  readonly writer: EntryWriter
  readonly leases: Leases
  readonly tags: Tags
  readonly marks: Marks
  readonly sweeper: Sweeper
  readonly stream: Stream
  readonly sender: Sender
  /** Of the announcements. */
  readonly channel: string
  /** Milliseconds. */
  readonly readMs: number
  readonly writeMs: number
  readonly clock: Clock
}

/** Makes the parts of a store and has them know each other. @param name of the store, for what it tells */
export function partsOf(name: string, options: ResolvedStoreOptions, emit: Emit): StoreParts {
  const { prefix, batchSize, readMs, writeMs, clock } = options
  const tell = (operation: StoreOperation, error: CacheError): void =>
    emit({ type: 'error', store: name, operation, error })
  const keys = new Keyspace(prefix)
  const pool = new Pool({
    ...options,
    size: options.poolSize,
    name,
    emit,
    onServer: (runId, client) => marks.met(runId, client),
  })
  const channel = channelOf(prefix)
  const sender = new Sender(randomUUID(), clock)
  const codec = new EntryCodec(options)
  const order = new ServerOrder({
    keys,
    ask: (command, ms) => pool.run('sync', pool.forRead(), ms, command),
    readMs,
    clock,
  })
  const largeKeys = new LargeKeys()
  const common = { pool, keys, order, largeKeys, codec, channel, sender, readMs, writeMs, clock, batchSize }
  const marks = new Marks(common)
  if (pool.cluster) watchMasters(pool.cluster, () => marks.metPart())
  const reader = new Reader({ ...common, timeoutMs: readMs, onCorrupt: tell })
  const leases = new Leases({ ...common, reader })
  const tags = new Tags(common)
  const writer = new EntryWriter({ ...common, writer: new Writer({ ...common, timeoutMs: writeMs }), tags })
  const sweeper = new Sweeper({
    ...common,
    run: command => pool.run('clear', pool.forRead(), writeMs, command),
    onError: error => tell('clear', error),
  })
  const announcing = { pool, operation: 'publish', channel, sender, timeoutMs: writeMs } as const
  const stream = openStream({
    ...common,
    ...options,
    id: sender.id,
    mode: options.busMode,
    publish: invalidation => announce(announcing, invalidation),
    onLag: lagMs => emit({ type: 'invalidation', store: name, lagMs }),
  })
  followOrder(stream, order, sweeper)
  return { ...common, reader, writer, leases, tags, marks, sweeper, stream }
}

/** The order of invalidations is known as long as the bus brings them all. */
function followOrder(stream: Stream, order: ServerOrder, sweeper: Sweeper): void {
  stream.subscribe(message => {
    if (message.version === undefined) return
    if (message.type === 'tags') order.noteTags(message.tags, message.version)
    if (message.type === 'clear') order.noteClear(message.scope ?? '', message.version)
    sweeper.watch()
  })
  stream.onGap(({ connected }) => {
    order.gap(connected).then(
      () => sweeper.watch(),
      () => {}, // Then every read asks.
    )
  })
}
