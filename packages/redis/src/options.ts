import {
  type Clock,
  type Duration,
  integer,
  invalidOption,
  oneOf,
  systemClock,
  toMilliseconds,
} from '@cache/core'
import type { BusMode } from './bus/pub-sub.ts'
import type { ClusterConnection } from './cluster-connect.ts'
import { resolveValueOptions, type ValueOptions } from './codec-options.ts'
import { type Connect, type ConnectionOptions, connections, type Listening, type Target } from './connect.ts'
import type { EntryCodecOptions } from './entry-codec.ts'
import type { ClusterLike, ServerLike } from './redis-like.ts'
import { forbidsHashTag } from './slots.ts'

/** Two of these pass before a silent loss of the invalidation stream is noticed. */
const HEARTBEAT_MS = 500

/** What everything that talks to Redis is told. Exactly one of `url`, `connection`, `cluster` and `client` is given. */
export interface RedisOptions {
  /** `redis://[user[:password]@]host[:port][/database]`, or `rediss://` for TLS. */
  readonly url?: string
  /** ioredis options that say where the server is and how to log in (a unix socket, TLS certificates, Sentinel). */
  readonly connection?: ConnectionOptions
  /** A Redis Cluster: some of its nodes, and how to log in to all of them. */
  readonly cluster?: ClusterConnection
  /** A client of your own, of a single server or a cluster. It is used as it is and never closed. */
  readonly client?: ServerLike | ClusterLike
  /** Begins every key and names the channel of invalidations; not empty, without `{}` for a cluster. @default 'cache:' */
  readonly prefix?: string
  /** How long things may take. */
  readonly timeouts?: Timeouts
  /** @default the machine's */
  readonly clock?: Clock
}

export interface Timeouts {
  /** Deadline of a command that reads. @default '100ms' */
  readonly read?: Duration
  /** Deadline of a command that writes; a large value gets 1 ms more per 10 KiB above 256 KiB. @default '250ms' */
  readonly write?: Duration
  /** How long a connection may take to be made; this is never waited for longer than the deadlines above. @default '500ms' */
  readonly connect?: Duration
}

export interface RedisStoreOptions extends RedisOptions, ValueOptions {
  /** What the bus of the store hears. @default 'pubsub' */
  readonly bus?: BusMode
  /**
   * Connections, at least 1; with a `client` it is that one alone. Of a cluster, connections to each of its masters: the
   * last one is for writes and large values. @default 10, and 2 of a cluster
   */
  readonly poolSize?: number
  /** Keys per command of a batch, at least 1. @default 100 */
  readonly batchSize?: number
}

/** What `RedisOptions` amount to. */
export interface Endpoint {
  readonly heartbeatMs: number
  readonly client: ServerLike | ClusterLike | undefined
  readonly connect: Connect
  readonly listening: Listening
  readonly isCluster: boolean
  readonly prefix: string
  readonly readMs: number
  readonly writeMs: number
  readonly clock: Clock
}

/** @throws CacheError `INVALID_OPTION` */
export function resolveEndpoint(options: RedisOptions & Target): Endpoint {
  const { client, prefix = 'cache:', timeouts = {}, clock = systemClock } = options
  const readMs = toMilliseconds(timeouts.read ?? '100ms', 'timeouts.read')
  const writeMs = toMilliseconds(timeouts.write ?? '250ms', 'timeouts.write')
  const connectMs = toMilliseconds(timeouts.connect ?? '500ms', 'timeouts.connect')
  if (typeof prefix !== 'string' || prefix === '' || !prefix.isWellFormed()) {
    throw invalidOption('prefix', prefix, 'a string of at least 1 character, without lone surrogates')
  }
  // Long enough for a few deadlines to pass: one slow command is no reason to give a connection up.
  const silenceMs = 3 * Math.max(readMs, writeMs)
  const given = connections(options, { connectMs, silenceMs })
  if (given.isCluster && forbidsHashTag(prefix)) {
    throw invalidOption('prefix', prefix, 'without {} for a cluster, where it keeps keys from lying together')
  }
  return {
    client,
    ...given,
    prefix,
    readMs,
    writeMs,
    heartbeatMs: HEARTBEAT_MS,
    clock,
  }
}

/** What `RedisStoreOptions` amount to. */
export interface ResolvedStoreOptions extends Endpoint, EntryCodecOptions {
  readonly busMode: BusMode
  readonly poolSize: number
  readonly batchSize: number
}

/** @throws CacheError `INVALID_OPTION` */
export function resolveBusMode(mode: BusMode = 'pubsub', name: string): BusMode {
  return oneOf(mode, name, ['pubsub', 'tracking'])
}

/** @throws CacheError `INVALID_OPTION` */
export function resolveStoreOptions(options: RedisStoreOptions): ResolvedStoreOptions {
  const endpoint = resolveEndpoint(options)
  return {
    ...endpoint,
    ...resolveValueOptions(options),
    busMode: resolveBusMode(options.bus, 'bus'),
    poolSize: integer(options.poolSize ?? (endpoint.isCluster ? 2 : 10), 'poolSize', 1),
    batchSize: integer(options.batchSize ?? 100, 'batchSize', 1),
  }
}
