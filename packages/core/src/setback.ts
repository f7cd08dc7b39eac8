/** A server came back, or another one took its place, perhaps without the last that had been confirmed. */
export interface Setback {
  readonly reason: string
  /**
   * The latest {@link Marking.mark} that is still there, 0 if none is; `undefined` if the store cannot tell. Rejects if the
   * server does not answer.
   */
  readonly survived: Promise<number | undefined>
}

/**
 * Optional: for a store whose server can lose what it had confirmed: restarted from a snapshot, or stood in for by a
 * replica that was behind. What was invalidated and got lost with it has to be invalidated again.
 */
export interface Marking {
  /** Leaves a mark in the server, later than every one before. All that it confirmed until now is there where the mark is. */
  mark(): Promise<number>
  /**
   * @param listener called before anything is read from the server that may have been set back
   * @returns a function that ends it
   */
  onSetback(listener: (setback: Setback) => void): () => void
}

export function isMarking<S extends object>(store: S): store is S & Marking {
  const { mark, onSetback } = store as Partial<Marking>
  return typeof mark === 'function' && typeof onSetback === 'function'
}
