/** A value as stores keep it: whole, with its times. All times are milliseconds since the Unix epoch. */
export interface Entry<V = unknown> {
  readonly value: V
  /** When the value was written or loaded. */
  readonly createdAt: number
  /** Until when the value is served without question. */
  readonly freshUntil: number
  /** When the value ceases to exist; a store never returns an entry at or after this time. */
  readonly expiresAt: number
  readonly tags?: readonly string[]
  /** Whatever the writer wanted to keep beside the value; it must survive the store's serializer. */
  readonly metadata?: Metadata
  /**
   * The place of the value in the server's order of invalidations: one that comes later outdates it. Taken when its load
   * began, by a store that shares invalidations; meaningless to others.
   */
  readonly stamp?: number
}

/** A plain object of the caller's, kept beside a value. */
export type Metadata = Readonly<Record<string, unknown>>

/** Whether an entry is served without question at `now`. What has no grace is never stale: it is there, or it is not. */
export function isFreshAt({ freshUntil, expiresAt }: Entry, now: number): boolean {
  return freshUntil > now || freshUntil >= expiresAt
}

/** Whether an entry no longer exists at `now`. */
export function isExpired(entry: Entry, now: number): boolean {
  return entry.expiresAt <= now
}
