import type { PolicyName, RemovalCause } from '../src/index.ts'

interface NaiveEntry {
  readonly key: string
  value: number
  weight: number
  expiresAt: number
  frequency: number
  rank: number
}

/** What a bounded map should do, written down in the plainest way. */
export class NaiveMap {
  /** Values are unique: why each of them left. */
  readonly causes: Map<number, RemovalCause> = new Map()
  readonly #policy: PolicyName
  readonly #maxBytes: number
  #maxItems: number
  /** In order of arrival or, for the policies that mind it, of last use. */
  #entries: NaiveEntry[] = []
  #age = 0

  constructor(policy: PolicyName, maxItems: number, maxBytes: number) {
    this.#policy = policy
    this.#maxItems = maxItems
    this.#maxBytes = maxBytes
  }

  get(key: string): number | undefined {
    const entry = this.#find(key)
    if (entry) this.#use(entry)
    return entry?.value
  }

  peek(key: string): number | undefined {
    return this.#find(key)?.value
  }

  /** @param pick tells the value of whom `random` is to evict next */
  set(key: string, value: number, weight: number, expiresAt: number, pick: Pick): boolean {
    const old = this.#find(key)
    if (weight > this.#maxBytes) {
      if (old) this.#remove(old, 'replaced')
      return false
    }
    if (old && this.#bytes() - old.weight + weight <= this.#maxBytes) {
      this.causes.set(old.value, 'replaced')
      Object.assign(old, { value, weight, expiresAt })
      this.#use(old)
      return true
    }
    if (old) this.#remove(old, 'replaced')
    while (this.#entries.length >= this.#maxItems || this.#bytes() + weight > this.#maxBytes)
      this.#evict(pick)
    this.#entries.push({ key, value, weight, expiresAt, frequency: 1, rank: this.#age + 1 })
    return true
  }

  touch(key: string, expiresAt: number): boolean {
    const entry = this.#find(key)
    if (entry) entry.expiresAt = expiresAt
    return entry !== undefined
  }

  delete(key: string): boolean {
    const entry = this.#find(key)
    if (entry) this.#remove(entry, 'explicit')
    return entry !== undefined
  }

  clear(): void {
    for (const entry of [...this.#entries]) this.#remove(entry, 'cleared')
    this.#age = 0
  }

  resize(maxItems: number, pick: Pick): void {
    this.#maxItems = maxItems
    while (this.#entries.length > maxItems) this.#evict(pick)
  }

  expire(now: number): void {
    for (const entry of [...this.#entries]) if (entry.expiresAt <= now) this.#remove(entry, 'expired')
  }

  /** The next victim first. */
  entries(): readonly NaiveEntry[] {
    return this.#policy === 'lfu' ? this.#entries.toSorted((a, b) => a.rank - b.rank) : this.#entries
  }

  #find(key: string): NaiveEntry | undefined {
    return this.#entries.find(entry => entry.key === key)
  }

  #bytes(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.weight, 0)
  }

  #use(entry: NaiveEntry): void {
    if (this.#policy === 'fifo' || this.#policy === 'random') return
    entry.frequency = Math.min(entry.frequency + 1, 63)
    entry.rank = this.#age + entry.frequency
    this.#entries = [...this.#entries.filter(other => other !== entry), entry]
  }

  #evict(pick: Pick): void {
    const victim = this.#policy === 'random' ? this.#holding(pick()) : this.entries()[0]
    if (!victim) throw new Error('an entry was evicted that is not there')
    this.#age = victim.rank
    this.#remove(victim, 'evicted')
  }

  #holding(value: number | undefined): NaiveEntry | undefined {
    return this.#entries.find(entry => entry.value === value)
  }

  #remove(entry: NaiveEntry, cause: RemovalCause): void {
    this.causes.set(entry.value, cause)
    this.#entries = this.#entries.filter(other => other !== entry)
  }
}

export type Pick = () => number | undefined
