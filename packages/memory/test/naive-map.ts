import type { PolicyName, RemovalCause } from '../src/index.ts'
import { type NaivePolicy, naivePolicy } from './naive-policies.ts'

interface NaiveEntry {
  readonly key: string
  value: number
  weight: number
  expiresAt: number
}

/** What a bounded map should do, written down in the plainest way. */
export class NaiveMap {
  /** Values are unique: why each of them left. */
  readonly causes: Map<number, RemovalCause> = new Map()
  readonly #policyName: PolicyName
  readonly #maxBytes: number
  #maxItems: number
  #policy: NaivePolicy<string> | undefined
  #entries: NaiveEntry[] = []

  constructor(policy: PolicyName, maxItems: number, maxBytes: number) {
    this.#policyName = policy
    this.#policy = naivePolicy(policy)
    this.#maxItems = maxItems
    this.#maxBytes = maxBytes
  }

  get(key: string): number | undefined {
    const entry = this.#find(key)
    if (entry) this.#policy?.use(key)
    return entry?.value
  }

  peek(key: string): number | undefined {
    return this.#find(key)?.value
  }

  /** @param pick tells the value of who is to be evicted next, where there is no naive policy that could */
  set(key: string, value: number, weight: number, expiresAt: number, pick: Pick): boolean {
    const old = this.#find(key)
    if (weight > this.#maxBytes) {
      if (old) this.#remove(old, 'replaced')
      return false
    }
    if (old && this.#bytes() - old.weight + weight <= this.#maxBytes) {
      this.causes.set(old.value, 'replaced')
      Object.assign(old, { value, weight, expiresAt })
      this.#policy?.use(key)
      return true
    }
    if (old) this.#remove(old, 'replaced')
    this.#policy?.arrive(key)
    while (this.#entries.length >= this.#maxItems || this.#bytes() + weight > this.#maxBytes)
      this.#evict(pick)
    this.#entries.push({ key, value, weight, expiresAt })
    this.#policy?.admit(key)
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
    this.#policy = naivePolicy(this.#policyName)
  }

  resize(maxItems: number, pick: Pick): void {
    this.#maxItems = maxItems
    while (this.#entries.length > maxItems) this.#evict(pick)
  }

  expire(now: number): void {
    for (const entry of [...this.#entries]) if (entry.expiresAt <= now) this.#remove(entry, 'expired')
  }

  /** The next victim first, where there is a naive policy that knows. */
  entries(): readonly NaiveEntry[] {
    return this.#policy?.order().map(key => this.#find(key) as NaiveEntry) ?? this.#entries
  }

  #find(key: string): NaiveEntry | undefined {
    return this.#entries.find(entry => entry.key === key)
  }

  #bytes(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.weight, 0)
  }

  #evict(pick: Pick): void {
    const victim = this.#policy ? this.#find(this.#policy.victim()) : this.#holding(pick())
    if (!victim) throw new Error('an entry was evicted that is not there')
    this.#remove(victim, 'evicted')
  }

  #holding(value: number | undefined): NaiveEntry | undefined {
    return this.#entries.find(entry => entry.value === value)
  }

  #remove(entry: NaiveEntry, cause: RemovalCause): void {
    this.causes.set(entry.value, cause)
    this.#entries = this.#entries.filter(other => other !== entry)
    this.#policy?.remove(entry.key)
  }
}

export type Pick = () => number | undefined
