import type { Entry, Store, WriteOutcome } from '@cache/core'
import { APPLIED, CacheError, failed, isExpired } from '@cache/core'
import { fromText, toText } from './entry-text.ts'

/** The API's URL ends with a slash; the prefix begins every key; a request may take 1,000 ms unless another time is given. */
export interface HttpStoreOptions {
  readonly url: string
  readonly prefix: string
  readonly timeoutMs?: number
}

type Parameters = Readonly<Record<string, string>>

/** A store behind an HTTP key-value API. Keys travel as parameters: in a path `..` and `//` would mean something. */
export class HttpStore implements Store {
  readonly name = 'http'
  readonly #options: HttpStoreOptions
  readonly #closing = new AbortController()
  /** The next write is sent when this one has ended, for requests may overtake one another. */
  #lastWrite: Promise<unknown> = Promise.resolve()

  constructor(options: HttpStoreOptions) {
    this.#options = options
  }

  async get(key: string): Promise<Entry | undefined> {
    const text = await this.#request('GET', 'key', { key: this.#options.prefix + key })
    const entry = text === undefined ? undefined : fromText(text)
    return entry && !isExpired(entry, Date.now()) ? entry : undefined
  }

  async set(key: string, entry: Entry): Promise<WriteOutcome> {
    if (isExpired(entry, Date.now())) return this.delete(key)
    const parameters = { key: this.#options.prefix + key, expires: String(entry.expiresAt) }
    return this.#write('PUT', 'key', parameters, toText(entry))
  }

  async delete(key: string): Promise<WriteOutcome> {
    return this.#write('DELETE', 'key', { key: this.#options.prefix + key })
  }

  async clear(scope = ''): Promise<WriteOutcome> {
    return this.#write('DELETE', 'keys', { prefix: this.#options.prefix + scope })
  }

  close(): void {
    this.#closing.abort(new CacheError('CLOSED', 'the http store is closed'))
  }

  async #write(method: string, path: string, parameters: Parameters, body?: string): Promise<WriteOutcome> {
    const write = this.#lastWrite.then(() => this.#request(method, path, parameters, body))
    this.#lastWrite = write.catch(() => {})
    return write.then(() => APPLIED, failed)
  }

  /** @returns `undefined` for what is not there. @throws CacheError for everything that is no answer */
  async #request(method: string, path: string, parameters: Parameters, body?: string) {
    const { url, timeoutMs = 1_000 } = this.#options
    const late = AbortSignal.timeout(timeoutMs)
    const signal = AbortSignal.any([late, this.#closing.signal])
    try {
      const target = new URL(`${path}?${new URLSearchParams(parameters)}`, url)
      const response = await fetch(target, { method, signal, body: body ?? null })
      const text = await response.text()
      if (response.ok || response.status === 404) return response.ok ? text : undefined
      throw new CacheError('STORE', `the key-value API answered ${response.status}`)
    } catch (cause) {
      if (cause instanceof CacheError) throw cause
      throw new CacheError(late.aborted ? 'TIMEOUT' : 'UNAVAILABLE', 'the key-value API did not answer', {
        cause,
      })
    }
  }
}
