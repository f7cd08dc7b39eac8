/**
 * A Keyv storage adapter, as far as it is needed here: those of Keyv 5, which take a ttl in milliseconds, and those of Keyv 6,
 * which say in `capabilities.expires` that they take the time of expiry.
 */
export interface KeyvStorage {
  namespace?: string | undefined
  readonly capabilities?: { readonly expires?: boolean } | undefined
  get(key: string): Promise<unknown>
  // biome-ignore lint/suspicious/noExplicitAny: what adapters take differs: strings, values, records
  set(key: string, value: any, ttlOrExpires?: number): unknown
  delete(key: string): Promise<unknown>
  clear(): Promise<unknown>
  getMany?(keys: string[]): Promise<readonly unknown[]>
  deleteMany?(keys: string[]): Promise<unknown>
  /** Keys and values: all of a namespace, Keyv 5 says of which. */
  iterator?(namespace?: string): AsyncGenerator<unknown, void>
  disconnect?(): Promise<void>
  // biome-ignore lint/suspicious/noExplicitAny: so it is in every emitter
  on?(event: string, listener: (...args: any[]) => void): unknown
}
