import { assertMetadata, toTags } from './arguments.ts'
import type { Awaitable } from './awaitable.ts'
import { type Duration, toMilliseconds } from './duration.ts'
import type { Entry, Metadata } from './entry.ts'
import { CacheError } from './errors.ts'
import type { Flight } from './flight.ts'
import { servable } from './freshness.ts'
import { negativeEntry } from './negative.ts'
import type { EntryTerms } from './policy.ts'
import type { Validator } from './schema.ts'
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

const KEPT = /* @__PURE__ */ Object.freeze({}) as Kept

/** What a loader returned, as it is to be stored and given. @throws CacheError `INVALID_VALUE` */
export function admitted(schema: Validator, result: unknown): Awaitable<unknown> {
  return result === undefined || result === KEPT ? result : schema.admit(result, 'what the loader gave')
}

/** What few runs of a loader have. */
interface Rare {
  stale?: Entry
  /** When it began by the clock of the cache, if it matters how long loads take. */
  before?: number
  ttl?: number
  tags?: readonly string[]
  metadata?: Metadata
  isSkipped?: boolean
  controller?: AbortController
  stop?: (reason: unknown) => void
}

/** One run of a loader. What the loader does not ask for is not made; what it keeps of this afterwards does not keep the flight. */
export class LoadRun implements LoadContext {
  readonly key: string
  /** As long as the loader runs. */
  #flight: Flight | undefined
  /** By `performance.now()`. */
  readonly #startedAt = performance.now()
  #rare: Rare | undefined = undefined

  constructor(flight: Flight, key: string) {
    this.key = key
    this.#flight = flight
    const { engine, policy } = flight
    const stale = servable(flight)
    if (stale) this.#aside.stale = stale
    if (policy.early) this.#aside.before = engine.clock.now()
  }

  get stale(): Entry | undefined {
    return this.#rare?.stale
  }

  get signal(): AbortSignal {
    this.#aside.controller ??= this.#listen()
    return this.#aside.controller.signal
  }

  get setTtl(): (ttl: Duration) => void {
    return ttl => {
      this.#aside.ttl = toMilliseconds(ttl, 'ttl', 'INVALID_TTL')
    }
  }

  get setTags(): (tags: readonly string[]) => void {
    return tags => {
      const said = toTags(tags)
      const flight = this.#flight
      if (!flight) return
      const merged = toTags([...(flight.policy.tags ?? []), ...said])
      if (merged.length === 0) return
      flight.engine.assertTagging()
      this.#aside.tags = merged
      flight.tags = merged
    }
  }

  get setMetadata(): (metadata: Metadata) => void {
    return metadata => {
      assertMetadata(metadata)
      this.#aside.metadata = metadata
    }
  }

  get skip(): () => void {
    return () => {
      this.#aside.isSkipped = true
    }
  }

  get keep(): () => Kept {
    return () => {
      this.#assertStale()
      return KEPT
    }
  }

  /** What it loads for; to be asked for before {@link end}. */
  get flight(): Flight {
    return this.#flight as Flight
  }

  /** By `performance.now()`. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** What is to become of what the loader returned. @throws CacheError `INVALID_VALUE` */
  outcomeOf(result: unknown): Loaded {
    const { engine, policy } = this.flight
    const { value, terms } = this.#given(result)
    const { before, isSkipped } = this.#rare ?? {}
    if (before !== undefined) policy.loadTime.note(engine.clock.now() - before)
    if (isSkipped) return { value }
    if (value !== undefined) return { value, entry: engine.entry(value, terms) }
    if (policy.negativeTtl === 0) return { value, isGone: true }
    return { value, entry: negativeEntry(engine, policy, terms.tags) }
  }

  /** The loader has ended: nothing is to be told to it any more. */
  end(): void {
    const stop = this.#rare?.stop
    if (stop) {
      this.flight.stop = undefined
      this.flight.engine.life.stops.delete(stop)
    }
    this.#flight = undefined
  }

  get #aside(): Rare {
    this.#rare ??= {}
    return this.#rare
  }

  #given(result: unknown): { readonly value: unknown; readonly terms: EntryTerms } {
    const { ttl, grace, jitter, tags } = this.flight.policy
    const said = this.#rare
    const terms = { ttl: said?.ttl ?? ttl, grace, jitter, tags: said?.tags ?? tags, metadata: said?.metadata }
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
    const flight = this.#flight
    if (!flight) return controller
    const { life } = flight.engine
    const stop = (reason: unknown): void => controller.abort(reason)
    this.#aside.stop = stop
    flight.stop = stop
    life.stops.add(stop)
    if (life.isOver) stop(life.error())
    else stopIfAbandoned(flight)
    return controller
  }
}
