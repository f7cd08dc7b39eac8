import { type Cache, CacheError, type WriteOutcome } from '@cache/core'
import type { KeyvStorage } from './keyv-storage.ts'

export interface CacheStorageOptions {
  /** Lists the keys that begin with a scope, as `keys` of a store does: with it Keyv can iterate. */
  readonly keys?: (scope: string) => Iterable<string> | AsyncIterable<string>
}

/**
 * A `Cache` as a storage adapter of Keyv 5 and 6: `new Keyv({ store: new CacheStorage(cache) })`. Whatever takes a Keyv is served from
 * memory, Redis or both, coherent between processes.
 *
 * A value for which Keyv says no ttl lives as long as those of the cache; one with a ttl lives exactly that long. Every Keyv needs a
 * `CacheStorage` of its own; they may be over the same cache.
 */
export class CacheStorage implements KeyvStorage {
  /** Keyv sets it. Keyv 5 puts it before the keys too, Keyv 6 leaves that to the storage. */
  namespace?: string | undefined
  /** Keyv 5 iterates over the dialects that it knows, and no others. */
  readonly opts: Record<string, unknown> = { dialect: 'redis', url: '' }
  /** Keys with their values; only there if `keys` was given. */
  declare readonly iterator?: () => AsyncGenerator<[string, unknown], void>
  readonly #cache: Cache<unknown>

  constructor(cache: Cache<unknown>, { keys }: CacheStorageOptions = {}) {
    this.#cache = cache
    if (keys) this.iterator = () => iterate(cache, keys, this.#prefix)
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return (await this.#cache.get(this.#prefix + key)) as Value | undefined
  }

  async getMany<Value>(keys: readonly string[]): Promise<(Value | undefined)[]> {
    const full = this.#full(keys)
    const found = await this.#cache.getMany(full)
    return full.map(key => found.get(key) as Value | undefined)
  }

  /** @param ttl milliseconds. @throws CacheError if nobody has the value then */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    assertDone(await this.#cache.set(this.#prefix + key, value, optionsFor(ttl)))
    return true
  }

  /** @returns for each whether it is kept */
  async setMany(
    entries: readonly { readonly key: string; readonly value: unknown; readonly ttl?: number | undefined }[],
  ): Promise<boolean[]> {
    return Promise.all(entries.map(({ key, value, ttl }) => this.set(key, value, ttl).catch(() => false)))
  }

  /** @returns whether there was something; asked before, so that two who delete at once may both hear yes */
  async delete(key: string): Promise<boolean> {
    return this.deleteMany([key])
  }

  /** @returns whether there was anything */
  async deleteMany(keys: readonly string[]): Promise<boolean> {
    const full = this.#full(keys)
    const found = await this.#cache.getMany(full)
    assertDone(await this.#cache.deleteMany(full))
    return found.size > 0
  }

  async has(key: string): Promise<boolean> {
    return this.#cache.has(this.#prefix + key)
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    const full = this.#full(keys)
    const found = await this.#cache.getMany(full)
    return full.map(key => found.has(key))
  }

  /** Removes the namespace, or everything of the cache if Keyv has set none. */
  async clear(): Promise<void> {
    // A namespace of Keyv may have colons, one of the cache has not: it is several then, one in another.
    const names = this.namespace?.split(':') ?? []
    const view = names.reduce<Pick<Cache<unknown>, 'clear' | 'namespace'>>(
      (outer, name) => outer.namespace(name),
      this.#cache,
    )
    assertDone(await view.clear())
  }

  /** Tells Keyv what failed in the cache and was spared its readers. */
  on(event: string, listener: (error: unknown) => void): this {
    if (event === 'error') this.#cache.on('error', ({ error }) => listener(error))
    return this
  }

  /** Closes the cache. */
  async disconnect(): Promise<void> {
    await this.#cache.close()
  }

  get #prefix(): string {
    return this.namespace ? `${this.namespace}:` : ''
  }

  #full(keys: readonly string[]): string[] {
    return keys.map(key => this.#prefix + key)
  }
}

/** As long as Keyv says, to the millisecond and not longer. */
function optionsFor(ttl: number | undefined): object {
  return ttl === undefined ? {} : { ttl: `${ttl}ms`, jitter: 0, grace: 0 }
}

/** What is queued will be done, and what is partial was. */
function assertDone({ status, error }: WriteOutcome): void {
  if (status === 'failed') throw error ?? new CacheError('STORE', 'the store gave no reason')
}

async function* iterate(
  cache: Cache<unknown>,
  keys: NonNullable<CacheStorageOptions['keys']>,
  prefix: string,
): AsyncGenerator<[string, unknown], void> {
  for await (const key of keys(prefix)) {
    const value = await cache.get(key)
    if (value !== undefined) yield [key.slice(prefix.length), value]
  }
}
