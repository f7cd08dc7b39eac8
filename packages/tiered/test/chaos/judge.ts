import type { TelemetryEvent, WriteOutcome } from '@cache/core'
import { type LoopDelay, now } from './clock.ts'
import { KEYS } from './keys.ts'
import type {
  HistoryEvent,
  PastNear,
  ReadKind,
  Versioned,
  Violation,
  ViolationKind,
  Write,
  WriteKind,
} from './protocol.ts'

/** The default deadlines, in milliseconds: what no call may wait for a remote. */
const READ = 100
const WRITE = 250
export const LEASE_WAIT = 1_000
/** For what the machine does besides; the delay of the event loop is measured and taken off. */
const MARGIN = 100
/** A read that does not ask the remote takes no time; what is longer did ask. */
const ASKED = 20
/** Of one process. */
const MOST_WRITES = 1_000_000

export interface JudgeOptions {
  /** Whether the stream of invalidations is broken while Redis can be asked. */
  readonly isPastNear: () => boolean
  readonly delay: LoopDelay
  readonly floors: readonly number[]
  readonly incarnation: number
  readonly ownWritesExpected: boolean
  /** Whether no other process writes a key. */
  readonly owns: (key: number) => boolean
  readonly tell: (violation: Violation) => void
  readonly wrote: (write: Write) => void
  readonly readPastNear: (read: PastNear) => void
}

/** Sees every call of a process and tells which of them broke a promise. */
export class ProcessJudge {
  readonly #options: JudgeOptions
  /** No read that begins now may return an older version. */
  #floors: readonly number[]
  /** What this process wrote last, of the keys that nobody else writes. */
  readonly #own = new Map<number, number>()
  #ownExpected: boolean
  #writes: number
  #errors = 0
  #longestLoad = 0
  /** Since when the breaker has not been closed. */
  #openSince: number | undefined
  /** When the last read ended that asked the remote all the same: a probe. */
  #probeEnded = 0
  readonly history: HistoryEvent[] = []
  recording = true
  readonly tally = {
    reads: 0,
    worstRead: 0,
    worstReadBreakerOpen: 0,
    worstWrite: 0,
    gaps: 0,
    breakerOpened: 0,
  }
  readonly statuses: Record<string, number> = {}

  constructor(options: JudgeOptions) {
    this.#options = options
    this.#floors = options.floors
    this.#ownExpected = options.ownWritesExpected
    this.#writes = options.incarnation * MOST_WRITES
  }

  enforce(floors: readonly number[]): void {
    this.#floors = floors
  }

  expectOwnWrites(expected: boolean): void {
    this.#ownExpected = expected
    if (!expected) this.#own.clear()
  }

  heard(event: TelemetryEvent): void {
    if (event.type === 'error') this.#errors++
    if (event.type === 'gap') this.tally.gaps++
    if (event.type === 'breaker') {
      this.#openSince = event.state === 'closed' ? undefined : (this.#openSince ?? now())
      if (event.state === 'open') this.tally.breakerOpened++
    }
    // Of a batch, each master of a cluster is asked by itself.
    if (event.type === 'remote' && event.operation === 'get') this.#asked(event.durationMs)
  }

  /** A read of the remote ended: with the breaker open, one at a time may see whether it is back. */
  #asked(durationMs: number): void {
    const startedAt = now() - durationMs
    // What was under way when it opened may begin to ask until its deadline.
    if (this.#openSince === undefined || startedAt < this.#openSince + READ) return
    if (durationMs < READ / 2) return
    if (startedAt < this.#probeEnded - ASKED) {
      this.#tell('slow with the breaker open', 'two reads asked the remote at the same time')
    }
    this.#probeEnded = now()
  }

  /** How long a loader took: a read that waits for it is not late. */
  loaded(ms: number): void {
    this.#longestLoad = Math.max(this.#longestLoad, ms)
  }

