import {
  APPLIED,
  type Clock,
  type Coherent,
  type Entry,
  type FillOutcome,
  isExpired,
  type Lease,
  type LeaseRead,
  type Leasing,
  type Store,
  SUPERSEDED,
  type WriteOutcome,
} from '@cache/core'
import { TestBus } from './stores.ts'

/** What several processes share: entries, leases in their place, and a word to everyone about each write. */
export class Server {
  readonly entries: Map<string, Entry> = new Map()
  readonly leases: Map<string, { token: string; until: number }> = new Map()
  readonly processes: Set<LeasingStore> = new Set()
  granted = 0

  tell(key: string, from: LeasingStore): void {
    for (const process of this.processes) {
      process.bus.receive({ type: 'keys', keys: [key] }, process === from ? process.bus.id : 'a peer')
    }
  }
}

/** One process' store over the server. */
export class LeasingStore implements Store, Leasing, Coherent {
  readonly name: string = 'leasing'
  readonly bus: TestBus = new TestBus()
  readonly #server: Server
  readonly #clock: Clock
  /** Whether it hands out stale entries as if they were fresh, as a store that does not look at `freshAt` does. */
  knowsNoGrace = false
  /** While it is true every call fails. */
  away = false

  constructor(server: Server, clock: Clock) {
    this.#server = server
    this.#clock = clock
    server.processes.add(this)
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#reach()
    const entry = this.#server.entries.get(key)
    return entry && !isExpired(entry, this.#clock.now()) ? entry : undefined
  }

  async getOrLease(key: string, leaseMs: number, freshAt?: number): Promise<LeaseRead> {
    const entry = await this.get(key)
    const now = this.#clock.now()
    if (entry && (this.knowsNoGrace || entry.freshUntil > (freshAt ?? now))) return entry
    const vacancy = { vacant: true, ...(entry && { stale: entry }) } as const
    if ((this.#server.leases.get(key)?.until ?? 0) > now) return { ...vacancy, lease: undefined }
    const token = String(++this.#server.granted)
    this.#server.leases.set(key, { token, until: now + leaseMs })
    return { ...vacancy, lease: { token, stamp: 7 } }
  }

  async fill(key: string, entry: Entry, lease: Lease | undefined): Promise<FillOutcome> {
    this.#reach()
    if (!lease || !this.#stands(key, lease)) return SUPERSEDED
    return this.set(key, entry)
  }

  async renew(key: string, lease: Lease, leaseMs: number): Promise<boolean> {
    this.#reach()
    if (!this.#stands(key, lease)) return false
    this.#server.leases.set(key, { token: lease.token, until: this.#clock.now() + leaseMs })
    return true
  }

  async release(key: string, lease: Lease): Promise<void> {
    if (this.#stands(key, lease)) this.#server.leases.delete(key)
  }

  async set(key: string, entry: Entry): Promise<WriteOutcome> {
    this.#reach()
    this.#server.leases.delete(key)
    this.#server.entries.set(key, entry)
    this.#server.tell(key, this)
    return APPLIED
  }

  async delete(key: string): Promise<WriteOutcome> {
    this.#reach()
    this.#server.leases.delete(key)
    this.#server.entries.delete(key)
    this.#server.tell(key, this)
    return APPLIED
  }

  clear(): WriteOutcome {
    this.#server.entries.clear()
    this.#server.leases.clear()
    return APPLIED
  }

  close(): void {}

  #stands(key: string, lease: Lease): boolean {
    const current = this.#server.leases.get(key)
    return current?.token === lease.token && current.until > this.#clock.now()
  }

  #reach(): void {
    if (this.away) throw new Error('away')
  }
}
