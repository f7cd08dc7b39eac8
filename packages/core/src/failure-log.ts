import type { Clock } from './clock.ts'

/** Errors remembered at a time. */
const MAX_FAILURES = 10_000

/** Why a key could not be loaded. */
interface Failure {
  readonly error: unknown
  /** Epoch milliseconds. */
  readonly until: number
}

/** The errors of loaders, by key, each for a while. Bounded: the oldest is forgotten first. */
export class FailureLog {
  readonly #failures = new Map<string, Failure>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  remember(key: string, error: unknown, ttl: number): void {
    this.#failures.delete(key)
    this.#failures.set(key, { error, until: this.#clock.now() + ttl })
    if (this.#failures.size <= MAX_FAILURES) return
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest)
      return
    }
  }

  get(key: string): Failure | undefined {
    const failure = this.#failures.get(key)
    if (!failure || failure.until > this.#clock.now()) return failure
    this.#failures.delete(key)
    return undefined
  }

  keys(): Iterable<string> {
    return this.#failures.keys()
  }

  delete(key: string): boolean {
    return this.#failures.delete(key)
  }
}
