import { attempt } from './attempt.ts'
import type { CacheError } from './errors.ts'
import type { CacheStats } from './stats.ts'
import type { StoreHealth, TierState } from './store.ts'

/**
 * What happens away from the hot path. Hits and misses are not events but counters ({@link CacheSource.stats}):
 * a near hit tells nobody.
 */
export type TelemetryEvent =
  /** A call to a remote ended. */
  | {
      readonly type: 'remote'
      readonly store: string
      readonly operation: StoreOperation
      readonly outcome: 'ok' | 'timeout' | 'error'
      readonly durationMs: number
      /** Of a batch: how many keys it was about. */
      readonly keys?: number
    }
  /** A peer's invalidation arrived, so many milliseconds after it was sent by the peer's clock. */
  | { readonly type: 'invalidation'; readonly store: string; readonly lagMs: number }
  /** A loader ended. */
  | { readonly type: 'load'; readonly outcome: 'ok' | 'error'; readonly durationMs: number }
  /** A loader ended that was to replace values that were stored still; it was told as a load before. */
  | { readonly type: 'refresh'; readonly outcome: 'ok' | 'error'; readonly keys: number }
  /** Something failed: told once, by the layer that spared the caller an exception for it. */
  | {
      readonly type: 'error'
      readonly store: string
      readonly operation: StoreOperation
      readonly error: CacheError
    }
  /** A tiered store changed its state. */
  | { readonly type: 'state'; readonly store: string; readonly state: TierState }
  /** The breaker in front of a remote opened, closed, or lets one call through to see. */
  | { readonly type: 'breaker'; readonly store: string; readonly state: 'closed' | 'open' | 'half-open' }
  /** Invalidations may have been missed. */
  | { readonly type: 'gap'; readonly store: string; readonly reason: string }
  /** The near tier was dropped. */
  | { readonly type: 'flush'; readonly store: string }
  /** The server of a remote may have lost what it had confirmed: that is invalidated again. */
  | { readonly type: 'setback'; readonly store: string; readonly reason: string }
  /** More waits for the remote than the journal holds: everything there will be invalidated. */
  | { readonly type: 'overflow'; readonly store: string }
  /** All that waited for the remote has been applied. */
  | {
      readonly type: 'recovered'
      readonly store: string
      readonly invalidations: number
      readonly durationMs: number
    }

export type StoreOperation =
  | 'get'
  | 'set'
  | 'delete'
  | 'touch'
  | 'renew'
  | 'release'
  | 'clear'
  | 'invalidateTags'
  | 'getMany'
  | 'setMany'
  | 'deleteMany'
  | 'publish'
  /** Learning what was invalidated while nobody listened. */
  | 'sync'
  /** Keeping what waits for the remote in a file. */
  | 'journal'
  | 'connect'
  | 'close'

/** A cache as telemetry sees it: numbers to read whenever they are wanted. */
export interface CacheSource {
  readonly name: string
  stats(): CacheStats
  /** `undefined` when no tier can be away. */
  health(): StoreHealth | undefined
}

/** Where telemetry goes. Both methods are optional; neither can break a cache by throwing. */
export interface Observer {
  /**
   * A cache starts to be watched.
   *
   * @returns a function called when it closes
   */
  attach?(source: CacheSource): () => void
  /** @param source the cache that it happened in; not there when a store tells it by itself */
  event?(event: TelemetryEvent, source?: CacheSource): void
}

/** An observer that may throw, made one that cannot: telemetry never breaks what it watches. */
export function guarded(observer: Observer | undefined): Required<Observer> {
  return {
    attach(source) {
      const detach = attempt(() => observer?.attach?.(source))
      return () => attempt(() => detach?.())
    },
    event(event, source) {
      attempt(() => observer?.event?.(event, source))
    },
  }
}

/** Several observers as one: stores can be shared by caches, each with its own. */
export class ObserverSet implements Observer {
  readonly #observers = new Set<Observer>()

  add(observer: Observer): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  event(event: TelemetryEvent): void {
    for (const observer of this.#observers) observer.event?.(event)
  }
}
