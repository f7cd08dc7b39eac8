import { CacheError, type Clock, type Entry, isPending, type Lease, type LeaseRead } from '@cache/core'
import { setOrGetBytes } from './commands.ts'
import { isPlaceholder, packPlaceholder, refreshedUntilOf, stampOf, tokenOf } from './envelope.ts'
import type { Keyspace } from './keyspace.ts'
import { allowance } from './lanes.ts'
import type { LargeKeys } from './large-keys.ts'
import type { Pool } from './pool.ts'
import type { Reader } from './reader.ts'
import { replyCode } from './redact.ts'
import type { RedisLike } from './redis-like.ts'
import { LEASE_OVER, LEASE_REFRESH, READ_OR_LEASE, RELEASE, RENEW } from './scripts/lease-scripts.ts'
import type { ServerOrder } from './server-order.ts'
import { timeLeft } from './time-left.ts'

export interface LeasesOptions {
  readonly pool: Pool
  readonly largeKeys: LargeKeys
  readonly keys: Keyspace
  readonly reader: Reader
  readonly order: ServerOrder
  readonly readMs: number
  readonly writeMs: number
  readonly clock: Clock
}

/** What was read, and whether the server would not let us leave anything where nothing was. */
interface Found {
  readonly bytes: Buffer | null
  readonly refused?: true
}

/** What Redis answers when it cannot write now, though it may be read. */
const WRITES_REFUSED: ReadonlySet<string> = new Set(['READONLY', 'OOM', 'MISCONF', 'NOREPLICAS', 'NOPERM'])

/**
 * Who loads a missing value. A lease lies where the value will: a placeholder with a token. Whoever writes or removes the
 * key, be it by redis-cli, takes it away, and what was loaded is stored only while it is there.
 */
export class Leases {
  readonly #options: LeasesOptions
  /** Whether the server knows `SET … NX GET`, as it does since 7.0. */
  #hasNxGet = true

  constructor(options: LeasesOptions) {
    this.#options = options
  }

  /** As `getOrLease` of {@link Leasing}. */
  async read(
    key: string,
    leaseMs: number,
    freshAt?: number,
    deadlineMs: number = this.#options.readMs,
  ): Promise<LeaseRead> {
    const { order, reader, keys, pool, clock } = this.#options
    const until = clock.now() + deadlineMs
    const stamp = order.stamp(until - deadlineMs / 2)
    const placeholder = packPlaceholder(isPending(stamp) ? await stamp : stamp)
    const reading = this.#readOrLease(key, placeholder, leaseMs, timeLeft(clock, until))
    if (!order.isCaughtUp) await Promise.all([reading, order.catchUp(until)])
    const { bytes, refused } = await reading
    if (!bytes) return refused ? undefined : vacant(placeholder)
    if (isPlaceholder(bytes)) return { vacant: true, lease: undefined }
    const entry = await reader.interpret('get', key, bytes, until)
    if (entry && !refused && entry.freshUntil <= (freshAt ?? clock.now())) {
      return this.#readStale(key, entry, bytes, leaseMs, until)
    }
    if (entry || refused) return entry
    // Something is there that counts no more: replaced, if it is still the same. What outdated it may be news to us.
    const current = packPlaceholder(await order.stamp(until))
    const granted = await pool.run('get', pool.forRead(), timeLeft(clock, until), client =>
      LEASE_OVER.run(client, [keys.keyOf(key)], [tokenOf(bytes), current, leaseMs]),
    )
    return granted === 1 ? vacant(current) : { vacant: true, lease: undefined }
  }

