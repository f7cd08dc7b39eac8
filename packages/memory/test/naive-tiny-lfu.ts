import { without } from './naive-policies.ts'

interface Ghost {
  readonly fingerprint: number
  frequency: number
}

/** W-TinyLFU with a window of one share, over keys that are their own hashes. All counts are halved by hand. */
export class NaiveTinyLfu {
  window: number[] = []
  probation: number[] = []
  protected: number[] = []
  readonly frequency: Map<number, number> = new Map()
  readonly #read = new Set<number>()
  readonly #share: number
  #limit: number
  #capacity: number
  #buckets: Ghost[][] = []
  #ghostsFor = 0
  #accesses = 0

  constructor(maxItems: number, share: number) {
    this.#limit = this.#capacity = maxItems
    this.#share = share
  }

  limit(maxItems: number): void {
    this.#limit = this.#capacity = maxItems
  }

  admit(key: number): void {
    this.#turn()
    this.frequency.set(key, Math.min(15, this.#takeGhost(key) + 1))
    this.window.push(key)
    for (let i = 0; i < 2 && this.window.length > this.#windowTarget(); i++) this.#toProbation(this.window)
    this.#demote()
  }

  use(key: number): void {
    this.#turn()
    this.frequency.set(key, Math.min(15, this.#frequencyOf(key) + 1))
    this.#read.add(key)
    if (this.window.includes(key)) this.window = [...without(this.window, key), key]
  }

  remove(key: number): void {
    this.window = without(this.window, key)
    this.probation = without(this.probation, key)
    this.protected = without(this.protected, key)
    this.#read.delete(key)
  }

  victim(): number {
    const held = Math.min(this.window.length + this.probation.length + this.protected.length, this.#limit)
    this.#capacity = held
    if (held > 2 * this.#ghostsFor || held < this.#ghostsFor / 2) {
      this.#ghostsFor = held
      this.#buckets = Array.from({ length: Math.ceil((4 * held) / 8) }, () => [])
    }
    const key = this.#loser()
    const ghost = { fingerprint: key & 2047, frequency: this.#frequencyOf(key) }
    if (ghost.frequency > 0) this.#bucket(key).unshift(ghost)
    this.#bucket(key).splice(8)
    return key
  }

  #loser(): number {
    const defender = this.#defender()
    const candidate = this.window[0]
    if (defender === undefined) return candidate as number
    if (candidate === undefined || this.window.length < this.#windowTarget()) return defender
    if (this.#frequencyOf(candidate) < 2) return candidate
    if (this.#frequencyOf(candidate) > this.#frequencyOf(defender)) {
      this.#toProbation(this.window)
      return defender
    }
    const list = this.probation.includes(defender) ? this.probation : this.protected
    list.push(...list.splice(list.indexOf(defender), 1))
    return candidate
  }

  #defender(): number | undefined {
    for (let tries = 0; tries < 8; tries++) {
      if (this.probation.length === 0 && this.protected.length === 0) return undefined
      if (this.probation.length === 0) this.#toProbation(this.protected)
      const key = this.probation[0] as number
      if (!this.#read.delete(key)) return key
      this.protected.push(this.probation.shift() as number)
      this.#demote()
    }
    return this.probation[0] ?? this.protected[0]
  }

  #demote(): void {
    const most = Math.floor((this.#capacity - this.#windowTarget()) * 0.8)
    for (let tries = 0; tries < 8 && this.protected.length > most; tries++) {
      if (this.#read.delete(this.protected[0] as number))
        this.protected.push(this.protected.shift() as number)
      else this.#toProbation(this.protected)
    }
  }

  #toProbation(list: number[]): void {
    const key = list.shift() as number
    this.#read.delete(key)
    this.probation.push(key)
  }

  #windowTarget(): number {
    return Math.max(1, Math.round(this.#capacity * this.#share))
  }

  #turn(): void {
    if (++this.#accesses < this.#capacity * 10) return
    this.#accesses = 0
    for (const [key, frequency] of this.frequency) this.frequency.set(key, frequency >> 1)
    for (const [i, bucket] of this.#buckets.entries()) {
      // Ghosts that count for nothing take up room until the next turn.
      this.#buckets[i] = bucket.filter(ghost => ghost.frequency > 0)
      for (const ghost of bucket) ghost.frequency >>= 1
    }
  }

  #takeGhost(key: number): number {
    if (this.#buckets.length === 0) return 0
    const bucket = this.#bucket(key)
    const at = bucket.findIndex(ghost => ghost.fingerprint === (key & 2047))
    return at < 0 ? 0 : (bucket.splice(at, 1)[0] as Ghost).frequency
  }

  #bucket(key: number): Ghost[] {
    return this.#buckets[Math.floor(((key >>> 0) / 2 ** 32) * this.#buckets.length)] as Ghost[]
  }

  #frequencyOf(key: number): number {
    return this.frequency.get(key) as number
  }
}
