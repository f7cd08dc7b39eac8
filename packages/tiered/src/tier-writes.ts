import {
  type Entry,
  type FillOutcome,
  isPending,
  type Lease,
  type Store,
  type StoreCall,
  type WriteOutcome,
} from '@cache/core'
import type { NearTier } from './near-tier.ts'
import type { Settings } from './options.ts'
import type { Promotions } from './promotions.ts'
import type { Remote } from './remote.ts'
import type { TierWatch } from './tier-watch.ts'

export interface TierWritesOptions {
  readonly near: NearTier
  readonly remote: Remote
  readonly promotions: Promotions
  readonly watch: TierWatch
  readonly settings: Pick<Settings, 'l1' | 'replays'>
}

/** Writes to both tiers: what is read meanwhile is not kept near, and the outcome is honest for both. */
export class TierWrites {
  readonly #near: NearTier
  readonly #remote: Remote
  readonly #promotions: Promotions
  readonly #watch: TierWatch
  readonly #l1: Store
  readonly #replays: Settings['replays']
  /** Loaded values that the remote refused. */
  supersededFills = 0

  constructor({ near, remote, promotions, watch, settings }: TierWritesOptions) {
    this.#near = near
    this.#remote = remote
    this.#promotions = promotions
    this.#watch = watch
    this.#l1 = settings.l1
    this.#replays = settings.replays
  }

  /** Without a lease (the remote is away, or another process loads too long) it is kept here alone. */
  async fill(key: string, entry: Entry, lease: Lease | undefined, call?: StoreCall): Promise<FillOutcome> {
    if (!this.#remote.reads.leases) return this.set(key, entry, call)
    if (!lease) return this.#near.set(key, entry)
    const placeholder = this.#promotions.startRead(key)
    let far: FillOutcome
    try {
      far = await this.#remote.reads.fill(key, entry, lease, call)
    } finally {
      this.#promotions.endRead(key, placeholder)
    }
    this.#watch.note()
    if (far.status === 'superseded') this.supersededFills++
    // Of a fill that failed nobody knows whether the lease still stood.
    if (far.status === 'superseded' || far.status === 'failed') return far
    if (!this.#promotions.mayKeep(placeholder, entry)) return far
    return both(await this.#near.set(key, entry), far)
  }

  set(key: string, entry: Entry, call?: StoreCall): Promise<WriteOutcome> {
    const before = this.#replays ? this.#l1.get(key) : undefined
    return this.#writeBoth(
      [key],
      () => this.#near.set(key, entry),
      () => this.#remote.writes.set(key, entry, isPending(before) ? undefined : before, call),
    )
  }

  setMany(entries: ReadonlyMap<string, Entry>, call?: StoreCall): Promise<WriteOutcome> {
    return this.#writeBoth(
      [...entries.keys()],
      () => this.#near.setMany(entries),
      () => this.#remote.writes.setMany(entries, call),
    )
  }

  delete(key: string, call?: StoreCall): Promise<WriteOutcome> {
    return this.#writeBoth(
      [key],
      () => this.#near.delete(key),
      () => this.#remote.writes.delete(key, call),
    )
  }

  deleteMany(keys: readonly string[], call?: StoreCall): Promise<WriteOutcome> {
    return this.#writeBoth(
      keys,
      () => this.#near.deleteMany(keys),
      () => this.#remote.writes.deleteMany(keys, call),
    )
  }

  async touch(
    key: string,
    freshUntil: number,
    expiresAt: number,
    tags?: readonly string[],
  ): Promise<WriteOutcome> {
    const [far, near] = await Promise.all([
      this.#remote.writes.touch(key, freshUntil, expiresAt, tags),
      this.#near.touch(key, freshUntil, expiresAt),
    ])
    return both(near, far)
  }

  async clear(scope?: string): Promise<WriteOutcome> {
    const prefix = scope ?? ''
    this.#promotions.startClear(prefix)
    try {
      const [far, near] = await Promise.all([this.#remote.writes.clear(prefix), this.#near.dropScope(scope)])
      return both(near, far)
    } finally {
      this.#promotions.endClear(prefix)
      this.#watch.note()
    }
  }

  /** Only over a remote that keeps tags. */
  async invalidateTags(tags: readonly string[]): Promise<WriteOutcome> {
    this.#promotions.tags.invalidate(tags)
    const [far, near] = await Promise.all([
      this.#remote.writes.invalidateTags(tags),
      this.#near.dropTagged(tags),
    ])
    // What was read meanwhile may be from before, and near by now.
    this.#promotions.tags.invalidate(tags)
    await this.#near.dropTagged(tags)
    this.#watch.note()
    return both(near, far)
  }

  /** Sends a write to the remote, makes it near without waiting, and says what became of it. */
  async #writeBoth(
    keys: readonly string[],
    near: () => Promise<WriteOutcome>,
    far: () => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    for (const key of keys) this.#promotions.startWrite(key)
    try {
      const sent = far()
      const [outcome, kept] = await Promise.all([this.#orForget(keys, sent), near()])
      return both(kept, outcome)
    } finally {
      for (const key of keys) this.#promotions.endWrite(key)
      this.#watch.note()
    }
  }

  /** What the remote's serializer refuses, if only late, must not stay near. */
  async #orForget(keys: readonly string[], sent: Promise<WriteOutcome>): Promise<WriteOutcome> {
    try {
      return await sent
    } catch (fault) {
      await this.#near.drop(keys)
      throw fault
    }
  }
}

/** One outcome for both tiers: the remote's, unless the near tier failed. */
function both(near: WriteOutcome, far: WriteOutcome): WriteOutcome {
  if (near.status === 'applied') return far.status === 'failed' ? { ...far, status: 'partial' } : far
  return { ...near, status: 'partial' }
}
