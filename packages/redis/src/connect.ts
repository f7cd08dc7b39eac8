import { integer, invalidOption } from '@cache/core'
import { Redis, type RedisOptions } from 'ioredis'
import type { DuplicateOptions, RedisLike } from './redis-like.ts'
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
  | 'maxLoadingRetryTime'
  | 'monitor'
  | 'offlineQueue'
  | 'reconnectOnError'
  | 'replyMapping'
  | 'scripts'
  | 'stringNumbers'
>

/** Where Redis is: one of three ways to say it. */
export interface Target {
  readonly url?: string
  readonly connection?: ConnectionOptions
  readonly client?: RedisLike
}

/** How to get a connection that is ours to close. */
export type Connect = (override?: Pick<DuplicateOptions, 'protocol'>) => RedisLike

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
 * @returns how to connect; with a `client`, by duplicating it
 * @throws CacheError `INVALID_OPTION`, never with the URL or anything of it
 */
export function connector(target: Target, bounds: ConnectionBounds): Connect {
  const { url, connection, client } = target
  const given = [url, connection, client].filter(option => option !== undefined)
  if (given.length !== 1) {
    throw invalidOption('exactly one of url, connection and client', given.length, 'given')
  }
  if (client) {
    assertUsable(client)
    return override => client.duplicate({ ...failFast(bounds), ...override })
  }
  // ioredis stays in database 0, without a word, if it cannot read the number.
  integer(connection?.db ?? 0, 'connection.db', 0)
  const options = { ...(url === undefined ? connection : parseRedisUrl(url, 'url')), ...ours(bounds) }
  return override => new Redis({ ...options, ...override })
}

/** The options under which ioredis fails at once rather than queue, replay or hang. */
function failFast({ connectMs, silenceMs }: ConnectionBounds): DuplicateOptions {
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
    retryStrategy: attempt => Math.min(50 * 2 ** (attempt - 1), 1_000) * (0.75 + Math.random() / 2),
  }
}

function ours(bounds: ConnectionBounds): RedisOptions & { replyMapping: 'legacy' } {
  return {
    ...failFast(bounds),
    commandTimeout: undefined,
    enableAutoPipelining: false,
    enableReadyCheck: true,
    maxLoadingRetryTime: 250,
    monitor: false,
    reconnectOnError: null,
    replyMapping: 'legacy',
    scripts: undefined,
    stringNumbers: false,
  }
}

function assertUsable(client: RedisLike): void {
  const complaint = client.isCluster
    ? 'a cluster client'
    : client.options?.keyPrefix
      ? 'one with a keyPrefix'
      : undefined
  if (complaint) {
    throw invalidOption('client', complaint, 'a client of a single server without keyPrefix (use prefix)')
  }
}
