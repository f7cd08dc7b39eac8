import { attempt } from './attempt.ts'
import type { CacheError } from './errors.ts'
import type { TelemetryEvent } from './observer.ts'
import type { WriteStatus } from './outcome.ts'

type StoreEvent<T extends TelemetryEvent['type']> = Extract<TelemetryEvent, { readonly type: T }>

/** What `cache.on` can listen to. Keys are whole: with the prefix of their namespace. */
export interface CacheEvents {
  hit: { readonly key: string }
  miss: { readonly key: string }
  /** A read was given a value that is not fresh any more; it was told as a miss before. */
  stale: { readonly key: string }
  /**
   * What is stored does not match the schema, at these places: the names of fields, the numbers of items, and `…` for any other key.
   * It is read as if it were not there.
   */
  mismatch: { readonly key: string; readonly paths: readonly string[] }
  /** A loader succeeded, for this key. */
  load: { readonly key: string; readonly durationMs: number }
  /** A loader failed; its callers got the error, or a stale value where there is one. */
  loadError: { readonly key: string; readonly error: unknown }
  /** A loader ended that was to replace a value, ahead of its time or stale; it was told as a load or an error before. */
  refresh: { readonly key: string; readonly outcome: 'ok' | 'error'; readonly durationMs: number }
  set: { readonly key: string; readonly status: WriteStatus }
  delete: { readonly key: string; readonly status: WriteStatus }
  clear: { readonly scope: string; readonly status: WriteStatus }
  /** A key was written or removed, with `scope` all keys that begin with it, with `tags` all that have one, here or by a peer. */
  invalidated: { readonly key: string } | { readonly scope: string } | { readonly tags: readonly string[] }
  /** A store failed, and the caller was spared. */
  error: { readonly operation: string; readonly error: CacheError }
  /** A tiered store changed its state. */
  state: StoreEvent<'state'>
  /** Invalidations of peers may have been missed. */
  gap: StoreEvent<'gap'>
  /** A near tier was dropped. */
  flush: StoreEvent<'flush'>
  /** A tier removed an entry for want of room; told by stores in this process. */
  evict: { readonly key: string; readonly tier: string }
  /** A tier removed an entry because its time was up, which may be some time after that; told by stores in this process. */
  expire: { readonly key: string; readonly tier: string }
  /** The breaker before a remote opened, closed, or lets one call through to see. */
  breaker: StoreEvent<'breaker'>
  /** All that waited for a remote has been applied. */
  recovered: StoreEvent<'recovered'>
  /** More waits for a remote than is kept: everything there will be invalidated. */
  overflow: StoreEvent<'overflow'>
  /** The server of a remote may have lost what it had confirmed: that is invalidated again. */
  setback: StoreEvent<'setback'>
}

/** What stores tell that listeners of the cache are told as it is. */
const PASSED_ON = ['state', 'gap', 'flush', 'breaker', 'recovered', 'overflow', 'setback'] as const
type PassedOn = (typeof PASSED_ON)[number]

export function isPassedOn(event: TelemetryEvent): event is StoreEvent<PassedOn> {
  return (PASSED_ON as readonly string[]).includes(event.type)
}

type Listener<E> = (event: E) => void

/** A typed emitter whose listeners cannot break the emitter: what they throw is dropped. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>()

  on<K extends keyof Events>(type: K, listener: Listener<Events[K]>): () => void {
    const listeners = this.#listeners.get(type) ?? new Set()
    const registered: Listener<Events[K]> = event => listener(event) // One function may be registered twice.
    this.#listeners.set(type, listeners.add(registered))
    return () => {
      listeners.delete(registered)
      if (listeners.size === 0 && this.#listeners.get(type) === listeners) this.#listeners.delete(type)
    }
  }

  /** Whether anyone listens: ask before building an event on a hot path. */
  has(type: keyof Events): boolean {
    return this.#listeners.size !== 0 && this.#listeners.has(type)
  }

  emit<K extends keyof Events>(type: K, event: Events[K]): void {
    const listeners = this.#listeners.get(type)
    if (!listeners) return
    for (const listener of [...listeners]) attempt(() => (listener as Listener<Events[K]>)(event))
  }
}
