import { CacheError, type Clock } from '@cache/core'
import type { Caller, Gate } from './gate.ts'
import type { RedisLike } from './redis-like.ts'

/** A command, to be sent on whichever client it is given. */
export type Command<T> = (client: RedisLike) => Promise<T>

/** A client with a gate in front, and a deadline for every command that does not rely on the client's own. */
export class Connection {
  readonly #client: RedisLike
  readonly #gate: Gate
  readonly #clock: Clock
  #unanswered = 0

  constructor(client: RedisLike, gate: Gate, clock: Clock) {
    this.#client = client
    this.#gate = gate
    this.#clock = clock
  }

  get ready(): boolean {
    return this.#gate.ready
  }

  /** Whether it is connected at this very moment: it turns before the commands that are lost with it fail. */
  get alive(): boolean {
    return this.#gate.ready && this.#client.status === 'ready'
  }

  get open(): boolean {
    return this.#gate.open
  }

  /** Commands not answered yet. One that passed its deadline still counts: others would queue behind it. */
  get pending(): number {
    return this.#unanswered + this.#gate.waiting
  }

  /**
   * Sends a command, or refuses it at once when the connection is down.
   *
   * @param onSettled called once, with whether it was sent, when it was answered or never will be
   * @returns within `ms`: rejects with `UNAVAILABLE` if nothing was sent, with `TIMEOUT` if it was sent and may
   *   still take effect
   */
  run<T>(command: Command<T>, ms: number, onSettled?: (sent: boolean) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let sent = false
      const caller: Caller = {
        start: () => {
          sent = true
          this.#send(command)
            .finally(() => {
              cancel()
              onSettled?.(true)
            })
            .then(resolve, reject)
        },
        fail: error => {
          cancel()
          onSettled?.(false)
          reject(error)
        },
      }
      const cancel = onDeadline(this.#clock, ms, () => {
        if (sent) reject(new CacheError('TIMEOUT', `Redis did not answer within ${ms} ms`))
        else this.#gate.leave(caller)
      })
      this.#gate.enter(caller)
    })
  }

  /** An async function, so that what a client throws at once becomes a rejection like any other. */
  async #send<T>(command: Command<T>): Promise<T> {
    this.#unanswered++
    try {
      return await command(this.#client)
    } finally {
      this.#unanswered--
    }
  }
}

/** @returns a function that cancels it */
function onDeadline(clock: Clock, ms: number, fn: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined
  const timer = clock.setTimeout(() => {
    // After a stall of the event loop the answer may be here already, unread: sockets are read before
    // immediates run, so that a stall is not blamed on Redis.
    immediate = setImmediate(fn)
  }, ms)
  return () => {
    clock.clearTimeout(timer)
    clearImmediate(immediate)
  }
}
