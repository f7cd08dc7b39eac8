import { APPLIED, type Clock, failed, type Invalidation, toCacheError, type WriteOutcome } from '@cache/core'
import type { Sender } from './bus/sender.ts'
import type { Keyspace } from './keyspace.ts'
import type { Pool } from './pool.ts'
import { INVALIDATE_TAGS, MARK_TAGS } from './scripts/order-scripts.ts'
import type { ServerOrder } from './server-order.ts'
import { timeLeft } from './time-left.ts'
import { toVersion } from './version.ts'

export interface TagsOptions {
  readonly pool: Pool
  readonly keys: Keyspace
  readonly order: ServerOrder
  readonly channel: string
  readonly sender: Sender
  readonly writeMs: number
  readonly clock: Clock
}

/** What is written with tags. */
export interface Tagged {
  readonly tags: readonly string[]
  readonly stamp: number
  /** How long it lives from now, in milliseconds. */
  readonly ttlMs: number
}

/** Tags of one script: Redis does nothing else meanwhile. */
const TAGS_PER_SCRIPT = 500

/**
 * Tags as versions in Redis: invalidating one writes one key, however many entries have it. See {@link ServerOrder}.
 *
 * An entry whose tag has no marker does not count. So it matters neither whether the marker or the entry comes first, nor
 * what becomes of the other if one of them fails, nor that Redis may evict a marker.
 */
export class Tags {
  readonly #options: TagsOptions

  constructor(options: TagsOptions) {
    this.#options = options
  }

  /** Sees to it that all these tags have markers that live as long as what is written. @param until its deadline, epoch ms */
  async mark(written: readonly Tagged[], until: number): Promise<void> {
    // Of all together the earliest stamp and the longest life: that is right for each.
    const tags = [...new Set(written.flatMap(each => each.tags))]
    const stamp = Math.min(...written.map(each => each.stamp))
    const ttlMs = Math.max(...written.map(each => each.ttlMs))
    const parts: Promise<void>[] = []
    for (let i = 0; i < tags.length; i += TAGS_PER_SCRIPT) {
      parts.push(this.#mark({ tags: tags.slice(i, i + TAGS_PER_SCRIPT), stamp, ttlMs }, until))
    }
    await Promise.all(parts)
  }

  async invalidate(tags: readonly string[]): Promise<WriteOutcome> {
    const { pool, keys, order, channel, sender, writeMs, clock } = this.#options
    if (tags.length === 0) return APPLIED
    const invalidation: Invalidation = { type: 'tags', tags }
    const until = clock.now() + writeMs
    try {
      const send = () =>
        pool.run('invalidateTags', pool.forInvalidation(), timeLeft(clock, until), client =>
          INVALIDATE_TAGS.run(
            client,
            [keys.last, keys.clears, keys.recent, ...tags.map(tag => keys.tagKeyOf(tag))],
            [order.latest, channel, sender.openMessage(invalidation), ...tags],
          ),
        )
      return await order.change(send, version => order.noteTags(tags, version))
    } catch (thrown) {
      return failed(toCacheError(thrown, 'STORE', 'the tags could not be invalidated'))
    }
  }

  async #mark({ tags, stamp, ttlMs }: Tagged, until: number): Promise<void> {
    const { pool, keys, order, clock } = this.#options
    const ms = timeLeft(clock, until)
    const tracked = order.tags.track(tags)
    const answer = await pool.run('set', pool.forRead(), ms, client =>
      MARK_TAGS.run(
        client,
        [keys.last, keys.clears, keys.recent, ...tags.map(tag => keys.tagKeyOf(tag))],
        [stamp, ttlMs, ...tags],
      ),
    )
    const [latest = 0, ...versions] = (answer as readonly unknown[]).map(text => toVersion(String(text)))
    order.noteLatest(latest)
    order.tags.settle(tags, tracked, versions)
  }
}
