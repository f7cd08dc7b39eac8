import type { Clock, Invalidation } from '@cache/core'
import { encodeKey, encodeMessage, openingOf } from './message.ts'

/** Who announces what is written: puts its id and the time on every message, and counts them. */
export class Sender {
  /** The `source` of its messages. */
  readonly id: string
  readonly #clock: Clock
  /** What its messages about keys begin with. */
  readonly #opening: string
  #sent = 0

  constructor(id: string, clock: Clock) {
    this.id = id
    this.#clock = clock
    this.#opening = openingOf(id)
  }

  /** How many messages were sent, or tried to. */
  get sent(): number {
    return this.#sent
  }

  message(invalidation: Invalidation): string {
    this.#sent++
    return encodeMessage(this.id, invalidation, this.#clock.now())
  }

  /** One about one key: the most frequent by far. */
  keyMessage(key: string): string {
    this.#sent++
    return encodeKey(this.#opening, key, this.#clock.now())
  }

  /** For a script that appends the version and the closing brace. */
  openMessage(invalidation: Invalidation): string {
    return this.message(invalidation).slice(0, -1)
  }
}