  async read(
    kind: ReadKind,
    keys: readonly number[],
    call: () => Promise<readonly (Versioned | undefined)[]>,
  ): Promise<void> {
    const { isPastNear, delay } = this.#options
    const floors = this.#floors
    const own = keys.map(key => (this.#ownExpected ? this.#own.get(key) : undefined))
    const past = isPastNear()
    const errors = this.#errors
    const breakerOpen = this.#openSince !== undefined
    const startedAt = now()
    const delayed = delay.total
    try {
      const values = await call()
      const took = now() - startedAt - (delay.total - delayed)
      this.#timed(kind, took)
      if (breakerOpen && !kind.startsWith('getOrSet') && took < ASKED) {
        this.tally.worstReadBreakerOpen = Math.max(this.tally.worstReadBreakerOpen, took)
      }
      this.tally.reads++
      const certain = past && errors === this.#errors && isPastNear()
      for (const [i, value] of values.entries()) {
        const key = keys[i] as number
        if (value) this.#seen(kind, key, value, { floor: floors[key] ?? 0, own: own[i], startedAt })
        // What joins a load that began before is as old as that: only plain reads tell what is there.
        if (value && certain && !kind.startsWith('getOrSet')) {
          this.#options.readPastNear({ key, version: value.version, startedAt })
        }
      }
    } catch (thrown) {
      this.#tell('rejected', `${kind}: ${thrown}`)
    }
  }

  async write(
    kind: WriteKind,
    written: ReadonlyMap<number, number>,
    call: () => Promise<WriteOutcome>,
  ): Promise<void> {
    const id = this.#writes++
    const startedAt = now()
    const delayed = this.#options.delay.total
    let status: WriteOutcome['status'] = 'failed'
    try {
      status = (await call()).status
    } catch (thrown) {
      this.#tell('rejected', `${kind}: ${thrown}`)
    }
    const endedAt = now()
    const took = endedAt - startedAt - (this.#options.delay.total - delayed)
    this.tally.worstWrite = Math.max(this.tally.worstWrite, took)
    if (took > WRITE + MARGIN) this.#tell('late', `${kind} took ${Math.round(took)} ms`)
    if (status === 'failed') this.#tell('failed write', `${kind} was neither applied nor queued`)
    this.statuses[status] = (this.statuses[status] ?? 0) + 1
    const [keys, versions] = [[...written.keys()], [...written.values()]]
    if (this.#ownExpected) {
      for (const [key, version] of written) if (this.#options.owns(key)) this.#own.set(key, version)
    }
    const write = { id, kind, keys, versions, startedAt, endedAt, status }
    if (this.recording) this.history.push({ type: 'write', ...write })
    this.#options.wrote(write)
  }

  #seen(
    kind: ReadKind,
    key: number,
    value: Versioned,
    { floor, own = 0, startedAt }: { floor: number; own: number | undefined; startedAt: number },
  ): void {
    const { version } = value
    if (this.recording) {
      this.history.push({ type: 'read', key, version, startedAt, endedAt: now() })
    }
    if (value.key !== key || key >= KEYS) {
      this.#tell('never written', `${kind} of ${key} returned the value of ${value.key}`)
    } else if (version < floor) {
      this.#tell('stale', `${kind} of ${key} returned version ${version}, ${floor} was invalidated before`)
    } else if (version < own) {
      this.#tell('own write not seen', `${kind} of ${key} returned version ${version} after it wrote ${own}`)
    }
  }

  #timed(kind: ReadKind, took: number): void {
    const asks = kind.startsWith('getOrSet')
    const bound = asks ? READ + LEASE_WAIT + READ + WRITE + this.#longestLoad : READ
    if (took > bound + MARGIN) this.#tell('late', `${kind} took ${Math.round(took)} ms`)
    if (asks) return
    this.tally.worstRead = Math.max(this.tally.worstRead, took)
  }

  #tell(kind: ViolationKind, what: string): void {
    this.#options.tell({ kind, what })
  }
}
