import {
  type Awaitable,
  batchOutcome,
  CacheError,
  type Clock,
  type Entry,
  type FillOutcome,
  failed,
  isCallersFault,
  isPending,
  type Lease,
  type StoreOperation,
  SUPERSEDED,
  toCacheError,
  type WriteOutcome,
} from '@cache/core'
import type { Sender } from './bus/sender.ts'
import type { EntryCodec } from './entry-codec.ts'
import { writeStamp } from './envelope.ts'
import type { Keyspace } from './keyspace.ts'
import { allowance } from './lanes.ts'
import type { LargeKeys } from './large-keys.ts'
import { tokenBytes } from './leases.ts'
import type { Pool } from './pool.ts'
import { FILL, REPLACE } from './scripts/lease-scripts.ts'
import type { Script } from './scripts/script.ts'
import { type ServerOrder, toldOutcome } from './server-order.ts'
import type { Tagged, Tags } from './tags.ts'
import { timeLeft } from './time-left.ts'
import { Turns } from './turns.ts'
import type { Write, Writer } from './writer.ts'

export interface EntryWriterOptions {
  readonly writer: Writer
  readonly pool: Pool
  readonly largeKeys: LargeKeys
  readonly keys: Keyspace
  readonly codec: EntryCodec
  readonly order: ServerOrder
  readonly tags: Tags
  readonly batchSize: number
  readonly channel: string
  readonly sender: Sender
  readonly writeMs: number
  readonly clock: Clock
}

/** The longest time to live that is sent to Redis, for entries that never expire: a hundred years. */
const MAX_TTL_MS = 36_500 * 86_400_000

/** Turns entries into writes: encoded, stamped, with markers for their tags, and sent in the order of the calls. */
export class EntryWriter {
  readonly #options: EntryWriterOptions
  readonly #turns = new Turns()

  constructor(options: EntryWriterOptions) {
    this.#options = options
  }

  /** @throws CacheError `SERIALIZATION` or `INVALID_VALUE` if a single value is, at once, before any is written */
  set(
    operation: StoreOperation,
    entries: readonly (readonly [key: string, entry: Entry])[],
    deadlineMs: number = this.#options.writeMs,
  ): Promise<WriteOutcome> {
    const { order, clock } = this.#options
    const now = clock.now()
    const until = now + deadlineMs
    // Half the time for the question: without an answer the write is sent all the same, or says why it cannot be.
    const stamp = order.stamp(now + deadlineMs / 2)
    const writes = entries.map(([key, entry]) => this.#encode(key, entry, isPending(stamp) ? 0 : stamp, now))
    const keys = entries.map(([key]) => key)
    if (!isPending(stamp) && !writes.some(isPending) && this.#mayStart(keys)) {
      return this.#send(operation, entries, writes as Write[], { stamp, until })
    }
    return this.#inTurn(operation, entries, keys, Promise.all([stamp, ...writes]), until)
  }

  remove(
    operation: StoreOperation,
    keys: readonly string[],
    deadlineMs: number = this.#options.writeMs,
  ): Promise<WriteOutcome> {
    const { writer, writeMs } = this.#options
    const writes = keys.map(key => ({ key }))
    const spentMs = writeMs - deadlineMs
    if (this.#mayStart(keys)) return writer.write(operation, writes, spentMs)
    return this.#turns.take(keys, Promise.resolve(), (_, until) =>
      writer.write(operation, writes, spentMs, sentBefore(until)),
    )
  }

  /** A batch of several chunks is sent bit by bit: until all of it is, later writes of its keys have to wait. */
  #mayStart(keys: readonly string[]): boolean {
    return keys.length <= this.#options.batchSize && this.#turns.areFree(keys)
  }

  /** Stores what was loaded under a lease, and says so to the other processes. */
  fill(key: string, entry: Entry, { token, stamp = 0 }: Lease, deadlineMs?: number): Promise<FillOutcome> {
    return this.#storeIf(FILL, tokenBytes(token), key, entry, stamp, deadlineMs)
  }

  /** Stores an entry in the place of another one. Whatever outdates that one outdates this one, too. */
  replace(key: string, entry: Entry, { createdAt, stamp = 0 }: Entry): Promise<FillOutcome> {
    const created = Buffer.allocUnsafe(8)
    created.writeDoubleBE(createdAt)
    return this.#storeIf(REPLACE, created, key, entry, stamp)
  }

