import { APPLIED, type Awaitable, type Clock, type Entry, type WriteOutcome } from '@cache/core'
import { classifyReply } from './classify-error.ts'
import { ClearedScopes, parseClears } from './cleared-scopes.ts'
import type { Command } from './connection.ts'
import type { Keyspace } from './keyspace.ts'
import { KnownTags } from './known-tags.ts'
import { CURRENT, MAX_CLEARS } from './scripts/order-scripts.ts'
import { timeLeft } from './time-left.ts'
import { toVersion } from './version.ts'

export interface ServerOrderOptions {
  readonly keys: Keyspace
  /** Sends a command that reads, with a deadline in milliseconds. */
  readonly ask: <T>(command: Command<T>, ms: number) => Promise<T>
  /** The deadline of what nobody waits for. */
  readonly readMs: number
  readonly clock: Clock
}

/**
 * What this process knows of the order in which Redis saw scopes and tags invalidated. Every invalidation has a version; an
 * entry has for its stamp the latest version when its write, or its load, began. It is outdated if a scope that it lies
 * in, or a tag that it has, was invalidated under a later version.
 *
 * As long as messages arrive without a gap, what is known here is all there is to know; else Redis is asked with every read.
 */
export class ServerOrder {
  readonly #keys: Keyspace
  readonly #options: ServerOrderOptions
  /** The latest version; `undefined` while that is not known. */
  #last: number | undefined
  readonly #clears = new ClearedScopes()
  readonly tags: KnownTags = new KnownTags()
  #connected = false
  /** Counts the gaps: what was asked for before one is worth nothing after it. */
  #era = 0
  #caughtUp = false
  /** Redis has lost the latest version: ours is not what it compares with. */
  #lost = false
  /** Invalidations of our own that Redis has not answered. */
  readonly #changes = new Set<Promise<Change>>()
  /** The latest version of all that were called so far, once Redis has answered them. */
  #latestChange = Promise.resolve(0)
  /** Counts them. */
  #changed = 0

  constructor(options: ServerOrderOptions) {
    this.#keys = options.keys
    this.#options = options
  }

  /** Whether everything invalidated so far is known. */
  get isCaughtUp(): boolean {
    return this.#caughtUp
  }

  /** The latest version heard of, for the next to be later in any case. */
  get latest(): number {
    return this.#last ?? 0
  }

  /** The scopes that were cleared and, as far as known, not swept yet. */
  get clears(): Pick<ClearedScopes, 'get' | typeof Symbol.iterator> {
    return this.#clears
  }

