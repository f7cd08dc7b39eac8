import type { Clock } from './clock.ts'
import { CacheError } from './errors.ts'
import type { FlightTable } from './single-flight.ts'

export interface LifetimeOptions {
  /** Of the cache. */
  readonly name: string
  readonly clock: Clock
  readonly flights: FlightTable
  /** How long closing waits for what is under way, in milliseconds. */
  readonly closeWait: number
  /** Gives back what the cache holds. */
  readonly release: () => Promise<void>
}

/** From open to closed: first no call is taken any more, then what is under way may end, then all is given back. */
export class Lifetime {
  /** What tells the loaders that run to stop. */
  readonly stops: Set<(reason: unknown) => void> = new Set()
  readonly #options: LifetimeOptions
  #state: 'open' | 'closing' | 'closed' = 'open'
  #closing: Promise<void> | undefined

  constructor(options: LifetimeOptions) {
    this.#options = options
  }

  /** `closing` while it waits for what is under way. */
  get state(): 'open' | 'closing' | 'closed' {
    return this.#state
  }

  /** Nothing that is under way may write any more. */
  get isOver(): boolean {
    return this.#state === 'closed'
  }

  /** @throws CacheError `CLOSED` */
  assertOpen(): void {
    if (this.#state !== 'open') throw this.error()
  }

  error(): CacheError {
    return new CacheError('CLOSED', `cache "${this.#options.name}" is closed`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { flights, closeWait, release } = this.#options
    this.#state = 'closing'
    if (flights.size > 0 && closeWait > 0) await this.#drain()
    this.#state = 'closed'
    for (const stop of this.stops) stop(this.error())
    await release()
  }

  /** Waits for what is under way, at most `closeWait`. */
  async #drain(): Promise<void> {
    const { clock, flights, closeWait } = this.#options
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = clock.setTimeout(resolve, closeWait)
    await Promise.race([flights.settled(), promise])
    clock.clearTimeout(timer)
  }
}