  /** The clocks of server and process differ: what seems to be refreshed for longer than a lease lasts is asked for. */
  async #readStale(
    key: string,
    stale: Entry,
    bytes: Buffer,
    leaseMs: number,
    until: number,
  ): Promise<LeaseRead> {
    const { order, keys, pool, clock } = this.#options
    const refreshedUntil = refreshedUntilOf(bytes)
    if (refreshedUntil === undefined) return stale
    const refreshedFor = refreshedUntil - clock.now()
    if (refreshedFor > 0 && refreshedFor <= leaseMs) return { vacant: true, lease: undefined, stale }
    const lease = leaseIn(packPlaceholder(await order.stamp(until)))
    const granted = await pool.run('get', pool.forRead(), timeLeft(clock, until), client =>
      LEASE_REFRESH.run(client, [keys.keyOf(key)], [tokenOf(bytes), tokenBytes(lease.token), leaseMs]),
    )
    return { vacant: true, lease: granted === 1 ? lease : undefined, stale }
  }

  async renew(key: string, { token }: Lease, leaseMs: number): Promise<boolean> {
    const { pool, keys, writeMs } = this.#options
    const stood = await pool.run('renew', pool.forRead(), writeMs, client =>
      RENEW.run(client, [keys.keyOf(key)], [tokenBytes(token), leaseMs]),
    )
    return stood === 1
  }

  async release(key: string, { token }: Lease): Promise<void> {
    const { pool, keys, writeMs } = this.#options
    await pool.run('release', pool.forRead(), writeMs, client =>
      RELEASE.run(client, [keys.keyOf(key)], [tokenBytes(token)]),
    )
  }

  async #readOrLease(key: string, placeholder: Buffer, leaseMs: number, ms: number): Promise<Found> {
    const { pool, largeKeys, keys, readMs } = this.#options
    const expected = largeKeys.sizeOf(key)
    const connection = pool.forRead(expected)
    const redisKey = keys.keyOf(key)
    try {
      const found = await pool.run('get', connection, ms + allowance(expected), client =>
        this.#ask(client, redisKey, placeholder, leaseMs),
      )
      largeKeys.note(key, found.bytes?.length ?? 0)
      return found
    } catch (thrown) {
      if (thrown instanceof CacheError && thrown.code === 'TIMEOUT') {
        // It may yet be granted, with nobody to hold it: given back, on the same connection behind it.
        const release = [[redisKey], [tokenOf(placeholder)]] as const
        pool.run('release', connection, readMs, client => RELEASE.run(client, ...release)).catch(() => {})
      }
      throw thrown
    }
  }

  #ask(client: RedisLike, key: string, placeholder: Buffer, leaseMs: number): Promise<Found> {
    const asked = this.#hasNxGet
      ? setOrGetBytes(client, key, placeholder, leaseMs)
      : READ_OR_LEASE.runBuffer(client, [key], [placeholder, leaseMs])
    return asked.then(
      bytes => ({ bytes }),
      (thrown: unknown) => this.#makeDo(thrown, client, key, placeholder, leaseMs),
    )
  }

  /** A server that refuses writes is read only. What is no string is leased over, like any other foreign bytes. */
  async #makeDo(
    thrown: unknown,
    client: RedisLike,
    key: string,
    placeholder: Buffer,
    leaseMs: number,
  ): Promise<Found> {
    const reply = replyCode(thrown) ?? ''
    if (WRITES_REFUSED.has(reply)) return { bytes: await client.getBuffer(key), refused: true }
    if (reply === 'WRONGTYPE') return { bytes: FOREIGN }
    if (!this.#hasNxGet || !/syntax error/.test((thrown as Error).message)) throw thrown
    this.#hasNxGet = false
    return this.#ask(client, key, placeholder, leaseMs)
  }
}

const FOREIGN = Buffer.alloc(0)

/** Granted: the placeholder is there. */
function vacant(placeholder: Buffer): LeaseRead {
  return { vacant: true, lease: leaseIn(placeholder) }
}

function leaseIn(placeholder: Buffer): Lease {
  return { token: tokenOf(placeholder).toString('hex'), stamp: stampOf(placeholder) }
}

/** A token as it lies in Redis. */
export function tokenBytes(token: string): Buffer {
  return Buffer.from(token, 'hex')
}
