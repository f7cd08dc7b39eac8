import type { Connection } from './connection.ts'

type Path = Pick<Connection, 'alive'>

interface Journey<P> {
  readonly path: P
  writes: number
}

/**
 * Keeps the writes of a key in order, whatever lane they would take: as long as one is not answered, those after it
 * travel on the same connection, behind it. A write counts until Redis answered it, not until its caller's deadline: it
 * may still be executed after that. If its connection was lost instead, it counts until that connection is made anew: by
 * another one, a later write could overtake what Redis had received and not yet read.
 */
export class WriteOrder<P extends Path = Connection> {
  readonly #journeys = new Map<string, Journey<P>>()
  /** Keys whose writes were not answered when their connection was lost. */
  readonly #lost = new Map<P, string[]>()

  /** The connection that a write of the key has to take; `undefined` if any will do. */
  connectionOf(key: string): P | undefined {
    if (this.#lost.size > 0) this.#forgetRestored()
    return this.#journeys.get(key)?.path
  }

  /** Writes of these keys set out. @returns to be called, with whether they were sent, when no answer is owed any more */
  begin(keys: readonly string[], path: P): (sent: boolean) => void {
    for (const key of keys) {
      const journey = this.#journeys.get(key)
      if (journey) journey.writes++
      else this.#journeys.set(key, { path, writes: 1 })
    }
    return sent => {
      for (const key of keys) this.#end(key, sent)
    }
  }

  #end(key: string, sent: boolean): void {
    const journey = this.#journeys.get(key) as Journey<P>
    const { path, writes } = journey
    const lost = this.#lost.get(path)
    if (!sent || writes > 1 || path.alive) this.#release(key, journey)
    else if (lost) lost.push(key)
    else this.#lost.set(path, [key])
  }

  #release(key: string, journey: Journey<P>): void {
    if (--journey.writes === 0) this.#journeys.delete(key)
  }

  #forgetRestored(): void {
    for (const [path, keys] of this.#lost) {
      if (!path.alive) continue
      this.#lost.delete(path)
      for (const key of keys) this.#release(key, this.#journeys.get(key) as Journey<P>)
    }
  }
}
