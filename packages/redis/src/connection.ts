import { CacheError, type Clock } from '@cache/core'
import { classifyError } from './classify-error.ts'
import { Deadlines, type Waiting } from './deadlines.ts'
import type { Caller, Gate } from './gate.ts'
import type { RedisLike } from './redis-like.ts'

/** A command, to be sent on whichever client it is given. */
export type Command<T> = (client: RedisLike) => Promise<T>

/** Hears how a command ends, each once. */
export interface Watcher {
  /** Its caller learns the outcome: by the deadline at the latest. */
  ended(error: CacheError | undefined): void
  /** It was answered or never will be. @param sent whether it was sent at all */
  settled?(sent: boolean): void
}

/** A client with a gate in front, and a deadline for every command that does not rely on the client's own. */
export class Connection {
  readonly #client: RedisLike
  readonly #gate: Gate
  readonly #clock: Clock
  /** By how long they are: two for most commands, more where large values get more time. */
  readonly #deadlines = new Map<number, Deadlines>()
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
   * @returns within `ms`: rejects with `UNAVAILABLE` if nothing was sent, with `TIMEOUT` if it was sent and may
   *   still take effect, or as {@link classifyError} judges
   */
  run<T>(command: Command<T>, ms: number, watcher: Watcher): Promise<T> {
    const deadlines = this.#deadlinesOf(ms)
    // One promise for all: every command of every caller comes by here.
    return new Promise((resolve, reject) => {
      let sent = false
      const end = (error: CacheError): void => {
        watcher.ended(error)
        reject(error)
      }
      /** @returns whether the caller still waits for the answer */
      const settle = (): boolean => {
        this.#unanswered--
        watcher.settled?.(true)
        return deadlines.delete(call)
      }
      const call: Caller & Waiting = {
        since: 0,
        start: () => {
          sent = true
          this.#unanswered++
          send(command, this.#client).then(
            answer => {
              if (!settle()) return
              watcher.ended(undefined)
              resolve(answer)
            },
            (thrown: unknown) => {
              if (settle()) end(classifyError(thrown))
            },
          )
        },
        fail: error => {
          deadlines.delete(call)
          watcher.settled?.(false)
          end(error)
        },
        late: () => {
          if (sent) end(new CacheError('TIMEOUT', `Redis did not answer within ${ms} ms`))
          else this.#gate.leave(call)
        },
      }
      deadlines.add(call)
      this.#gate.enter(call)
    })
  }

  #deadlinesOf(ms: number): Deadlines {
    const known = this.#deadlines.get(ms)
    if (known) return known
    const made = new Deadlines(this.#clock, ms, () => this.#deadlines.delete(ms))
    this.#deadlines.set(ms, made)
    return made
  }
}

/** What a client throws at once becomes a rejection like any other. */
function send<T>(command: Command<T>, client: RedisLike): Promise<T> {
  try {
    return command(client)
  } catch (thrown) {
    return Promise.reject(thrown)
  }
}
