import { Redis, type RedisOptions } from 'ioredis'

/** A connection to the master of a moment ago. */
interface Follower {
  /** Goes to the master that the sentinels name now. */
  follow(): void
}

const SWITCHED = '+switch-master'

/**
 * Hears the sentinels tell of a new master, and makes every connection be made anew. Those that have no traffic would else
 * stay with the old one, and it takes writes for some ten seconds more if it was merely frozen or cut off: writes that
 * nobody else ever sees.
 *
 * One connection to each sentinel, for as long as there is somebody to tell. (ioredis' own `failoverDetector` makes as many
 * for every connection of a pool, and prints their errors.)
 */
export class FailoverWatch {
  readonly #options: RedisOptions
  readonly #followers = new Set<Follower>()
  #sentinels: readonly Redis[] = []

  /** @param options of the connections to watch over, `sentinels` and `name` among them */
  constructor(options: RedisOptions) {
    this.#options = options
  }

  add(follower: Follower): void {
    this.#followers.add(follower)
    if (this.#sentinels.length > 0) return
    this.#sentinels = (this.#options.sentinels ?? []).map(address => this.#listen(address))
  }

  remove(follower: Follower): void {
    this.#followers.delete(follower)
    if (this.#followers.size > 0) return
    for (const sentinel of this.#sentinels) sentinel.disconnect()
    this.#sentinels = []
  }

  #listen({ host, port, family }: { host?: string; port?: number; family?: number }): Redis {
    const { sentinelUsername, sentinelPassword, sentinelTLS, ...options } = this.#options
    const sentinel = new Redis({
      host: host ?? '127.0.0.1',
      port: port ?? 26_379,
      family: family ?? options.family,
      username: sentinelUsername,
      password: sentinelPassword,
      tls: sentinelTLS,
      connectTimeout: options.connectTimeout,
      socketTimeout: options.socketTimeout,
      disconnectTimeout: options.disconnectTimeout,
      retryStrategy: options.retryStrategy,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
    })
    // A sentinel that is away is no fault: the others tell as well.
    sentinel.on('error', () => {})
    sentinel.on('ready', () => sentinel.subscribe(SWITCHED).catch(() => {}))
    sentinel.on('message', (_channel, message) => {
      if (message.split(' ')[0] === options.name) this.#tell()
    })
    return sentinel
  }

  #tell(): void {
    for (const follower of this.#followers) follower.follow()
  }
}
