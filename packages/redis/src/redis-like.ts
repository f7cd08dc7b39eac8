/**
 * The part of an ioredis client that this package uses: any client that fits may be given as `client`, for
 * example ioredis' own `Redis` or iovalkey's. (A type test holds ioredis to it.)
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
  eval(
    script: string,
    numberOfKeys: number,
    key: string,
    ...args: (string | Buffer | number)[]
  ): Promise<unknown>
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
  ping(): Promise<unknown>
  select(database: number): Promise<unknown>
  pipeline(): RedisPipeline
  /** A client of the same server, with `override` in place of some of the options. */
  duplicate(override: DuplicateOptions): RedisLike
  disconnect(reconnect?: boolean): void
  on(event: string, listener: (...args: never[]) => void): unknown
}

/** Commands that travel together, each with its own result. */
export interface RedisPipeline {
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
  readonly retryStrategy: (attempt: number) => number
}
