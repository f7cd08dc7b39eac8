import { CacheError } from '@cache/core'
import type { Command } from './connection.ts'

/**
 * Lets the writes of a key to a cluster go one at a time, each when the one before it was answered or never will be.
 * Behind each other on one connection they would not keep their order: one that is redirected is sent anew, and what is
 * written meanwhile goes to the new master directly.
 */
export class ClusterTurns {
  /** By key, until when its latest write is unanswered. */
  readonly #unanswered = new Map<string, Promise<void>>()

  /** Whether a write of this key could be sent at once. */
  isFree(key: string): boolean {
    return !this.#unanswered.has(key)
  }

  /**
   * @param ms after so long the write is not sent any more: nobody waits for it
   * @returns the command, made to wait for its turn, and what is to be called when no answer is owed any more
   */
  take<T>(
    keys: readonly string[],
    ms: number,
    command: Command<T>,
  ): { readonly command: Command<T>; readonly settled: () => void } {
    const ahead = keys.flatMap(key => this.#unanswered.get(key) ?? [])
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const key of keys) this.#unanswered.set(key, promise)
    const settled = (): void => {
      for (const key of keys) if (this.#unanswered.get(key) === promise) this.#unanswered.delete(key)
      resolve()
    }
    if (ahead.length === 0) return { command, settled }
    const since = performance.now()
    const late = async (client: Parameters<Command<T>>[0]): Promise<T> => {
      await Promise.all(ahead)
      if (performance.now() - since < ms) return command(client)
      throw new CacheError('UNAVAILABLE', 'an earlier write of the key was not answered in time')
    }
    return { command: late, settled }
  }
}
