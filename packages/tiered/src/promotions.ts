import { type Entry, TagLog } from '@cache/core'

/** A read of the remote under way, whose answer may be kept near unless something came in between. */
export interface Placeholder {
  valid: boolean
  readers: number
  /** When it was asked for, in the order of {@link Promotions.tags}. */
  readonly since: number
}

/**
 * Keeps old values out of the near tier. An answer of the remote tells what was there when it was asked; by the
 * time it arrives the key may have been written here or by a peer, and messages overtake replies. So a read
 * leaves a placeholder, every write and message spoils the placeholders it touches, and only an answer whose
 * placeholder is still valid is kept near.
 */
export class Promotions {
  readonly #reads = new Map<string, Placeholder>()
  readonly #writes = new Map<string, number>()
  readonly #clears: string[] = []
  /** The tags invalidated here or by a peer. */
  readonly tags: TagLog = new TagLog()

  startRead(key: string): Placeholder {
    let placeholder = this.#reads.get(key)
    if (!placeholder) {
      placeholder = { valid: !this.#isBeingWritten(key), readers: 0, since: this.tags.now }
      this.#reads.set(key, placeholder)
    }
    placeholder.readers++
    return placeholder
  }

  /** Whether what was read may be kept: neither its key nor one of its tags was invalidated since. */
  mayKeep({ valid, since }: Placeholder, { tags }: Entry): boolean {
    return valid && !this.tags.isOutdated(tags, since)
  }

  endRead(key: string, placeholder: Placeholder): void {
    placeholder.readers--
    if (placeholder.readers === 0 && this.#reads.get(key) === placeholder) this.#reads.delete(key)
  }

  /** From here to {@link endWrite} no answer for the key may be kept: it may be from before or after the write. */
  startWrite(key: string): void {
    this.invalidate(key)
    this.#writes.set(key, (this.#writes.get(key) ?? 0) + 1)
  }

  endWrite(key: string): void {
    this.invalidate(key)
    const writers = (this.#writes.get(key) ?? 0) - 1
    if (writers > 0) this.#writes.set(key, writers)
    else this.#writes.delete(key)
  }

  startClear(scope: string): void {
    this.invalidateScope(scope)
    this.#clears.push(scope)
  }

  endClear(scope: string): void {
    this.invalidateScope(scope)
    this.#clears.splice(this.#clears.indexOf(scope), 1)
  }

  invalidate(key: string): void {
    const placeholder = this.#reads.get(key)
    if (!placeholder) return
    placeholder.valid = false
    this.#reads.delete(key)
  }

  invalidateScope(scope: string): void {
    for (const key of this.#reads.keys()) if (key.startsWith(scope)) this.invalidate(key)
  }

  #isBeingWritten(key: string): boolean {
    return this.#writes.has(key) || this.#clears.some(scope => key.startsWith(scope))
  }
}
