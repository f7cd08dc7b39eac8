import type { Entry } from './entry.ts'
import type { TagLog } from './tag-log.ts'

/** Values of one call that are being validated. */
interface Pending {
  /** Those that nothing has removed since the call. */
  readonly addresses: Set<string>
  /** When the call was made, in the order of the tags. */
  readonly since: number
  /** Resolves when its entries were handed to the store, or refused. */
  readonly started: Promise<void>
}

/**
 * Writes whose values a schema takes its time to validate. They take effect in the order of the calls all the same: one
 * behind the other for a key, and not at all if the key or a tag was removed meanwhile, which does not wait for them.
 */
export class PendingSets {
  readonly #tags: TagLog
  readonly #pending = new Set<Pending>()

  constructor(tags: TagLog) {
    this.#tags = tags
  }

  /** Whether a write of these keys may be made at once. */
  areFree(addresses: readonly string[]): boolean {
    return this.#pending.size === 0 || !this.#ahead(addresses).length
  }

  /**
   * Calls `write` with those entries that still count, once they are there and earlier writes of their keys have started.
   *
   * @returns what it returns; rejects with what `entries` rejects with, and lets the others by
   */
  async take<T>(
    addresses: readonly string[],
    entries: Promise<ReadonlyMap<string, Entry>>,
    write: (entries: ReadonlyMap<string, Entry>) => Promise<T>,
  ): Promise<T> {
    const ahead = Promise.all(this.#ahead(addresses).map(({ started }) => started))
    const { promise: started, resolve } = Promise.withResolvers<void>()
    const pending = { addresses: new Set(addresses), since: this.#tags.now, started }
    this.#pending.add(pending)
    try {
      const made = await entries
      await ahead
      const isLeft = ([address, { tags }]: readonly [string, Entry]): boolean =>
        pending.addresses.has(address) && !this.#tags.isOutdated(tags, pending.since)
      return write(new Map([...made].filter(isLeft))) // Not awaited: its place among the others is given.
    } finally {
      await ahead // Also of one that was refused: who comes behind it comes behind those ahead as well.
      this.#pending.delete(pending)
      resolve()
    }
  }

  /** A key was removed. */
  outdate(address: string): void {
    for (const { addresses } of this.#pending) addresses.delete(address)
  }

  /** Every key that begins with `scope` was removed. */
  outdateScope(scope: string): void {
    for (const { addresses } of this.#pending) {
      for (const address of addresses) if (address.startsWith(scope)) addresses.delete(address)
    }
  }

  #ahead(addresses: readonly string[]): Pending[] {
    return [...this.#pending].filter(pending => addresses.some(address => pending.addresses.has(address)))
  }
}
