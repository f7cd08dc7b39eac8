import { CacheError } from '@cache/core'
import { classifyError } from './classify-error.ts'
import { isCluster } from './cluster-shards.ts'
import { fence, type Identity, identify, runIdOf } from './identity.ts'
import { LEAVING } from './own-redis.ts'
import type { RedisLike } from './redis-like.ts'
import { askIfSetsMany } from './set-many.ts'

/** Who wants to send a command. */
export interface Caller {
  /** Called once it may send: at once, or as soon as the connection is made. */
  start(): void
  fail(error: CacheError): void
}

/** Decides whether a command may be sent now, must wait a moment, or fails at once. */
export interface Gate {
  /** Whether the connection answers, as far as is known. */
  readonly ready: boolean
  /** Whether a caller would be let in, now or in a moment. */
  readonly open: boolean
  readonly waiting: number
  /** How long callers waited in all, in milliseconds. */
  readonly waitedMs: number
  enter(caller: Caller): void
  /** A caller that waited until its deadline gives up. */
  leave(caller: Caller): void
}

export interface GateEvents {
  /** Why the connection cannot be made or was lost; `undefined` once it is made. */
  onFault(fault: CacheError | undefined): void
  /** To which life of which server it leads, each time before anybody is let in. */
  onServer?(runId: string, client: RedisLike): void
}

/**
 * In front of a connection of our own. While it is made for the first time callers wait for it, so that the
 * first lines of a program can use a store; after that they never wait: what is queued is sent too late.
 */
export class OwnGate implements Gate {
  readonly #client: RedisLike
  readonly #events: GateEvents
  /** Since when, by `performance.now()`, in order of arrival: a later write of a key must not overtake an earlier one. */
  readonly #callers = new Map<Caller, number>()
  #waitedMs = 0
  #starting = true
  #fault: CacheError | undefined
  #identity: Identity | undefined
  // Not `client.status`: that turns before the callers who waited have been let in.
  ready = false

  constructor(client: RedisLike, events: GateEvents) {
    this.#client = client
    this.#events = events
    client.on('ready', () => this.#prepare(client.options?.db ?? 0))
    client.on(LEAVING, () => this.#lost())
    client.on('close', () => this.#lost())
    client.on('end', () => this.#lost())
    client.on('error', (thrown: unknown) => {
      this.#note(classifyError(thrown))
      // A round of sentinels in vain: the client begins another one, and no 'close' tells of it.
      if (client.status === 'connecting') this.#lost()
    })
  }

  get open(): boolean {
    return this.ready || this.#starting
  }

  get waiting(): number {
    return this.#callers.size
  }

  get waitedMs(): number {
    return this.#waitedMs
  }

  enter(caller: Caller): void {
    if (this.ready) caller.start()
    else if (this.#starting) this.#callers.set(caller, performance.now())
    else caller.fail(this.#unavailable())
  }

  leave(caller: Caller): void {
    this.#noteWait(this.#callers.get(caller))
    this.#callers.delete(caller)
    // Who waited in vain is the last to wait: from now on callers fail at once until we are connected.
    this.#starting = false
    caller.fail(this.#unavailable())
  }

  /**
   * Opens once the connection is in its database, which server it leads to and what that can do is known, and nothing more can come of the
   * connection before it. ioredis selects the database too, but carries on in database 0 if that is refused. A refusal lasts
   * until the next connection; an answer owed too long makes ioredis make one.
   */
  async #prepare(database: number): Promise<void> {
    if (isCluster(this.#client)) return this.#opened()
    try {
      if (database !== 0) await this.#client.select(database)
      await this.#meet()
    } catch (thrown) {
      // Of a connection that was lost meanwhile, 'error' and 'close' tell more.
      if (this.#client.status !== 'ready') return
      this.#note(classifyError(thrown))
      this.#lost()
      return
    }
    if (this.#client.status === 'ready') this.#opened()
  }

  async #meet(): Promise<void> {
    const client = this.#client
    const [identity] = await Promise.all([identify(client), askIfSetsMany(client)])
    if (!identity || client.status !== 'ready') return
    await fence(client, this.#identity, identity).catch(() => {}) // Not permitted: then it is not to be had.
    this.#identity = identity
    this.#events.onServer?.(identity.runId, client)
  }

  #note(fault: CacheError | undefined): void {
    this.#fault = fault
    this.#events.onFault(fault)
  }

  #lost(): void {
    this.ready = false
    this.#starting = false
    for (const caller of this.#takeCallers()) caller.fail(this.#unavailable())
  }

  #opened(): void {
    this.#note(undefined)
    this.ready = true
    this.#starting = false
    for (const caller of this.#takeCallers()) caller.start()
  }

  #takeCallers(): Caller[] {
    const callers = [...this.#callers.keys()]
    for (const since of this.#callers.values()) this.#noteWait(since)
    this.#callers.clear()
    return callers
  }

  #noteWait(since: number | undefined): void {
    if (since !== undefined) this.#waitedMs += performance.now() - since
  }

  #unavailable(): CacheError {
    return this.#fault ?? new CacheError('UNAVAILABLE', 'the connection to Redis is down')
  }
}

/** ioredis' words for a connection that was lost or closed, as opposed to one not yet made. */
const LOST: readonly string[] = ['close', 'reconnecting', 'disconnecting', 'end']

/** In front of the user's own client: whether that queues while it connects is its owner's choice. */
export class BorrowedGate implements Gate {
  readonly #client: RedisLike
  readonly waiting = 0
  readonly waitedMs = 0

  constructor(client: RedisLike, { onServer }: Pick<GateEvents, 'onServer'>) {
    this.#client = client
    if (!onServer || isCluster(client)) return
    const meet = async (): Promise<void> => {
      const [runId] = await Promise.all([runIdOf(client), askIfSetsMany(client)])
      if (runId !== undefined) onServer(runId, client)
    }
    client.on('ready', meet)
    if (client.status === 'ready') void meet()
  }

  get ready(): boolean {
    return this.#client.status === 'ready'
  }

  get open(): boolean {
    return !LOST.includes(this.#client.status)
  }

  enter(caller: Caller): void {
    if (this.open) caller.start()
    else caller.fail(new CacheError('UNAVAILABLE', "the given client's connection to Redis is down"))
  }

  leave(): void {}
}
