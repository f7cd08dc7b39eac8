import { now, sleep } from './clock.ts'
import { KEYS, outdatedBy, ownerOf } from './keys.ts'
import type { Intent, PastNear, Violation, Write, WriteKind } from './protocol.ts'
import type { Random } from './random.ts'

/** A span in which nothing that a process writes can be confirmed. */
export interface Silence {
  /** `undefined` for all processes. */
  readonly slot: number | undefined
  readonly from: number
  to: number
}

/** What was sent just before a silence may still be answered in it, in milliseconds. */
const IN_FLIGHT = 100
const CLEARS: readonly WriteKind[] = ['clear of a namespace', 'clear']

/**
 * The source behind the cache: a version of each key, which of them have been invalidated for sure, and so what no process may
 * return any more.
 */
export class Truth {
  readonly #random: Random
  readonly #tell: (violation: Violation) => void
  readonly #versions: number[] = Array.from({ length: KEYS }, () => 1)
  /** The newest version of each key whose invalidation was confirmed. */
  readonly #confirmed: number[] = Array.from({ length: KEYS }, () => 1)
  /** Keys that are being written, with the process that does. */
  readonly #writers = new Map<number, number>()
  /** Keys that nobody may write for now. */
  #resting: ReadonlySet<number> = new Set()
  #mayClear = true
  /** Writes that wait in a journal, by process. */
  readonly #waiting = new Map<number, Map<number, Write>>()
  /** Writes that wait in the journal that a killed process left, by the place it had. */
  readonly #inherited = new Map<number, readonly Write[]>()
  /** Versions whose invalidation died with its process, by key. */
  readonly #lost = new Map<number, number>()
  readonly #silences: Silence[] = []
  readonly #applied: Write[] = []
  #pastNear: PastNear[] = []
  readonly outcomes: Record<string, number> = {}
  loads = 0
  /** Keys outdated by all writes: how many loads they explain. */
  outdated = 0
  /** Invalidations that a process had queued, or was about to make, when it was killed; and how often their keys were seen old. */
  lostWithProcess = 0
  staleWithProcess = 0

  constructor(random: Random, tell: (violation: Violation) => void) {
    this.#random = random
    this.#tell = tell
  }

