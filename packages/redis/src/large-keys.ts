import { isLarge } from './lanes.ts'

const MAX_KEYS = 10_000

/** Which keys hold large values, as far as they were read or written here lately: at most 10,000 of them. */
export class LargeKeys {
  /** Sizes in bytes, the longest known first. */
  readonly #sizes = new Map<string, number>()

  /** How many bytes a key holds if that is many; 0 for any other. */
  sizeOf(key: string): number {
    return this.#sizes.get(key) ?? 0
  }

  /** Whether there is none, as nearly always: then nobody has to ask for each key of a batch. */
  get none(): boolean {
    return this.#sizes.size === 0
  }

  note(key: string, bytes: number): void {
    if (isLarge(bytes)) {
      this.#sizes.delete(key)
      this.#sizes.set(key, bytes)
      if (this.#sizes.size > MAX_KEYS) this.#sizes.delete(this.#sizes.keys().next().value as string)
    } else if (this.#sizes.size > 0) {
      this.#sizes.delete(key)
    }
  }
}
