/** Tags whose versions are known here. */
const MAX_TAGS = 10_000

/** What is known of a tag: everything or, while Redis is being asked, what was heard meanwhile. */
interface Known {
  /** Of its latest invalidation. */
  version: number
  complete: boolean
}

/** The versions of tags, as far as messages keep them true. */
export class KnownTags {
  readonly #tags = new Map<string, Known>()
  #connected = false

  /** Messages may have been missed. */
  gap(connected: boolean): void {
    this.#connected = connected
    this.#tags.clear()
  }

  /** They were invalidated. */
  note(tags: readonly string[], version: number): void {
    for (const tag of tags) {
      const known = this.#tags.get(tag)
      if (known) known.version = Math.max(known.version, version)
    }
  }

  /** Whether a stamp is earlier than the version of a tag; `undefined` if one is not known that it takes to tell. */
  isOutdated(tags: readonly string[], stamp: number): boolean | undefined {
    for (const tag of tags) {
      const known = this.#tags.get(tag)
      if (!known?.complete) return undefined
      if (stamp < known.version) return true
    }
    return false
  }

  /** Listens for tags that Redis is about to be asked for. */
  track(tags: readonly string[]): readonly Known[] {
    return tags.map(tag => {
      const known = this.#tags.get(tag) ?? { version: 0, complete: false }
      if (!this.#tags.has(tag)) this.#remember(tag, known)
      return known
    })
  }

  /** Redis answered. @param versions `undefined` for a tag without a marker: whoever writes the next entry makes one */
  settle(
    tags: readonly string[],
    tracked: readonly Known[],
    versions: readonly (number | undefined)[],
  ): void {
    for (const [index, tag] of tags.entries()) {
      const known = tracked[index]
      const version = versions[index]
      if (!known) continue
      if (version !== undefined) {
        known.version = Math.max(known.version, version)
        known.complete = true
      } else if (this.#tags.get(tag) === known) this.#tags.delete(tag)
    }
  }

  /** Nothing is kept that no message would update. */
  #remember(tag: string, known: Known): void {
    if (!this.#connected) return
    this.#tags.set(tag, known)
    if (this.#tags.size <= MAX_TAGS) return
    for (const oldest of this.#tags.keys()) {
      this.#tags.delete(oldest)
      return
    }
  }
}
