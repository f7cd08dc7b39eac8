import type { Connection } from './connection.ts'

interface Path {
  readonly connection: Connection
  writes: number
}

/**
 * Keeps the writes of a key in order, whatever lane they would take: as long as one is not answered, those after it
 * travel on the same connection, behind it. A write counts until Redis answered it or its connection was lost, not
 * until its caller's deadline: it may still be executed after that.
 */
export class WriteOrder {
  readonly #paths = new Map<string, Path>()

  /** The connection that a write of the key has to take; `undefined` if any will do. */
  connectionOf(key: string): Connection | undefined {
    return this.#paths.get(key)?.connection
  }

  /** Writes of these keys set out. @returns to be called when they were answered, or never will be */
  begin(keys: readonly string[], connection: Connection): () => void {
    for (const key of keys) {
      const path = this.#paths.get(key)
      if (path) path.writes++
      else this.#paths.set(key, { connection, writes: 1 })
    }
    return () => {
      for (const key of keys) this.#end(key)
    }
  }

  #end(key: string): void {
    const path = this.#paths.get(key) as Path
    if (--path.writes === 0) this.#paths.delete(key)
  }
}
