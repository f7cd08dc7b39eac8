/** Tags remembered one by one. */
const MAX_TAGS = 10_000

/**
 * Which tags were invalidated, and when, in the order of this process: a number that grows with every invalidation.
 * Bounded: of the tags it had to forget, it knows the latest time at which one of them was invalidated, and takes every tag
 * it does not know for one of these.
 */
export class TagLog {
  readonly #maxTags: number
  /** The longest unchanged first. */
  readonly #tags = new Map<string, number>()
  #forgotten = 0
  #now = 0

  constructor(maxTags: number = MAX_TAGS) {
    this.#maxTags = maxTags
  }

  /** The number of the latest invalidation. */
  get now(): number {
    return this.#now
  }

  invalidate(tags: Iterable<string>): void {
    this.#now++
    for (const tag of tags) {
      this.#tags.delete(tag)
      this.#tags.set(tag, this.#now)
    }
    for (const [tag, at] of this.#tags) {
      if (this.#tags.size <= this.#maxTags) return
      this.#tags.delete(tag)
      this.#forgotten = at
    }
  }

  /** Whether one of these tags was, or may have been, invalidated after `since`. */
  isOutdated(tags: readonly string[] | undefined, since: number): boolean {
    if (tags === undefined || since === this.#now) return false
    return tags.some(tag => since < (this.#tags.get(tag) ?? this.#forgotten))
  }
}
