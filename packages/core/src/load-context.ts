import { assertMetadata, toTags } from './arguments.ts'
import type { Awaitable } from './awaitable.ts'
import { type Duration, toMilliseconds } from './duration.ts'
import type { Engine } from './engine.ts'
import type { Entry, Metadata } from './entry.ts'
import { CacheError } from './errors.ts'
import { servable } from './freshness.ts'
import { negativeEntry } from './negative.ts'
import type { EntryTerms, Policy } from './policy.ts'
import type { Validator } from './schema.ts'
import type { Flight } from './single-flight.ts'
import { stopIfAbandoned } from './waiter.ts'

declare const kept: unique symbol

/** What {@link LoadContext.keep} gives, for a loader to return. */
export interface Kept {
  readonly [kept]: true
}

/**
 * What a loader is told, and what it can say of the value it returns. It can be taken apart: `({ key, setTtl }) => …`.
 *
 * @typeParam V what the cache holds
 */
export interface LoadContext<V = unknown> {
  /** The key as the caller gave it, without the prefix of a namespace. */
  readonly key: string
  /** Aborted when nobody waits for the load any more, because all called it off, and when the cache closes. */
  readonly signal: AbortSignal
  /** What is stored still and is to be replaced, fresh or stale, with its times and metadata. */
  readonly stale: Entry<V> | undefined
  /** How long the value is to live, instead of the ttl of the call. @throws CacheError `INVALID_TTL` */
  readonly setTtl: (ttl: Duration) => void
  /** Tags of the value, beside those of the call. @throws CacheError `INVALID_OPTION` */
  readonly setTags: (tags: readonly string[]) => void
  /** A plain object to keep beside the value. @throws CacheError `INVALID_VALUE` */
  readonly setMetadata: (metadata: Metadata) => void
  /** The value is given to those who wait and not stored; what is stored stays. */
  readonly skip: () => void
  /**
   * Says that {@link stale} has not changed: `return keep()` stores it for another ttl, with its tags and metadata unless the
   * loader sets others.
   *
   * @throws CacheError `INVALID_VALUE` if there is none
   */
  readonly keep: () => Kept
}

/**
 * Gets the value of a key from where it really lives. `undefined` means not found.
 *
 * @typeParam T what it gives
 * @typeParam V what the cache holds
 */
export type Loader<T, V = unknown> = (context: LoadContext<V>) => T | Kept | Promise<T | Kept>

/** What came of a load. */
export interface Loaded {
  readonly value: unknown
  /** What is to be stored: nothing if the loader said so, or found nothing. */
  readonly entry?: Entry
  /** It found nothing, and that is not to be remembered: what is stored is to go. */
  readonly isGone?: boolean
}

/** What a load is for: the name of its key, and how its value is to live. */
interface Order {
  readonly address: string
  readonly key: string
  readonly policy: Policy
}

const KEPT = Object.freeze({}) as Kept

/** What a loader returned, as it is to be stored and given. @throws CacheError `INVALID_VALUE` */
export function admitted(schema: Validator, result: unknown): Awaitable<unknown> {
  return result === undefined || result === KEPT ? result : schema.admit(result, 'what the loader gave')
}

/** One run of a loader. What the loader does not ask for is not made. */
export class LoadRun implements LoadContext {
  readonly key: string
  readonly stale: Entry | undefined
  readonly #engine: Engine
  readonly #order: Order
  readonly #flight: Flight
  #controller: AbortController | undefined
  #stop: ((reason: unknown) => void) | undefined
  #hasEnded = false
  #ttl: number | undefined
  #tags: readonly string[] | undefined
  #metadata: Metadata | undefined
  #isSkipped = false

  constructor(engine: Engine, order: Order, flight: Flight) {
    this.key = order.key
    this.stale = servable(engine, flight)
    this.#engine = engine
    this.#order = order
    this.#flight = flight
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#listen()
    return this.#controller.signal
  }

  get setTtl(): (ttl: Duration) => void {
    return ttl => {
      this.#ttl = toMilliseconds(ttl, 'ttl', 'INVALID_TTL')
    }
  }

  get setTags(): (tags: readonly string[]) => void {
    return tags => {
      const merged = toTags([...(this.#order.policy.tags ?? []), ...toTags(tags)])
      if (merged.length === 0) return
      this.#engine.assertTagging()
      this.#tags = merged
      this.#flight.tags = merged
    }
  }

  get setMetadata(): (metadata: Metadata) => void {
    return metadata => {
      assertMetadata(metadata)
      this.#metadata = metadata
    }
  }

  get skip(): () => void {
    return () => {
      this.#isSkipped = true
    }
  }

  get keep(): () => Kept {
    return () => {
      this.#assertStale()
      return KEPT
    }
  }

  /** What is to become of what the loader returned. */
  outcomeOf(result: unknown): Loaded {
    const { value, terms } = this.#given(result)
    if (this.#isSkipped) return { value }
    if (value !== undefined) return { value, entry: this.#engine.entry(value, terms) }
    const { policy } = this.#order
    if (policy.negativeTtl === 0) return { value, isGone: true }
    return { value, entry: negativeEntry(this.#engine, policy, terms.tags) }
  }

  /** The loader has ended: nothing is to be told to it any more. */
  end(): void {
    this.#hasEnded = true
    if (!this.#stop) return
    this.#flight.stop = undefined
    this.#engine.life.stops.delete(this.#stop)
  }

  #given(result: unknown): { readonly value: unknown; readonly terms: EntryTerms } {
    const { ttl, grace, jitter, tags } = this.#order.policy
    const terms = { ttl: this.#ttl ?? ttl, grace, jitter, tags: this.#tags ?? tags, metadata: this.#metadata }
    if (result !== KEPT) return { value: result, terms }
    const stale = this.#assertStale()
    const { tags: staleTags, metadata } = stale
    return {
      value: stale.value,
      terms: { ...terms, tags: terms.tags ?? staleTags, metadata: terms.metadata ?? metadata },
    }
  }

  #assertStale(): Entry {
    if (this.stale) return this.stale
    throw new CacheError('INVALID_VALUE', 'keep() needs a stale value; look at `stale` before')
  }

  #listen(): AbortController {
    const controller = new AbortController()
    if (this.#hasEnded) return controller
    this.#stop = reason => controller.abort(reason)
    this.#flight.stop = this.#stop
    this.#engine.life.stops.add(this.#stop)
    if (this.#engine.life.isOver) this.#stop(this.#engine.life.error())
    else stopIfAbandoned(this.#engine, this.#order.address, this.#flight)
    return controller
  }
}