  /** No read that begins once every process was told of these may return an older version. */
  get floors(): readonly number[] {
    return [...this.#confirmed]
  }

  get versions(): readonly number[] {
    return [...this.#versions]
  }

  /** Whether nothing waits in a journal, as far as the processes told. */
  get isConfirmed(): boolean {
    return this.#inherited.size === 0 && [...this.#waiting.values()].every(({ size }) => size === 0)
  }

  /** Keys of which an invalidation was lost with its process, and none confirmed since. */
  get disputed(): ReadonlySet<number> {
    for (const [key, version] of this.#lost)
      if (version <= (this.#confirmed[key] ?? 0)) this.#lost.delete(key)
    return new Set(this.#lost.keys())
  }

  /** As a slow source does: what is read first arrives late. */
  async load(keys: readonly number[]): Promise<readonly number[]> {
    this.loads += keys.length
    const versions = keys.map(key => this.#versions[key] as number)
    await sleep(this.#random.chance(0.1) ? this.#random.between(40, 120) : this.#random.between(1, 12))
    return versions
  }

  /** Until {@link allowAll} nobody writes these keys: what a fault left of them is not covered up before it is judged. */
  rest(keys: readonly number[]): void {
    this.#resting = new Set(keys)
  }

  /** Until {@link allowAll} nobody clears anything: what was before would not count any more. */
  forbidClears(): void {
    this.#mayClear = false
  }

  allowAll(): void {
    this.#resting = new Set()
    this.#mayClear = true
  }

  /** The keys of which newer versions have been invalidated for sure than of these. */
  invalidatedSince(floors: readonly number[]): readonly number[] {
    return [...floors.keys()].filter(key => (this.#confirmed[key] as number) > (floors[key] as number))
  }

  bump(slot: number, processes: number, { kind, keys }: Intent): readonly (number | null)[] {
    if (!this.#mayClear && CLEARS.includes(kind)) return keys.map(() => null)
    return keys.map(key => {
      if (this.#writers.has(key) || this.#resting.has(key)) return null
      if ((ownerOf(key, processes) ?? slot) !== slot) return null
      this.#writers.set(key, slot)
      const version = (this.#versions[key] as number) + 1
      this.#versions[key] = version
      return version
    })
  }

  wrote(slot: number, write: Write): void {
    for (const key of write.keys) this.#writers.delete(key)
    this.outcomes[write.status] = (this.outcomes[write.status] ?? 0) + 1
    this.outdated += new Set(write.keys.flatMap(key => outdatedBy(write.kind, key))).size
    if (write.status === 'applied') {
      this.#confirm(write)
      this.#applied.push(write)
      this.#assertPossible(slot, write)
    } else {
      const waiting = this.#waiting.get(slot) ?? new Map<number, Write>()
      this.#waiting.set(slot, waiting.set(write.id, write))
    }
  }

  confirmed(slot: number, ids: readonly number[]): void {
    const waiting = this.#waiting.get(slot)
    for (const id of ids) {
      const write = waiting?.get(id)
      if (write) this.#confirm(write)
      waiting?.delete(id)
    }
  }

  /** What a process had queued when it was killed has been applied by its successor. */
  inheritanceApplied(slot: number): void {
    for (const write of this.#inherited.get(slot) ?? []) this.#confirm(write)
    this.#inherited.delete(slot)
  }

  /**
   * A process was killed. What it was about to write is nobody's, and so is what it had queued, unless its journal outlives it.
   */
  died(slot: number, journal: 'in memory' | 'in a file'): void {
    const queued = [...(this.#waiting.get(slot)?.values() ?? [])]
    this.#waiting.delete(slot)
    if (journal === 'in a file') this.#inherited.set(slot, [...(this.#inherited.get(slot) ?? []), ...queued])
    else for (const write of queued) this.#loseAll(write)
    for (const [key, writer] of this.#writers) {
      if (writer !== slot) continue
      this.#writers.delete(key)
      this.#lose(key, this.#versions[key] as number)
    }
  }

  /** From now on nothing can be confirmed. @returns what ends it */
  silence(slot?: number): () => void {
    const silence: Silence = { slot, from: now(), to: Number.POSITIVE_INFINITY }
    this.#silences.push(silence)
    return () => {
      silence.to = now()
    }
  }

  readPastNear(read: PastNear): void {
    this.#pastNear.push(read)
  }

  /**
   * What was read past the near tiers since the last time came from Redis, so nothing may be older than what had been applied
   * there when the read began.
   *
   * @param certain whether nothing else could go wrong meanwhile
   */
  judgePastNear(certain: boolean): number {
    const reads = this.#pastNear
    this.#pastNear = []
    if (certain) for (const read of reads) this.#judge(read)
    this.#applied.length = 0
    return certain ? reads.length : 0
  }

  #judge({ key, version, startedAt }: PastNear): void {
    for (const { keys, versions, endedAt, kind } of this.#applied) {
      const applied = versions[keys.indexOf(key)]
      if (applied === undefined || endedAt >= startedAt || version >= applied) continue
      const what = `version ${version} of ${key} was read while the stream was broken, after a ${kind} of ${applied}`
      this.#tell({ kind: 'stale in bypass', what })
      return
    }
  }

  #confirm({ keys, versions }: Write): void {
    for (const [i, key] of keys.entries()) {
      this.#confirmed[key] = Math.max(this.#confirmed[key] as number, versions[i] as number)
    }
  }

  #loseAll({ keys, versions }: Write): void {
    for (const [i, key] of keys.entries()) this.#lose(key, versions[i] as number)
  }

  #lose(key: number, version: number): void {
    this.lostWithProcess++
    this.#lost.set(key, Math.max(version, this.#lost.get(key) ?? 0))
  }

  #assertPossible(slot: number, { kind, startedAt, endedAt }: Write): void {
    for (const { slot: silent = slot, from, to } of this.#silences) {
      if (silent !== slot || startedAt < from + IN_FLIGHT || endedAt > to) continue
      this.#tell({
        kind: 'applied while nobody could',
        what: `${kind}, ${Math.round(startedAt - from)} ms into it`,
      })
    }
  }
}
