import type { Entry } from './entry.ts'
import { isFresh } from './freshness.ts'
import type { Policy } from './policy.ts'
import { readThroughMany } from './read-through-many.ts'
import { getOrSet } from './reads.ts'
import { readMany } from './validated-read.ts'
import type { View } from './view.ts'
import type { WarmUpBatch, WarmUpWork } from './warm.ts'
import type { WarmUpFailure, WarmUpLoader } from './warm-options.ts'
import type { BatchResult } from './warm-progress.ts'

/** Loads the values of the keys that a source gives, as reads would: shared with them, and under leases. */
export class LoadWork implements WarmUpWork<string> {
  readonly #view: View
  readonly #loader: WarmUpLoader<unknown>
  readonly #policy: Policy

  constructor(view: View, loader: WarmUpLoader<unknown>, policy: Policy) {
    this.#view = view
    this.#loader = loader
    this.#policy = policy
  }

  keyOf(item: unknown): string | undefined {
    return typeof item === 'string' ? item : undefined
  }

  begin(): WarmUpBatch<string> {
    return new LoadBatch(this.#view, this.#loader, this.#policy)
  }
}

class LoadBatch implements WarmUpBatch<string> {
  readonly #view: View
  readonly #loader: WarmUpLoader<unknown>
  readonly #policy: Policy
  /** Those to be loaded, by whole key. */
  readonly #keys = new Map<string, string>()

  constructor(view: View, loader: WarmUpLoader<unknown>, policy: Policy) {
    this.#view = view
    this.#loader = loader
    this.#policy = policy
  }

  add(key: string): void {
    this.#keys.set(this.#view.address(key), key)
  }

  drop(): void {}

  async finish(): Promise<BatchResult> {
    // Not by the read itself: what is fresh already is no hit of anybody's.
    for (const address of await this.#fresh()) this.#keys.delete(address)
    if (this.#keys.size === 0) return { done: 0, failures: [] }
    return this.#loader.load
      ? this.#loadOneByOne(this.#loader.load)
      : this.#loadTogether(this.#loader.loadMissing)
  }

  async #loadOneByOne(load: NonNullable<WarmUpLoader<unknown>['load']>): Promise<BatchResult> {
    const failures: WarmUpFailure[] = []
    let done = 0
    for (const key of this.#keys.values()) {
      try {
        const value = await getOrSet(this.#view, key, load, this.#policy)
        if (value !== undefined) done++
      } catch (error) {
        this.#throwIfOver()
        failures.push({ key, error })
      }
    }
    return { done, failures }
  }

  /** If some of them fail, the others are stored all the same: what is there then tells. */
  async #loadTogether(loadMissing: NonNullable<WarmUpLoader<unknown>['loadMissing']>): Promise<BatchResult> {
    try {
      const call = { addresses: this.#keys, loadMissing, policy: this.#policy, batchSize: this.#keys.size }
      const values = await readThroughMany(this.#view.engine, call)
      return { done: values.size, failures: [] }
    } catch (error) {
      this.#throwIfOver()
      const loaded = await this.#fresh()
      const failed = [...this.#keys].filter(([address]) => !loaded.has(address))
      return { done: loaded.size, failures: failed.map(([, key]) => ({ key, error })) }
    }
  }

  async #fresh(): Promise<ReadonlySet<string>> {
    const { engine, policy } = this.#view
    const found = await readMany(engine, policy.schema, [...this.#keys.keys()], this.#keys.size)
    const isNow = ([, entry]: readonly [string, Entry]): boolean => isFresh(engine, entry)
    return new Set([...found].filter(isNow).map(([address]) => address))
  }

  /** @throws CacheError `CLOSED`; the reason of the signal */
  #throwIfOver(): void {
    this.#policy.signal?.throwIfAborted()
    this.#view.engine.life.assertOpen()
  }
}
