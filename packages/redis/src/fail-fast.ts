import type { RedisOptions } from 'ioredis'
import type { DuplicateOptions } from './redis-like.ts'

/** Bounds on the life of a connection, in milliseconds. */
export interface ConnectionBounds {
  /** How long a TCP (or TLS) connection may take to be made. */
  readonly connectMs: number
  /** How long a connection may owe an answer before it is given up and made anew. */
  readonly silenceMs: number
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

/** The same, of connections that we make. */
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
