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
  readonly settled?: ((sent: boolean) => void) | undefined
}

/** What the commands of a connection share. */
interface Line {
  readonly client: RedisLike
  readonly gate: Gate
  /** Commands sent and not answered. */
  unanswered: number
}

/** A client with a gate in front, and a deadline for every command that does not rely on the client's own. */
export class Connection {
  readonly #line: Line
  readonly #clock: Clock
  /** By how long they are: two for most commands, more where large values get more time. */
  readonly #deadlines = new Map<number, Deadlines>()

  constructor(client: RedisLike, gate: Gate, clock: Clock) {
    this.#line = { client, gate, unanswered: 0 }
    this.#clock = clock
  }

  get ready(): boolean {
    return this.#line.gate.ready
  }

  /** Whether it is connected at this very moment: it turns before the commands that are lost with it fail. */
  get alive(): boolean {
    return this.#line.gate.ready && this.#line.client.status === 'ready'
  }

  get open(): boolean {
    return this.#line.gate.open
  }

  /** Commands not answered yet. One that passed its deadline still counts: others would queue behind it. */
  get pending(): number {
    return this.#line.unanswered + this.#line.gate.waiting
  }

  /** Commands that wait until the connection is made. */
  get waiting(): number {
    return this.#line.gate.waiting
  }

  /** How long commands waited for that, in milliseconds. */
  get waitedMs(): number {
    return this.#line.gate.waitedMs
  }

  /**
   * Sends a command, or refuses it at once when the connection is down.
   *
   * @returns within `ms`: rejects with `UNAVAILABLE` if nothing was sent, with `TIMEOUT` if it was sent and may
   *   still take effect, or as {@link classifyError} judges
   */
  run<T>(command: Command<T>, ms: number, watcher: Watcher): Promise<T> {
    const deadlines = this.#deadlinesOf(ms)
    // One promise and one object for all of it: every command of every caller comes by here.
    return new Promise((resolve, reject) => {
      const call = new Call(command, this.#line, deadlines, watcher, resolve, reject)
      deadlines.add(call)
      this.#line.gate.enter(call)
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

/** A command, from its caller to the answer or the deadline. */
class Call<T> implements Caller, Waiting {
  since = 0
  readonly #command: Command<T>
  readonly #line: Line
  readonly #deadlines: Deadlines
  readonly #watcher: Watcher
  readonly #resolve: (answer: T) => void
  readonly #reject: (error: CacheError) => void
  #sent = false

  constructor(
    command: Command<T>,
    line: Line,
    deadlines: Deadlines,
    watcher: Watcher,
    resolve: (answer: T) => void,
    reject: (error: CacheError) => void,
  ) {
    this.#command = command
    this.#line = line
    this.#deadlines = deadlines
    this.#watcher = watcher
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    this.#sent = true
    this.#line.unanswered++
    send(this.#command, this.#line.client).then(
      answer => {
        if (!this.#settle()) return
        this.#watcher.ended(undefined)
        this.#resolve(answer)
      },
      (thrown: unknown) => {
        if (this.#settle()) this.#end(classifyError(thrown))
      },
    )
  }

  fail(error: CacheError): void {
    this.#deadlines.delete(this)
    this.#watcher.settled?.(false)
    this.#end(error)
  }

  late(): void {
    if (!this.#sent) this.#line.gate.leave(this)
    else this.#end(new CacheError('TIMEOUT', `Redis did not answer within ${this.#deadlines.ms} ms`))
  }

  /** @returns whether the caller still waits for the answer */
  #settle(): boolean {
    this.#line.unanswered--
    this.#watcher.settled?.(true)
    return this.#deadlines.delete(this)
  }

  #end(error: CacheError): void {
    this.#watcher.ended(error)
    this.#reject(error)
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
