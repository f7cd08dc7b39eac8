import type { Entry } from './entry.ts'
import { isFresh } from './freshness.ts'
import { writeMany } from './many.ts'
import { readMany } from './validated-read.ts'
import type { View } from './view.ts'
import type { WarmUpBatch, WarmUpWork } from './warm.ts'
import { toItem, type WarmUpFailure, type WarmUpItem } from './warm-options.ts'
import type { BatchResult } from './warm-progress.ts'

type Source = WarmUpItem | readonly [key: string, value: unknown]

/**
 * Writes the values that a source gives. Of what is held for its batch, whatever is written or invalidated meanwhile is
 * dropped: newer wins.
 */
export class WriteWork implements WarmUpWork<Source> {
  readonly #view: View
  readonly #overwrite: boolean

  constructor(view: View, overwrite: boolean) {
    this.#view = view
    this.#overwrite = overwrite
  }

  keyOf(item: Source): string | undefined {
    const key: unknown = typeof item === 'object' && item !== null ? toItem(item).key : undefined
    return typeof key === 'string' ? key : undefined
  }

  begin(): WarmUpBatch<Source> {
    return new WriteBatch(this.#view, this.#overwrite)
  }
}

class WriteBatch implements WarmUpBatch<Source> {
  readonly #view: View
  readonly #overwrite: boolean
  readonly #held = new Map<string, Entry>()
  readonly #release: () => void

  constructor(view: View, overwrite: boolean) {
    this.#view = view
    this.#overwrite = overwrite
    this.#release = view.engine.flights.hold(this.#held, 'write')
  }

  add(item: Source): void {
    const { key, value, freshUntil, ...options } = toItem(item)
    const address = this.#view.address(key)
    const left = freshUntil === undefined ? undefined : freshUntil - this.#view.engine.clock.now()
    if (left !== undefined && left <= 0) return
    const terms = left === undefined ? options : { ...options, ttl: left / 1_000, jitter: 0 }
    this.#held.set(address, this.#view.entryNow(value, terms))
  }

  drop(): void {
    this.#release()
  }

  async finish(): Promise<BatchResult> {
    try {
      if (!this.#overwrite) await this.#forgetFresh()
      return await this.#write()
    } finally {
      this.#release()
    }
  }

  async #forgetFresh(): Promise<void> {
    const { engine, policy } = this.#view
    const found = await readMany(engine, policy.schema, [...this.#held.keys()], this.#held.size)
    for (const [address, entry] of found) if (isFresh(engine, entry)) this.#held.delete(address)
  }

  /** If the store refuses them for a value that it cannot hold, one by one: the others are written all the same. */
  async #write(): Promise<BatchResult> {
    const entries = new Map(this.#held) // A write takes its keys out of whatever is held.
    try {
      return await this.#writeAll(entries)
    } catch {
      return await this.#writeOneByOne(entries)
    }
  }

  async #writeOneByOne(entries: Map<string, Entry>): Promise<BatchResult> {
    const { engine, prefix } = this.#view
    const release = engine.flights.hold(entries, 'write')
    const failures: WarmUpFailure[] = []
    let done = 0
    try {
      for (const [address, entry] of entries) {
        const written = await this.#writeAll(new Map([[address, entry]])).catch((error): BatchResult => {
          if (engine.life.isOver) throw error
          return { done: 0, failures: [{ key: address.slice(prefix.length), error }] }
        })
        done += written.done
        failures.push(...written.failures)
      }
    } finally {
      release()
    }
    return { done, failures }
  }

  async #writeAll(entries: ReadonlyMap<string, Entry>): Promise<BatchResult> {
    const { size } = entries
    if (size === 0) return { done: 0, failures: [] }
    const { status, error, failures } = await writeMany(this.#view, entries)
    if (!failures && status !== 'failed') return { done: size, failures: [] }
    const keys = [...entries.keys()].map(address => address.slice(this.#view.prefix.length))
    const failed = failures ?? new Map(keys.map(key => [key, error]))
    return { done: size - failed.size, failures: Array.from(failed, ([key, error]) => ({ key, error })) }
  }
}
