import type { Redis } from 'ioredis'

/** A silence is measured in so many steps. */
const STEPS = 3

/**
 * Gives a connection up that has owed an answer for some time without sending anything. ioredis would, too (`socketTimeout`),
 * but makes a timer and a listener for every command; this is one timer for all that are sent while it runs.
 */
export class SilenceWatch {
  readonly #client: Redis
  readonly #stepMs: number
  #timer: NodeJS.Timeout | undefined
  /** What had been received when it was looked last, and how often it was no more than before. */
  #received = 0
  #silent = 0

  /** @param ms how long an answer may be owed; it may become a third more */
  constructor(client: Redis, ms: number) {
    this.#client = client
    this.#stepMs = ms / STEPS
  }

  /** A command was sent. */
  expectAnswer(): void {
    if (this.#timer) return
    this.#silent = 0
    this.#received = this.#client.stream?.bytesRead ?? 0
    this.#wait()
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#look(), this.#stepMs)
    this.#timer.unref()
  }

  #look(): void {
    this.#timer = undefined
    const { commandQueue, stream } = this.#client
    if (commandQueue.length === 0) return
    this.#silent = stream.bytesRead === this.#received ? this.#silent + 1 : 0
    this.#received = stream.bytesRead
    if (this.#silent < STEPS) this.#wait()
    else stream.destroy(new Error('Socket timeout: an answer is owed for too long'))
  }
}
