import {
  CacheError,
  type Clock,
  Outage,
  type StoreHealth,
  type StoreOperation,
  type TelemetryEvent,
} from '@cache/core'
import { isCluster } from './cluster-shards.ts'
import { ClusterTurns } from './cluster-turns.ts'
import type { Connect } from './connect.ts'
import { type Command, Connection, type Watcher } from './connection.ts'
import { BorrowedGate, type GateEvents, OwnGate } from './gate.ts'
import { type Lane, Lanes } from './lanes.ts'
import type { ClusterLike, RedisLike } from './redis-like.ts'
import { WriteOrder } from './write-order.ts'

/** What a pool tells about itself. */
export type Emit = (event: TelemetryEvent) => void

export interface PoolOptions {
  /** The user's own client; it is the whole pool, and never closed. */
  readonly client: RedisLike | undefined
  readonly connect: Connect
  readonly size: number
  readonly name: string
  readonly clock: Clock
  readonly emit: Emit
  readonly onServer?: GateEvents['onServer']
}

const BATCHES: ReadonlySet<StoreOperation> = new Set(['getMany', 'setMany', 'deleteMany'])

/**
 * Connections to one server, and the choice among them: by lane, and within a lane the one that owes the fewest answers.
 *
 * Or those to a cluster, each of which is connections to all of its masters. There all writes take the last one: one that
 * was lost with its connection can be overtaken by another connection only.
 */
export class Pool {
  /** The cluster, if it is one, for questions about who holds what. */
  readonly cluster: ClusterLike | undefined
  readonly #connections: readonly Connection[]
  readonly #lanes: Lanes
  readonly #order = new WriteOrder()
  /** In place of that order, in a cluster. */
  readonly #turns = new ClusterTurns()
  readonly #owned: readonly RedisLike[]
  readonly #name: string
  readonly #emit: Emit
  readonly #idle = new Set<() => void>()
  readonly #outage: Outage
  #invalidating: Connection | undefined
  #running = 0
  #reported: string | undefined
  #closed = false

  constructor({ client, connect, size, name, clock, emit, onServer }: PoolOptions) {
    this.#name = name
    this.#outage = new Outage(clock)
    this.#emit = emit
    this.#owned = client ? [] : Array.from({ length: size }, connect)
    const events: GateEvents = { onFault: fault => this.#report(fault), ...(onServer && { onServer }) }
    this.#connections = client
      ? [new Connection(client, new BorrowedGate(client, events), clock)]
      : this.#owned.map(own => new Connection(own, new OwnGate(own, events), clock))
    this.#lanes = new Lanes(this.#connections)
    const any = client ?? this.#owned[0]
    this.cluster = any && isCluster(any) ? any : undefined
  }

  get size(): number {
    return this.#connections.length
  }

  /** Where a read is answered soonest. @param bytes how much is to come, as far as is known */
  forRead(bytes = 0): Connection {
    return this.#lanes.soonest(this.#lanes.for(bytes))
  }

  /** One and the same connection as long as it lasts: what is sent on it arrives in the order of the calls. */
  forInvalidation(): Connection {
    if (!this.#invalidating?.ready) this.#invalidating = this.forRead()
    return this.#invalidating
  }

  /** What a write may take: any connection of a lane or, behind others of its key, one alone. */
  routeOf(key: string, bytes: number): Connection | Lane {
    if (this.cluster) return this.#connections.at(-1) as Connection
    return this.#order.connectionOf(key) ?? this.#lanes.for(bytes)
  }

  /** Whether a write of the key has to wait for others of it. */
  isBusy(key: string): boolean {
    return this.cluster !== undefined && !this.#turns.isFree(key)
  }

  /** Runs a command that writes keys; as long as it may yet take effect, later writes of them come behind it. */
  write<T>(
    operation: StoreOperation,
    route: Connection | Lane,
    keys: readonly string[],
    ms: number,
    command: Command<T>,
  ): Promise<T> {
    this.assertOpen()
    const connection = route instanceof Connection ? route : this.#lanes.soonest(route)
    if (this.cluster) {
      const turn = this.#turns.take(keys, ms, command)
      return this.run(operation, connection, ms, turn.command, { keys: keys.length, settled: turn.settled })
    }
    const settled = this.#order.begin(keys, connection)
    return this.run(operation, connection, ms, command, { keys: keys.length, settled })
  }

  /**
   * Runs a command on a connection and tells of it.
   *
   * @param about of a batch, how many keys it is about; and what is told as to a {@link Watcher}
   * @returns as {@link Connection.run}
   * @throws CacheError `CLOSED`, at once
   */
  run<T>(
    operation: StoreOperation,
    connection: Connection,
    ms: number,
    command: Command<T>,
    { keys, settled }: { readonly keys?: number; readonly settled?: Watcher['settled'] } = {},
  ): Promise<T> {
    this.assertOpen()
    this.#running++
    const started = performance.now()
    return connection.run(command, ms, {
      ended: error => this.#ended(operation, keys, started, error),
      settled,
    })
  }

  health(): StoreHealth {
    let ready = 0
    let inFlight = 0
    for (const connection of this.#connections) {
      if (connection.ready) ready++
      inFlight += connection.pending
    }
    const starting = !this.#closed && ready === 0 && this.#owned.length > 0 && this.forRead().open
    this.#outage.note(!this.#closed && ready === 0 && !starting)
    return {
      available: !this.#closed && ready > 0,
      ...(starting && { starting }),
      outageMs: this.#outage.ms,
      pool: {
        size: this.size,
        ready,
        inFlight,
        waiting: this.#sum('waiting'),
        waitedMs: this.#sum('waitedMs'),
      },
    }
  }

  assertOpen(): void {
    if (this.#closed) throw new CacheError('CLOSED', `the ${this.#name} store is closed`)
  }

  /** Lets the commands that run end, each by its deadline at the latest, then ends the connections. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#running > 0) await new Promise<void>(resolve => this.#idle.add(resolve))
    const unanswered = this.#sum('pending')
    if (unanswered > 0) this.#tellAbandoned(unanswered)
    for (const client of this.#owned) client.disconnect()
  }

  #sum(field: 'pending' | 'waiting' | 'waitedMs'): number {
    return this.#connections.reduce((sum, connection) => sum + connection[field], 0)
  }

  #tellAbandoned(unanswered: number): void {
    const message = `closed with ${unanswered} commands unanswered: Redis may yet carry them out, or not`
    const error = new CacheError('TIMEOUT', message)
    this.#emit({ type: 'error', store: this.#name, operation: 'close', error })
  }

  #ended(
    operation: StoreOperation,
    keys: number | undefined,
    started: number,
    error: CacheError | undefined,
  ): void {
    const durationMs = performance.now() - started
    const outcome = !error ? 'ok' : error.code === 'TIMEOUT' ? 'timeout' : 'error'
    const event = { type: 'remote', store: this.#name, operation, outcome, durationMs } as const
    this.#emit(keys !== undefined && BATCHES.has(operation) ? { ...event, keys } : event)
    this.#running--
    if (this.#running === 0) for (const resolve of this.#idle) resolve()
  }

  /** Once an outage, not once a connection and attempt. */
  #report(fault: CacheError | undefined): void {
    if (this.#closed) return
    this.health() // Which notes whether it is away now.
    if (fault?.message === this.#reported) return
    this.#reported = fault?.message
    if (fault) this.#emit({ type: 'error', store: this.#name, operation: 'connect', error: fault })
  }
}
