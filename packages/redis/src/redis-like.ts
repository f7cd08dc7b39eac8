/**
 * The commands that this package uses, as ioredis has them, of one server or of a whole cluster. (A type test holds
 * ioredis' clients to it.)
 */
export interface RedisLike {
  /** `ready`, or how far from it the client is, in ioredis' words. */
  readonly status: string
  readonly options?: { readonly keyPrefix?: string | undefined; readonly db?: number | undefined }
  readonly isCluster?: boolean
  getBuffer(key: string): Promise<Buffer | null>
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>
  set(key: string, value: Buffer, px: 'PX', milliseconds: number): Promise<unknown>
  unlink(keys: (string | Buffer)[]): Promise<number>
  setBuffer(
    key: string,
    value: Buffer,
    px: 'PX',
    milliseconds: number,
    nx: 'NX',
    get: 'GET',
  ): Promise<Buffer | null>
  eval(script: string, numberOfKeys: number, ...keysAndArgs: (string | Buffer | number)[]): Promise<unknown>
  evalsha(hash: string, numberOfKeys: number, ...keysAndArgs: (string | Buffer | number)[]): Promise<unknown>
  scanBuffer(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    countToken: 'COUNT',
    count: number,
  ): Promise<[cursor: Buffer, keys: Buffer[]]>
  publish(channel: string, message: string): Promise<number>
  subscribe(...channels: string[]): Promise<unknown>
  call(command: string, ...args: string[]): Promise<unknown>
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>
  ping(): Promise<unknown>
  select(database: number): Promise<unknown>
  pipeline(): RedisPipeline
  disconnect(reconnect?: boolean): void
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** A client of one server: any that fits may be given as `client`, for example ioredis' own `Redis` or iovalkey's. */
export interface ServerLike extends RedisLike {
  readonly options?: {
    readonly keyPrefix?: string | undefined
    readonly db?: number | undefined
    readonly host?: string | undefined
    readonly port?: number | undefined
  }
  /** A client of the same server, with `override` in place of some of the options. */
  duplicate(override: DuplicateOptions): RedisLike
}

/** A client of a Redis Cluster: any that fits may be given as `client`, for example ioredis' own `Cluster` or iovalkey's. */
export interface ClusterLike extends RedisLike {
  readonly options?: {
    readonly keyPrefix?: string | undefined
    readonly scaleReads?: unknown
    readonly enableAutoPipelining?: boolean | undefined
  }
  readonly isCluster: boolean
  /** By slot, the addresses (`host:port`) of its master and of its replicas, as far as known. */
  readonly slots: readonly (readonly string[])[]
  nodes(role: 'master' | 'all'): ServerLike[]
}

/** Commands that travel together, each with its own result. */
export interface RedisPipeline {
  mgetBuffer(keys: string[]): unknown
  set(key: string, value: Buffer, px: 'PX', milliseconds: number): unknown
  unlink(keys: string[]): unknown
  publish(channel: string, message: string): unknown
  exec(): Promise<[error: Error | null, result: unknown][] | null>
}

/** What a subscriber made from a user's client must not inherit. */
export interface DuplicateOptions {
  readonly keyPrefix: string
  /** RESP2, in which all that is published or tracked arrives as messages. */
  readonly protocol?: 2
  readonly lazyConnect: boolean
  readonly enableOfflineQueue: boolean
  readonly autoResubscribe: boolean
  readonly maxRetriesPerRequest: number
  readonly socketTimeout: number
  readonly connectTimeout: number
  readonly disconnectTimeout: number
  readonly retryStrategy: (attempt: number) => number | null
}