  /** Messages may have been missed. */
  async gap(connected: boolean): Promise<void> {
    this.#era++
    this.#connected = connected
    this.#caughtUp = false
    this.tags.gap(connected)
    if (!connected) return
    await this.catchUp()
    if (this.#last === undefined || this.#lost) await this.stamp()
  }

  /** Of any invalidation. */
  noteLatest(version: number): void {
    this.#note(version)
  }

  noteClear(scope: string, version: number): void {
    this.#note(version)
    this.#clears.add(scope, version)
    if (this.#clears.size <= MAX_CLEARS) return
    this.#clears.clear()
    this.#clears.add('', this.latest)
  }

  noteSwept(scope: string, version: number): void {
    if ((this.#clears.get(scope) ?? 0) <= version) this.#clears.delete(scope)
  }

  noteTags(tags: readonly string[], version: number): void {
    this.#note(version)
    this.tags.note(tags, version)
  }

  /**
   * An invalidation of our own is under way: what is written after it must not be taken for older, nor what was written before
   * it for newer.
   *
   * @param send runs its script
   * @param note hears its version
   */
  async change(send: () => Promise<unknown>, note: (version: number) => void): Promise<WriteOutcome> {
    const change = this.#changeBehind(this.#latestChange, send, note)
    this.#latestChange = latestOf(this.#latestChange, change)
    this.#changes.add(change)
    this.#changed++
    try {
      return toldOutcome((await change).told)
    } finally {
      this.#changes.delete(change)
    }
  }

  /** Where Redis saw it before one that was called earlier, it is sent again: a write between the two has the version of that one. */
  async #changeBehind(
    earlier: Promise<number>,
    send: () => Promise<unknown>,
    note: (version: number) => void,
  ): Promise<Change> {
    const [answered, told] = (await send()) as readonly [unknown, unknown]
    const version = Number(answered)
    note(version)
    this.#lost = false
    return version > (await earlier) ? { version, told } : this.#changeBehind(earlier, send, note)
  }

  /**
   * The stamp of what is written, or begins to be loaded, now: behind our own invalidations under way. Asks Redis unless
   * caught up; if that fails it is the latest known: with too early a stamp a value may be lost, but none comes back.
   *
   * @param until when it has to be known, epoch ms
   */
  stamp(until: number = this.#soon()): Awaitable<number> {
    if (this.#changes.size > 0) return this.#stampAfterChanges(until)
    return this.#knownStamp(until)
  }

  /** Asks which scopes were cleared: to be awaited with every read unless {@link isCaughtUp}. @param until epoch ms */
  async catchUp(until: number = this.#soon()): Promise<void> {
    const { last, clears } = this.#keys
    const era = this.#era
    const before = new Map(this.#clears)
    const [version, stored] = await this.#ask(client => client.mgetBuffer([last, clears]), until)
    const latest = toVersion(String(version ?? ''))
    if (latest !== undefined) this.#note(latest)
    // Of two keys that are both away nothing is known: Redis is new, or was emptied.
    const cleared =
      stored || latest !== undefined ? parseClears(stored, this.latest) : new Map<string, number>()
    for (const [scope, clearedAt] of cleared) this.noteClear(scope, clearedAt)
    // Without the key nothing was swept: it was lost, and what we know still holds.
    for (const [scope, clearedAt] of stored ? before : []) {
      if (!cleared.has(scope)) this.noteSwept(scope, clearedAt)
    }
    // Lost, or no version: it is made anew when it is needed next.
    if (latest === undefined) this.#lost = true
    if (this.#connected && era === this.#era) this.#caughtUp = true
  }

  /** Whether it takes an entry's stamp to tell that it is not outdated. */
  concerns(entry: Entry): boolean {
    return this.#clears.size > 0 || (entry.tags !== undefined && entry.tags.length > 0)
  }

  /**
   * Whether an entry of this key, tags and stamp counts no more. Asks Redis for tags not known here.
   *
   * @param until when it has to be known, epoch ms
   */
  isOutdated(
    key: string,
    tags: readonly string[] | undefined,
    stamp: number,
    until: number = this.#soon(),
  ): Awaitable<boolean> {
    if (this.#clears.isLater(key, stamp)) return true
    if (tags === undefined) return false
    return this.tags.isOutdated(tags, stamp) ?? this.#askTags(tags, stamp, until)
  }

  async #askTags(tags: readonly string[], stamp: number, until: number): Promise<boolean> {
    const tracked = this.tags.track(tags)
    const keys = tags.map(tag => this.#keys.tagKeyOf(tag))
    const found = await this.#ask(client => client.mgetBuffer(keys), until)
    // What is no version stands for nothing, like no marker at all.
    const versions = found.map(version => toVersion(String(version ?? '')))
    this.tags.settle(tags, tracked, versions)
    return versions.includes(undefined) || tracked.some(known => stamp < known.version)
  }

  /**
   * The version of the last of them: later than all before it, and earlier than those that begin after this call, answered or
   * not. If none is answered in time: what was known before them.
   */
  async #stampAfterChanges(until: number): Promise<number> {
    const { clock } = this.#options
    const { latest } = this
    const changed = this.#changed
    const { promise: late, resolve } = Promise.withResolvers<'late'>()
    const timer = clock.setTimeout(() => resolve('late'), Math.max(0, until - clock.now()))
    const settled = await Promise.race([Promise.allSettled(this.#changes), late])
    clock.clearTimeout(timer)
    if (settled === 'late') return latest
    const versions = settled.flatMap(change => (change.status === 'fulfilled' ? [change.value.version] : []))
    if (versions.length > 0) return Math.max(latest, ...versions)
    return changed === this.#changed ? this.#knownStamp(until) : latest
  }

  #knownStamp(until: number): Awaitable<number> {
    if (this.#caughtUp && this.#last !== undefined && !this.#lost) return this.#last
    return this.#askLast(until)
  }

  /** An invalidation of our own that began after the question may have been executed before it: then what was known. */
  async #askLast(until: number): Promise<number> {
    const { latest } = this
    const changed = this.#changed
    try {
      const answer = await this.#ask(
        client => CURRENT.run(client, [this.#keys.last, this.#keys.clears], [latest]),
        until,
      )
      const answered = toVersion(String(answer))
      if (answered === undefined) return latest
      this.#lost = false
      const version = this.#note(answered)
      return changed === this.#changed ? version : latest
    } catch {
      return latest
    }
  }

  /** An async function, so that a deadline that has passed is a rejection like any other. */
  async #ask<T>(command: Command<T>, until: number): Promise<T> {
    const { ask, clock } = this.#options
    return ask(command, timeLeft(clock, until))
  }

  #soon(): number {
    return this.#options.clock.now() + this.#options.readMs
  }

  #note(version: number): number {
    this.#last = Math.max(version, this.#last ?? 0)
    return this.#last
  }
}

/** An invalidation of our own, as Redis answered it. */
interface Change {
  readonly version: number
  /** 1, or what Redis said when the other processes were to be told. */
  readonly told: unknown
}

/** @returns the later version; of one that failed nothing is known */
async function latestOf(earlier: Promise<number>, change: Promise<Change>): Promise<number> {
  const failed: Pick<Change, 'version'> = { version: 0 }
  const [before, { version }] = await Promise.all([earlier, change.catch(() => failed)])
  return Math.max(before, version)
}

/** @param told 1, or what Redis said when the other processes were to be told */
export function toldOutcome(told: unknown): WriteOutcome {
  return told === 1 ? APPLIED : { status: 'partial', error: classifyReply(String(told)) }
}
