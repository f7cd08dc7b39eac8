import type { Marking, Setback } from '@cache/core'
import type { Keyspace } from './keyspace.ts'
import type { Pool } from './pool.ts'
import type { RedisLike } from './redis-like.ts'
import { MARK } from './scripts/mark-script.ts'
import { isVersion } from './version.ts'

export interface MarksOptions {
  readonly pool: Pick<Pool, 'run' | 'forRead'>
  readonly keys: Keyspace
  readonly writeMs: number
}

/**
 * Notices that another server answers, or the same one after a restart: it may have less than was confirmed, as after the
 * restart from a snapshot or the failover to a replica that was behind. How much less, the mark tells that is left
 * there from time to time: the server's clock at that time.
 */
export class Marks implements Marking {
  readonly #options: MarksOptions
  readonly #listeners = new Set<(setback: Setback) => void>()
  #runId: string | undefined

  constructor(options: MarksOptions) {
    this.#options = options
  }

  async mark(): Promise<number> {
    const { pool, keys, writeMs } = this.#options
    return Number(
      await pool.run('sync', pool.forRead(), writeMs, client => MARK.run(client, [keys.mark], [])),
    )
  }

  onSetback(listener: (setback: Setback) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A connection stands, and nothing was asked on it yet. */
  met(runId: string, client: RedisLike): void {
    const before = this.#runId
    this.#runId = runId
    if (before === undefined || before === runId) return
    this.#tell({ reason: 'another server answers, or the same began anew', survived: this.#left(client) })
  }

  /** A part of a cluster has another master, or one that began anew: the mark is on one of them, and tells nothing of the others. */
  metPart(): void {
    this.#tell({ reason: 'part of the cluster has another master', survived: Promise.resolve(undefined) })
  }

  /** @returns the mark there, 0 for none */
  async #left(client: RedisLike): Promise<number> {
    const mark = Number(await client.getBuffer(this.#options.keys.mark))
    return isVersion(mark) ? mark : 0
  }

  #tell(setback: Setback): void {
    setback.survived.catch(() => {}) // Perhaps nobody listens.
    for (const listener of this.#listeners) listener(setback)
  }
}
