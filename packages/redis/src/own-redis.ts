import { type Command, Redis, type RedisOptions } from 'ioredis'
import type { ConnectionBounds } from './fail-fast.ts'
import type { FailoverWatch } from './failover-watch.ts'
import { replyCode } from './redact.ts'
import { SilenceWatch } from './silence.ts'

/** What a client of ours emits the moment it gives its connection up, some time before `close`. */
export const LEAVING = 'leaving'

/** A connection that we make, given up when its server is silent, and made anew when it leads to a replica. */
export class OwnRedis extends Redis {
  #closed = false
  readonly #watch: FailoverWatch | undefined
  // Not while the constructor of ioredis runs, which connects, but sends nothing yet.
  readonly #silence: SilenceWatch

  constructor(
    { socketTimeout: _, ...options }: RedisOptions & { replyMapping: 'legacy' },
    { silenceMs }: ConnectionBounds,
    watch: FailoverWatch | undefined,
  ) {
    super(options)
    this.#watch = watch
    this.#silence = new SilenceWatch(this, silenceMs)
    watch?.add(this)
    // ioredis listens for the first error of a socket only: a second one, an alert of TLS say, would end the process.
    this.on('error', () => this.stream?.on('error', () => {}))
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    if (command.name === 'info') withoutDetails(command)
    const answer = super.sendCommand(command, stream)
    this.#silence.expectAnswer()
    return answer
  }

  hurry(): void {
    if (this.status === 'reconnecting' && !this.#closed) this.connect().catch(() => {})
  }

  /** ioredis ends for good if it is broken off while it asks the sentinels: then it is left to arrive, be it at the old master. */
  follow(): void {
    if (this.status === 'connecting') this.once('connect', () => this.disconnect(true))
    else this.disconnect(true)
  }

  override disconnect(reconnect = false): void {
    if (reconnect) this.emit(LEAVING)
    else {
      this.#closed = true
      // Not at 'end', which does not come if it is closed between two attempts to connect.
      this.#watch?.remove(this)
    }
    super.disconnect(reconnect)
  }
}

/** ioredis prints why INFO was refused; from Redis 7.2 on the refusal names the user. */
function withoutDetails(command: Command): void {
  const { reject } = command
  command.reject = error => {
    error.message = replyCode(error) ?? error.message
    reject(error)
  }
}

/** The shortest time between two attempts of one connection to leave a replica, in milliseconds. */
const LEAVE_AGAIN_MS = 5_000
/** And between two such attempts of any: so many that they never leave all at once, and reads go on. */
const LEAVE_OTHER_MS = 100

/**
 * A server that refuses writes because it is a replica may be the master of before, under a name that leads to a new one
 * by now: the connection is made anew to find out, but rarely, for it may as well be what the name still leads to.
 */
export function replicaLeaver(): () => (error: Error) => 1 | false {
  let lastOfAny = Number.NEGATIVE_INFINITY
  return () => {
    let last = Number.NEGATIVE_INFINITY
    return error => {
      const now = performance.now()
      if (!error.message.startsWith('READONLY')) return false
      if (now - last < LEAVE_AGAIN_MS || now - lastOfAny < LEAVE_OTHER_MS) return false
      last = lastOfAny = now
      return 1
    }
  }
}
