import { integer, invalidOption } from '@cache/core'
import { type Command, Redis, type RedisOptions } from 'ioredis'
import {
  assertUsableCluster,
  type ClusterConnection,
  clusterConnector,
  clusterListening,
} from './cluster-connect.ts'
import { isCluster } from './cluster-shards.ts'
import { Company } from './company.ts'
import { FailoverWatch } from './failover-watch.ts'
import type { ClusterLike, DuplicateOptions, RedisLike, ServerLike } from './redis-like.ts'
import { parseRedisUrl } from './redis-url.ts'
import { SilenceWatch } from './silence.ts'

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
}

export interface Connections {
  readonly connect: Connect
  readonly listening: Listening
  readonly isCluster: boolean
}

/** Bounds on the life of a connection, in milliseconds. */
export interface ConnectionBounds {
  /** How long a TCP (or TLS) connection may take to be made. */
  readonly connectMs: number
  /** How long a connection may owe an answer before it is given up and made anew. */
  readonly silenceMs: number
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

/** What a client of ours emits the moment it gives its connection up, some time before `close`. */
export const LEAVING = 'leaving'

class OwnRedis extends Redis {
  #closed = false
  readonly #watch: FailoverWatch | undefined
  // Not while the constructor of ioredis runs, which connects, but sends nothing yet.
  readonly #silence: SilenceWatch

  constructor(
    { socketTimeout: _, ...options }: RedisOptions & { replyMapping: 'legacy' },
    { silenceMs }: ConnectionBounds,
    watch: FailoverWatch | undefined,
  ) {
    super(options)
    this.#watch = watch
    this.#silence = new SilenceWatch(this, silenceMs)
    watch?.add(this)
    // ioredis listens for the first error of a socket only: a second one, an alert of TLS say, would end the process.
    this.on('error', () => this.stream?.on('error', () => {}))
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    const answer = super.sendCommand(command, stream)
    this.#silence.expectAnswer()
    return answer
  }

  hurry(): void {
    if (this.status === 'reconnecting' && !this.#closed) this.connect().catch(() => {})
  }

  /** ioredis ends for good if it is broken off while it asks the sentinels: then it is left to arrive, be it at the old master. */
  follow(): void {
    if (this.status === 'connecting') this.once('connect', () => this.disconnect(true))
    else this.disconnect(true)
  }

  override disconnect(reconnect = false): void {
    if (reconnect) this.emit(LEAVING)
    else {
      this.#closed = true
      // Not at 'end', which does not come if it is closed between two attempts to connect.
      this.#watch?.remove(this)
    }
    super.disconnect(reconnect)
  }
}

/** The shortest time between two attempts of one connection to leave a replica, in milliseconds. */
const LEAVE_AGAIN_MS = 5_000
/** And between two such attempts of any: so many that they never leave all at once, and reads go on. */
const LEAVE_OTHER_MS = 100

/**
 * A server that refuses writes because it is a replica may be the master of before, under a name that leads to a new one
 * by now: the connection is made anew to find out, but rarely, for it may as well be what the name still leads to.
 */
function replicaLeaver(): () => (error: Error) => 1 | false {
  let lastOfAny = Number.NEGATIVE_INFINITY
  return () => {
    let last = Number.NEGATIVE_INFINITY
    return error => {
      const now = performance.now()
      if (!error.message.startsWith('READONLY')) return false
      if (now - last < LEAVE_AGAIN_MS || now - lastOfAny < LEAVE_OTHER_MS) return false
      last = lastOfAny = now
      return 1
    }
  }
}

/** The options under which ioredis fails at once rather than queue, replay or hang. */
export function failFast({ connectMs, silenceMs }: ConnectionBounds): DuplicateOptions {
  return {
    keyPrefix: '',
    lazyConnect: false,
    // A command for a connection that is down fails at once and is never replayed later.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    connectTimeout: connectMs,
    // connectTimeout ends with the TCP handshake: against a server frozen after it only this helps.
    socketTimeout: silenceMs,
    // How long disconnect() lets a dead socket linger.
    disconnectTimeout: 50,
    retryStrategy: backoff,
  }
}

function backoff(attempt: number): number {
  return Math.min(50 * 2 ** (attempt - 1), 1_000) * (0.75 + Math.random() / 2)
}

export function ours(
  bounds: ConnectionBounds,
): RedisOptions & { replyMapping: 'legacy'; retryStrategy: (attempt: number) => number } {
  return {
    ...failFast(bounds),
    retryStrategy: backoff,
    commandTimeout: undefined,
    enableAutoPipelining: false,
    // Also how a client finds that a sentinel sent it to a server that is no master (yet, or any more).
    enableReadyCheck: true,
    maxLoadingRetryTime: 250,
    monitor: false,
    readOnly: false,
    replyMapping: 'legacy',
    scripts: undefined,
    stringNumbers: false,
    role: 'master',
    failoverDetector: false,
    // Without it one frozen sentinel would keep us from asking the others.
    sentinelCommandTimeout: bounds.connectMs,
    // Never gives up. The first time is no failure: it begins the round of sentinels again.
    sentinelRetryStrategy: attempt => Math.min(10 * 2 ** (attempt - 1), 500) * (0.75 + Math.random() / 2),
  }
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
