import type { JournalBatch } from './journal.ts'

/** Names (keys, tags, scopes) that are remembered. */
const MAX_NAMES = 10_000
/** Marks that are remembered: as many seconds in which something was confirmed. */
const MAX_MARKS = 600

interface Mark {
  readonly mark: number
  /** What came before this is in the server where the mark is. */
  readonly upTo: number
}

/**
 * The latest invalidations that the remote confirmed, of this process and of those it heard: to be sent again if the
 * server turns out to have lost them. Bounded: what is older is forgotten, and that it was is not.
 */
export class Ring {
  readonly #invalidations = new Map<number, JournalBatch>()
  #names = 0
  #next = 0
  #marks: Mark[] = []

  /** The number of the next invalidation. */
  get next(): number {
    return this.#next
  }

  add(invalidation: JournalBatch): void {
    this.#invalidations.set(this.#next++, invalidation)
    this.#names += namesIn(invalidation)
    for (const [number, oldest] of this.#invalidations) {
      if (this.#names <= MAX_NAMES) return
      this.#invalidations.delete(number)
      this.#names -= namesIn(oldest)
    }
  }

  /** The server has all that came before `upTo`, as long as it has the mark. */
  mark(mark: number, upTo: number): void {
    this.#marks.push({ mark, upTo })
    if (this.#marks.length > MAX_MARKS) this.#marks.shift()
  }

  /**
   * What a server may have lost.
   *
   * @param survived the latest mark it has; `undefined` if that cannot be told: then all that is remembered
   * @returns `undefined` if more than is remembered
   */
  lostSince(survived: number | undefined): readonly JournalBatch[] | undefined {
    if (survived === undefined) return [...this.#invalidations.values()]
    const known = this.#marks.findLast(({ mark }) => mark <= survived)
    if (!known || known.upTo < this.#next - this.#invalidations.size) return undefined
    return [...this.#invalidations].flatMap(([number, lost]) => (number >= known.upTo ? [lost] : []))
  }

  /** Begins anew, with another server. */
  clear(): void {
    this.#invalidations.clear()
    this.#names = 0
    this.#marks = []
  }
}

function namesIn(invalidation: JournalBatch): number {
  if ('keys' in invalidation) return invalidation.keys.length
  return 'tags' in invalidation ? invalidation.tags.length : 1
}
