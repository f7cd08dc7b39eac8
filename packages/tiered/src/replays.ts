import { type Entry, type FillOutcome, failed, type Replacing, toCacheError } from '@cache/core'

/** Writes an entry in the place of another one, within a deadline. */
type Replace = (...call: Parameters<Replacing['replace']>) => Promise<FillOutcome>

interface Replay {
  readonly entry: Entry
  /** What the remote had. */
  readonly before: Entry
}

/**
 * Values that the remote did not take, to be written back when it is there again, if it still has what it had before. In
 * every other case somebody may know better, and the key is invalidated.
 */
export class Replays {
  readonly #replace: Replace
  /** By key; `undefined` where nothing can be written back. */
  readonly #replays = new Map<string, Replay | undefined>()

  constructor(replace: Replace) {
    this.#replace = replace
  }

  /** @param before what the remote had when the first value was not taken, as far as that is known */
  add(key: string, entry: Entry, before: Entry | undefined): void {
    const first = this.#replays.has(key) ? this.#replays.get(key)?.before : before
    this.#replays.set(key, first && { entry, before: first })
  }

  /** Whatever was to be written back no longer is. */
  bar(key: string): void {
    this.#replays.set(key, undefined)
  }

  clear(): void {
    this.#replays.clear()
  }

  /** @returns the keys that have to be invalidated; `undefined` if the remote was not reached, and all has to be tried again */
  async apply(keys: readonly string[]): Promise<string[] | undefined> {
    const results = await Promise.all(keys.map(key => this.#writeBack(key)))
    if (results.includes('unreached')) return undefined
    return keys.filter((_key, index) => results[index] === 'refused')
  }

  /** May be tried again: what was written back already is not what the remote had before. */
  async #writeBack(key: string): Promise<'written' | 'refused' | 'unreached'> {
    const replay = this.#replays.get(key)
    if (!replay) return 'refused'
    const { status, error } = await this.#attempt(key, replay)
    if (error?.code === 'UNAVAILABLE' || error?.code === 'TIMEOUT') return 'unreached'
    this.bar(key)
    return status === 'applied' ? 'written' : 'refused'
  }

  async #attempt(key: string, { entry, before }: Replay): Promise<FillOutcome> {
    try {
      return await this.#replace(key, entry, before)
    } catch (thrown) {
      return failed(toCacheError(thrown, 'STORE', 'the value could not be written back'))
    }
  }
}
