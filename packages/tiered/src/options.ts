import {
  type Clock,
  type Duration,
  describe,
  type InvalidationBus,
  integer,
  invalidOption,
  isCoherent,
  isGuaranteeing,
  oneOf,
  type Store,
  systemClock,
  toMilliseconds,
} from '@cache/core'
import type { BreakerSettings } from './breaker.ts'
import type { Fsync } from './journal-file.ts'

export interface TieredStoreOptions {
  /** The near tier: asked first, usually a `MemoryStore`. Owned: closed with this store. */
  readonly l1: Store
  /** The remote tier, shared with other processes, usually a `RedisStore`. Owned: closed with this store. */
  readonly l2: Store
  /**
   * How peers' writes reach this process. `false` does without: `l1` may then serve what peers have changed until
   * it expires. @default the bus that `l2` offers; none if it offers none
   */
  readonly bus?: InvalidationBus | false
  readonly timeouts?: TieredTimeouts
  /**
   * How often a read is made again that failed before its deadline, as when a connection was lost; one that took too long is not.
   * An integer >= 0. @default 0
   */
  readonly retries?: number
  /** When the remote is not asked any more, for a while; `false`: always asked. */
  readonly breaker?: BreakerOptions | false
  /**
   * Most keys whose invalidation is kept for the remote while it is away; beyond it all of the remote's keys are
   * invalidated on recovery. An integer >= 1. @default 100_000
   */
  readonly maxJournalKeys?: number
  /**
   * What becomes of a value that the remote did not take, when it is back: its key is invalidated there; or, with `replay`, it is
   * written back, if the remote still has what it had before and `l1` still has the value. @default 'invalidate'
   */
  readonly recovery?: 'invalidate' | 'replay'
  /** How long `l1` may keep an entry, if that is shorter than the entry lives. @default as long as it lives */
  readonly l1Ttl?: Duration
  /** Keeps what waits for the remote in a file as well, so that a process that ends or is killed meanwhile loses none of it. @default memory only */
  readonly journal?: JournalOptions
  /** @default the machine's clock */
  readonly clock?: Clock
}

export interface JournalOptions {
  /** A file of its own for each process, on a disk that outlives it; made if it is not there. What it holds is applied at the next start. */
  readonly file: string
  /**
   * When what was written is forced to the disk: with every invalidation that is queued, once a second, or when the system sees
   * fit. It matters if the machine loses power; a process that is killed loses nothing. @default 'everysec'
   */
  readonly fsync?: Fsync
}

/** When calls to the remote stop, and when they are tried again. */
export interface BreakerOptions {
  /** Calls in a row that took too long. An integer >= 1. @default 5 */
  readonly timeouts?: number
  /** The part of the calls of the last ten seconds, of at least 20, that may fail: more than 0, at most 1. @default 0.5 */
  readonly failureRate?: number
  /** How long until one call is let through to see; doubled after each that fails, up to 30 times. @default '1s' */
  readonly openFor?: Duration
}

/** How long calls to the remote may take, whatever it does. What `l2` bounds by itself (`RedisStore` does) is left to it. */
export interface TieredTimeouts {
  /** @default what `l2` sees to by itself; else '100ms' */
  readonly read?: Duration
  /** @default what `l2` sees to by itself; else '250ms' */
  readonly write?: Duration
  /** A clear may visit every key of the remote. @default what `l2` sees to by itself; else '30s' */
  readonly clear?: Duration
}

/** Deadlines, in milliseconds, of what a store does not bound by itself. */
export const READ_MS = 100
export const WRITE_MS = 250
const CLEAR_MS = 30_000

const WINDOW_MS = 10_000
const MINIMUM_CALLS = 20
const LONGEST_OPEN = 30

/** The options, checked and complete; times in milliseconds, `Infinity` where the remote sees to it by itself. */
export interface Settings {
  readonly l1: Store
  readonly l2: Store
  readonly bus: InvalidationBus | undefined
  /** Whether we announce writes ourselves: a bus that the remote offers is announced on by the remote. */
  readonly announce: boolean
  readonly readMs: number
  readonly writeMs: number
  readonly clearMs: number
  readonly retries: number
  readonly breaker: BreakerSettings | undefined
  readonly maxJournalKeys: number
  readonly journal: Required<JournalOptions> | undefined
  readonly replays: boolean
  readonly l1Ttl: number | undefined
  readonly clock: Clock
}

/** @throws CacheError `INVALID_OPTION` */
export function settingsOf(options: TieredStoreOptions): Settings {
  const { l1, l2, timeouts = {}, bus } = options
  for (const [name, store] of Object.entries({ l1, l2 })) {
    if (typeof store?.get !== 'function') throw invalidOption(name, store, 'a store')
  }
  if (l1 === l2) throw invalidOption('l2', 'the same store as l1', 'another store than l1')
  if (bus !== undefined && bus !== false && typeof bus.subscribe !== 'function') {
    throw invalidOption('bus', describe(bus), 'an InvalidationBus, or false to do without')
  }
  return {
    l1,
    l2,
    bus: bus === undefined ? offered(l2) : bus || undefined,
    announce: Boolean(bus) && bus !== offered(l2),
    ...deadlines(timeouts, isGuaranteeing(l2) && l2.guarantees.bounded === true),
    retries: integer(options.retries ?? 0, 'retries', 0),
    breaker: options.breaker === false ? undefined : breakerOf(options.breaker ?? {}),
    maxJournalKeys: integer(options.maxJournalKeys ?? 100_000, 'maxJournalKeys', 1),
    replays: oneOf(options.recovery ?? 'invalidate', 'recovery', ['invalidate', 'replay']) === 'replay',
    l1Ttl: options.l1Ttl === undefined ? undefined : toMilliseconds(options.l1Ttl, 'l1Ttl'),
    journal: options.journal && journalOf(options.journal),
    clock: options.clock ?? systemClock,
  }
}

function deadlines(
  { read, write, clear }: TieredTimeouts,
  isBounded: boolean,
): Pick<Settings, 'readMs' | 'writeMs' | 'clearMs'> {
  const ms = (timeout: Duration | undefined, name: string, otherwise: number): number => {
    if (timeout !== undefined) return toMilliseconds(timeout, `timeouts.${name}`)
    return isBounded ? Number.POSITIVE_INFINITY : otherwise
  }
  return {
    readMs: ms(read, 'read', READ_MS),
    writeMs: ms(write, 'write', WRITE_MS),
    clearMs: ms(clear, 'clear', CLEAR_MS),
  }
}

function journalOf({ file, fsync = 'everysec' }: JournalOptions): Required<JournalOptions> {
  if (typeof file !== 'string' || file === '') throw invalidOption('journal.file', file, 'the path of a file')
  return { file, fsync: oneOf(fsync, 'journal.fsync', ['always', 'everysec', 'never']) }
}

function breakerOf({ timeouts = 5, failureRate = 0.5, openFor = '1s' }: BreakerOptions): BreakerSettings {
  if (typeof failureRate !== 'number' || !(failureRate > 0 && failureRate <= 1)) {
    throw invalidOption('breaker.failureRate', failureRate, 'a number greater than 0 and at most 1')
  }
  const openMs = toMilliseconds(openFor, 'breaker.openFor')
  return {
    timeouts: integer(timeouts, 'breaker.timeouts', 1),
    failureRate,
    minimumCalls: MINIMUM_CALLS,
    windowMs: WINDOW_MS,
    openMs,
    longestOpenMs: LONGEST_OPEN * openMs,
  }
}

function offered(store: Store): InvalidationBus | undefined {
  return isCoherent(store) ? store.bus : undefined
}