  /** Stores an entry where a script finds what it looks for. */
  async #storeIf(
    script: Script,
    condition: Buffer,
    key: string,
    entry: Entry,
    stamp: number,
    deadlineMs: number = this.#options.writeMs,
  ): Promise<FillOutcome> {
    const { codec, order, clock } = this.#options
    const now = clock.now()
    const until = now + deadlineMs
    const ttlMs = this.ttlMs(entry, now)
    if (ttlMs <= 0) return SUPERSEDED
    const encoded = codec.encode(entry, stamp)
    const bytes = isPending(encoded) ? await encoded : encoded
    try {
      const sent = this.#sendIf(script, condition, key, bytes, ttlMs, deadlineMs)
      // Alone by far the most often.
      const alone = !entry.tags?.length && order.isCaughtUp
      const answer = await (alone ? sent : this.#besides(sent, entry, stamp, ttlMs, until))
      if (answer === 0) return SUPERSEDED
      const outdated = order.isOutdated(key, entry.tags, stamp, until)
      if (isPending(outdated) ? await outdated : outdated) return SUPERSEDED
      return toldOutcome(answer)
    } catch (thrown) {
      return failed(toCacheError(thrown, 'STORE', 'what was loaded could not be stored'))
    }
  }

  /** What else it takes for a fill to count, on the way at the same time. @returns what `sent` does */
  async #besides(
    sent: Promise<unknown>,
    { tags }: Entry,
    stamp: number,
    ttlMs: number,
    until: number,
  ): Promise<unknown> {
    const { order } = this.#options
    const [answer] = await Promise.all([
      sent,
      tags?.length ? this.#options.tags.mark([{ tags, stamp, ttlMs }], until) : undefined,
      order.isCaughtUp ? undefined : order.catchUp(until),
    ])
    return answer
  }

  /** Resolves when all writes asked for so far are on their way. */
  whenSent(): Promise<void> {
    return this.#turns.whenStarted()
  }

  /** How long an entry is to be kept, in milliseconds; 0 or less if it is over. */
  ttlMs({ expiresAt }: Pick<Entry, 'expiresAt'>, now: number = this.#options.clock.now()): number {
    return Math.min(Math.ceil(expiresAt - now), MAX_TTL_MS)
  }

  /** An entry that is over already removes what was there. */
  #encode(key: string, entry: Entry, stamp: number, now: number): Awaitable<Write> {
    const ttlMs = this.ttlMs(entry, now)
    if (ttlMs <= 0) return { key }
    const bytes = this.#options.codec.encode(entry, stamp)
    if (!isPending(bytes)) return { key, stored: { bytes, ttlMs } }
    return bytes.then(late => ({ key, stored: { bytes: late, ttlMs } }))
  }

  async #inTurn(
    operation: StoreOperation,
    entries: readonly (readonly [string, Entry])[],
    keys: readonly string[],
    ready: Promise<readonly [stamp: number, ...writes: Write[]]>,
    until: number,
  ): Promise<WriteOutcome> {
    try {
      return await this.#turns.take(keys, ready, ([stamp, ...writes], hold) => {
        for (const { stored } of writes) if (stored) writeStamp(stored.bytes, stamp)
        return this.#send(operation, entries, writes, { stamp, until, onSent: sentBefore(hold) })
      })
    } catch (thrown) {
      if (isCallersFault(thrown)) throw thrown
      return failed(toCacheError(thrown, 'STORE', 'the write could not be prepared'))
    }
  }

  #send(
    operation: StoreOperation,
    entries: readonly (readonly [string, Entry])[],
    writes: readonly Write[],
    { stamp, until, onSent }: Sending,
  ): Promise<WriteOutcome> {
    const { writer, clock, writeMs } = this.#options
    const written = writer.write(operation, writes, writeMs - timeLeft(clock, until), onSent)
    const tagged = entries.filter(([, { tags }]) => tags !== undefined && tags.length > 0)
    return tagged.length === 0 ? written : this.#marked(written, entries.length, tagged, stamp, until)
  }

  /** Without markers for its tags an entry does not count: what Redis has of it nobody reads. */
  async #marked(
    written: Promise<WriteOutcome>,
    size: number,
    tagged: readonly (readonly [string, Entry])[],
    stamp: number,
    until: number,
  ): Promise<WriteOutcome> {
    const marks = tagged.flatMap(([, entry]): Tagged[] => {
      const ttlMs = this.ttlMs(entry)
      return ttlMs > 0 ? [{ tags: entry.tags ?? [], stamp, ttlMs }] : []
    })
    const [outcome, error] = await Promise.all([
      written,
      marks.length === 0 ? undefined : this.#options.tags.mark(marks, until).catch(toStoreError),
    ])
    const lost = error
      ? tagged.map(([key]) => [key, error] as const)
      : await this.#outdated(tagged, stamp, until)
    return lost.length === 0 ? outcome : batchOutcome(size, new Map([...lost, ...(outcome.failures ?? [])]))
  }

  /**
   * What was written and does not count: the latest version could not be had in time, as may happen to the first write of a
   * process, so that the stamp is earlier than a marker.
   */
  async #outdated(
    tagged: readonly (readonly [string, Entry])[],
    stamp: number,
    until: number,
  ): Promise<(readonly [string, CacheError])[]> {
    const { order } = this.#options
    if (stamp >= order.latest) return []
    const error = new CacheError('TIMEOUT', 'Redis did not tell in time what its tags are compared with')
    const checked = tagged.map(async ([key, { tags }]) => {
      const outdated = await Promise.resolve(order.isOutdated(key, tags, stamp, until)).catch(() => true)
      return outdated ? [[key, error] as const] : []
    })
    return (await Promise.all(checked)).flat()
  }

  #sendIf(
    script: Script,
    condition: Buffer,
    key: string,
    bytes: Buffer,
    ttlMs: number,
    deadlineMs: number,
  ): Promise<unknown> {
    const { pool, largeKeys, keys, channel, sender } = this.#options
    largeKeys.note(key, bytes.length)
    const message = sender.keyMessage(key)
    const route = pool.routeOf(key, bytes.length)
    return pool.write('set', route, [key], deadlineMs + allowance(bytes.length), client =>
      script.run(client, [keys.keyOf(key)], [condition, bytes, ttlMs, channel, message]),
    )
  }
}

/** How entries are sent. */
interface Sending {
  readonly stamp: number
  /** The deadline, epoch ms. */
  readonly until: number
  readonly onSent?: () => void
}

/** What to call when all is sent, for a turn that is to be kept until then. */
function sentBefore(until: (sent: Promise<void>) => void): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  until(promise)
  return resolve
}

function toStoreError(thrown: unknown): CacheError {
  return toCacheError(thrown, 'STORE', 'the tags could not be marked')
}
