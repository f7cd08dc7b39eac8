import type { Awaitable } from './awaitable.ts'
import type { WriteOutcome } from './outcome.ts'

/** What was invalidated: some keys, every key that begins with a scope (all of them without one), or every entry with a tag. */
export type Invalidation =
  | { readonly type: 'keys'; readonly keys: readonly string[] }
  | { readonly type: 'tags'; readonly tags: readonly string[] }
  | { readonly type: 'clear'; readonly scope?: string }

/** An invalidation as it arrives, with the id of the bus it was published on. */
export type InvalidationMessage = Invalidation & { readonly source: string }

/**
 * The stream of invalidations between processes. Delivery is at most once, so a bus must also tell when it
 * may have missed something: every doubt is a gap.
 */
export interface InvalidationBus {
  /** Unique per bus: the `source` of what it publishes, so that a listener knows its own messages. */
  readonly id: string
  /** Whether messages are arriving now; turns `false` before and `true` after the matching gap is reported. */
  readonly connected: boolean
  publish(invalidation: Invalidation): Awaitable<WriteOutcome>
  /** @returns a function that ends the subscription */
  subscribe(listener: (message: InvalidationMessage) => void): () => void
  /**
   * Calls back whenever messages may have been missed: once when the stream breaks, and once when it is back,
   * before any message that follows.
   *
   * @returns a function that ends the subscription
   */
  onGap(listener: (gap: Gap) => void): () => void
  close(): Awaitable<void>
}

/** Why messages may have been missed, and whether they arrive again. */
export interface Gap {
  readonly connected: boolean
  readonly reason: string
}
