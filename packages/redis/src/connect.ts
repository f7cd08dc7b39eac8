import { integer, invalidOption } from '@cache/core'
import type { RedisOptions } from 'ioredis'
import {
  assertUsableCluster,
  type ClusterConnection,
  clusterConnector,
  clusterListening,
} from './cluster-connect.ts'
import { isCluster } from './cluster-shards.ts'
import { Company } from './company.ts'
import { type ConnectionBounds, failFast, ours } from './fail-fast.ts'
import { FailoverWatch } from './failover-watch.ts'
import { OwnRedis, replicaLeaver } from './own-redis.ts'
import type { ClusterLike, DuplicateOptions, RedisLike, ServerLike } from './redis-like.ts'
import { parseRedisUrl } from './redis-url.ts'

/**
 * ioredis' options that say where the server is and how to log in. Those that decide how a client behaves in
 * trouble are this package's business and are overridden.
 */
export type ConnectionOptions = Omit<
  RedisOptions,
  | keyof DuplicateOptions
  | 'autoResendUnfulfilledCommands'
  | 'commandTimeout'
  | 'enableAutoPipelining'
  | 'enableReadyCheck'
  | 'failoverDetector'
  | 'maxLoadingRetryTime'
  | 'monitor'
  | 'offlineQueue'
  | 'preferredSlaves'
  | 'readOnly'
  | 'reconnectOnError'
  | 'replyMapping'
  | 'role'
  | 'scripts'
  | 'sentinelCommandTimeout'
  | 'sentinelMaxConnections'
  | 'sentinelReconnectStrategy'
  | 'sentinelRetryStrategy'
  | 'stringNumbers'
>

/** Where Redis is: one of four ways to say it. */
export interface Target {
  readonly url?: string
  readonly connection?: ConnectionOptions
  readonly cluster?: ClusterConnection
  readonly client?: ServerLike | ClusterLike
}

/** How to get a connection that is ours to close. */
export type Connect = (override?: Pick<DuplicateOptions, 'protocol'>) => RedisLike

/** How to get a connection to listen on. */
export interface Listening {
  /** One that is ours to close; `undefined` as long as no server is known. */
  readonly connect: (override?: Pick<DuplicateOptions, 'protocol'>) => RedisLike | undefined
  /** Rejects if its server answers, but may hear nothing of what is published on others. */
  readonly check?: (client: RedisLike) => Promise<void>
  /** Of a cluster. */
  readonly masters?: Masters
}

/** The masters of a cluster, each to be listened to by itself. */
export interface Masters {
  /** As far as known. */
  addresses(): Iterable<string>
  listeningTo(address: string): Listening
  /** Calls it when they may have changed. */
  onChange(listener: () => void): void
}

export interface Connections {
  readonly connect: Connect
  readonly listening: Listening
  readonly isCluster: boolean
}

/**
 * Validates where Redis is.
 *
 * @throws CacheError `INVALID_OPTION`, never with the URL or anything of it
 */
export function connections(target: Target, bounds: ConnectionBounds): Connections {
  assertGivenOnce(target)
  const { cluster, client } = target
  if (cluster) return ownCluster(cluster, bounds)
  if (client && isCluster(client)) return borrowedCluster(client, bounds)
  const connect = connector(target, bounds)
  return { connect, listening: { connect }, isCluster: false }
}

/**
 * The same for a single server.
 *
 * @returns how to connect; with a `client`, by duplicating it
 * @throws CacheError `INVALID_OPTION`
 */
export function connector(target: Omit<Target, 'cluster'>, bounds: ConnectionBounds): Connect {
  assertGivenOnce(target)
  const { url, connection, client } = target
  if (client) return duplicating(client, bounds)
  if (connection) assertReachable(connection)
  const options = { ...(url === undefined ? connection : parseRedisUrl(url, 'url')), ...ours(bounds) }
  const watch = options.sentinels ? new FailoverWatch(options) : undefined
  const leave = replicaLeaver()
  const company = new Company<OwnRedis>()
  return override =>
    company.join(new OwnRedis({ ...options, ...override, reconnectOnError: leave() }, bounds, watch))
}

function assertGivenOnce({ url, connection, cluster, client }: Target): void {
  const given = [url, connection, cluster, client].filter(option => option !== undefined)
  if (given.length === 1) return
  throw invalidOption('exactly one of url, connection, cluster and client', given.length, 'given')
}

function ownCluster(cluster: ClusterConnection, bounds: ConnectionBounds): Connections {
  const connect = clusterConnector(cluster, bounds)
  let guide: ClusterLike | undefined
  return {
    connect: () => {
      const client = connect()
      guide ??= client
      return client
    },
    listening: clusterListening(() => guide, bounds),
    isCluster: true,
  }
}

function borrowedCluster(client: ClusterLike, bounds: ConnectionBounds): Connections {
  assertUsableCluster(client)
  return { connect: () => client, listening: clusterListening(() => client, bounds), isCluster: true }
}

function duplicating(client: ServerLike | ClusterLike, bounds: ConnectionBounds): Connect {
  if (isCluster(client) || client.options?.keyPrefix) {
    throw invalidOption('client', 'one with a keyPrefix', 'a client without keyPrefix (use prefix)')
  }
  return override => client.duplicate({ ...failFast(bounds), ...override })
}

/** What ioredis would take for something else, or throw of in its own words. */
function assertReachable({ db, sentinels, name }: ConnectionOptions): void {
  // ioredis stays in database 0, without a word, if it cannot read the number.
  integer(db ?? 0, 'connection.db', 0)
  if (!sentinels) return
  if (!Array.isArray(sentinels) || sentinels.length === 0) {
    throw invalidOption('connection.sentinels', sentinels, 'a list of at least one { host, port }')
  }
  if (typeof name !== 'string' || name === '') {
    throw invalidOption('connection.name', name, 'what the sentinels call the master')
  }
}
