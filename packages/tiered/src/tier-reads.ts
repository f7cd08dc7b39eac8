import {
  type Awaitable,
  type BatchRead,
  type Clock,
  CoarseClock,
  chain,
  type Entry,
  isPending,
  isVacant,
  type LeaseRead,
  type StoreCall,
} from '@cache/core'
import type { NearTier } from './near-tier.ts'
import type { Promotions } from './promotions.ts'
import type { Remote } from './remote.ts'
import type { AskForLease, Found } from './remote-reads.ts'
import type { TierWatch } from './tier-watch.ts'

export interface TierReadsOptions {
  readonly near: NearTier
  readonly remote: Remote
  readonly promotions: Promotions
  readonly watch: TierWatch
  readonly clock: Clock
}

/** Reads: near first, then far, keeping near what comes from there; past the near tier while that may be outdated. */
export class TierReads {
  readonly #near: NearTier
  readonly #remote: Remote
  readonly #promotions: Promotions
  readonly #watch: TierWatch
  readonly #clock: Pick<Clock, 'now'>
  #farHits = 0
  #farMisses = 0
  #promotedEntries = 0

  constructor({ near, remote, promotions, watch, clock }: TierReadsOptions) {
    this.#near = near
    this.#remote = remote
    this.#promotions = promotions
    this.#watch = watch
    this.#clock = CoarseClock.of(clock)
  }

  get farHits(): number {
    return this.#farHits
  }

  /** Reads that the remote answered, and had nothing. */
  get farMisses(): number {
    return this.#farMisses
  }

  /** How many entries of the remote were kept near. */
  get promotedEntries(): number {
    return this.#promotedEntries
  }

  get(key: string, ask?: AskForLease, call?: StoreCall): Awaitable<LeaseRead> {
    if (!this.#watch.trusted && this.#remote.available) return this.#getPastNear(key, ask, call)
    const near = this.#near.get(key)
    if (isPending(near)) return near.then(entry => this.#orFar(key, entry, ask, call))
    return this.#orFar(key, near, ask, call)
  }

  async getMany(keys: readonly string[], call?: StoreCall): Promise<BatchRead> {
    const pastNear = !this.#watch.trusted && this.#remote.available
    const near = pastNear ? new Map<string, Entry>() : await this.#near.getMany(keys)
    const missing = keys.filter(key => !near.has(key))
    const far = await this.#getManyFar(missing, call)
    if (far) return { found: new Map([...near, ...far]) }
    return { found: pastNear ? await this.#near.getMany(keys) : near }
  }

  /** What is near will do if it is fresh, or nobody asked for a fresh value. */
  #orFar(
    key: string,
    near: Entry | undefined,
    ask: AskForLease | undefined,
    call: StoreCall | undefined,
  ): Awaitable<LeaseRead> {
    if (!near) return this.#getFar(key, ask, call)
    if (!ask || this.#isFresh(near, ask.freshAt)) return near
    return chain(this.#getFar(key, ask, call), far =>
      isVacant(far) && !far.stale ? { ...far, stale: near } : (far ?? near),
    )
  }

  /** As the near tier hands out nothing that has expired, what expires no later than it goes stale is fresh: no look at the clock. */
  #isFresh({ freshUntil, expiresAt }: Entry, freshAt: number | undefined): boolean {
    if (freshAt !== undefined) return freshUntil > freshAt
    return freshUntil >= expiresAt || freshUntil > this.#clock.now()
  }

  /** Asks the remote, and keeps the answer near unless the key was written meanwhile. A failure is a miss. */
  #getFar(key: string, ask: AskForLease | undefined, call: StoreCall | undefined): Awaitable<LeaseRead> {
    const placeholder = this.#promotions.startRead(key)
    return chain(this.#remote.reads.get(key, ask, call), answer => {
      this.#promotions.endRead(key, placeholder)
      this.#watch.note()
      const entry = answer.ok ? answer.value : undefined
      if (!entry || isVacant(entry)) {
        if (answer.ok) this.#farMisses++
        return entry
      }
      this.#farHits++
      if (!this.#promotions.mayKeep(placeholder, entry) || !this.#watch.trusted) return entry
      this.#promotedEntries++
      return chain(this.#near.set(key, entry), () => entry)
    })
  }

  /**
   * The stream is broken but the remote is there: what it says is true, what is near may not be, and nothing is
   * kept. Only when the remote fails after all does the near tier answer.
   */
  #getPastNear(key: string, ask: AskForLease | undefined, call: StoreCall | undefined): Awaitable<LeaseRead> {
    return chain(this.#remote.reads.get(key, ask, call), answer => {
      this.#watch.note()
      if (!answer.ok) return this.#near.get(key)
      if (answer.value && !isVacant(answer.value)) this.#farHits++
      else this.#farMisses++
      return answer.value
    })
  }

  /** @returns `undefined` when the remote failed */
  async #getManyFar(keys: readonly string[], call: StoreCall | undefined): Promise<Found | undefined> {
    if (keys.length === 0) return new Map()
    const placeholders = keys.map(key => this.#promotions.startRead(key))
    const answer = await this.#remote.reads.getMany(keys, call)
    this.#watch.note()
    const promoted = new Map<string, Entry>()
    for (const [index, placeholder] of placeholders.entries()) {
      const key = keys[index] as string
      this.#promotions.endRead(key, placeholder)
      const entry = answer.ok ? answer.value.get(key) : undefined
      if (entry && this.#promotions.mayKeep(placeholder, entry)) promoted.set(key, entry)
    }
    if (!answer.ok) return undefined
    this.#farHits += answer.value.size
    this.#farMisses += keys.length - answer.value.size
    if (promoted.size > 0 && this.#watch.trusted) {
      this.#promotedEntries += promoted.size
      await this.#near.setMany(promoted)
    }
    return answer.value
  }
}
