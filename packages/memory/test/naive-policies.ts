import type { PolicyName } from '../src/index.ts'

/** What a policy should do, written down in the plainest way: over keys, in lists, in no matter what time. */
export interface NaivePolicy<K> {
  admit(key: K): void
  use(key: K): void
  remove(key: K): void
  /** Who leaves now; `remove` follows. */
  victim(): K
  /** A key arrives that is not there. */
  arrive(key: K): void
  /** The next victim first. */
  order(): readonly K[]
}

/** `undefined` for those that draw lots, or go by hashes. */
export function naivePolicy<K>(name: PolicyName): NaivePolicy<K> | undefined {
  switch (name) {
    case 'fifo':
      return new NaiveFifo()
    case 'lru':
      return new NaiveLru()
    case 'lfu':
      return new NaiveLfu()
    case 'sieve':
      return new NaiveSieve()
    case 's3-fifo':
      return new NaiveS3Fifo()
    case 'random':
    case 'tiny-lfu':
      return undefined
  }
}

class NaiveFifo<K> implements NaivePolicy<K> {
  protected keys: K[] = []

  arrive(): void {}

  admit(key: K): void {
    this.keys.push(key)
  }

  use(_key: K): void {}

  remove(key: K): void {
    this.keys = without(this.keys, key)
  }

  victim(): K {
    return this.order()[0] as K
  }

  order(): readonly K[] {
    return this.keys
  }
}

class NaiveLru<K> extends NaiveFifo<K> {
  override use(key: K): void {
    this.keys = [...without(this.keys, key), key]
  }
}

class NaiveLfu<K> extends NaiveLru<K> {
  readonly #frequency = new Map<K, number>()
  readonly #rank = new Map<K, number>()
  #age = 0

  override admit(key: K): void {
    super.admit(key)
    this.#count(key, 1)
  }

  override use(key: K): void {
    super.use(key)
    this.#count(key, Math.min((this.#frequency.get(key) as number) + 1, 63))
  }

  override victim(): K {
    const key = super.victim()
    this.#age = this.#rankOf(key)
    return key
  }

  override order(): readonly K[] {
    return this.keys.toSorted((a, b) => this.#rankOf(a) - this.#rankOf(b))
  }

  #count(key: K, frequency: number): void {
    this.#frequency.set(key, frequency)
    this.#rank.set(key, this.#age + frequency)
  }

  #rankOf(key: K): number {
    return this.#rank.get(key) as number
  }
}

export class NaiveSieve<K> extends NaiveFifo<K> {
  readonly #used = new Set<K>()
  /** How many of the oldest the hand has passed. */
  #hand = 0

  override admit(key: K): void {
    super.admit(key)
    this.#used.delete(key)
  }

  override use(key: K): void {
    this.#used.add(key)
  }

  override remove(key: K): void {
    if (this.keys.indexOf(key) < this.#hand) this.#hand--
    super.remove(key)
  }

  override victim(): K {
    for (;;) {
      if (this.#hand === this.keys.length) this.#hand = 0
      const key = this.keys[this.#hand] as K
      if (!this.#used.delete(key)) {
        if (this.#hand === this.keys.length - 1) this.#hand = 0
        return key
      }
      this.#hand++
    }
  }

  arrivals(): readonly K[] {
    return this.keys
  }

  override order(): readonly K[] {
    const round = [...this.keys.slice(this.#hand), ...this.keys.slice(0, this.#hand)]
    return [...round.filter(key => !this.#used.has(key)), ...round.filter(key => this.#used.has(key))]
  }
}

export class NaiveS3Fifo<K> implements NaivePolicy<K> {
  small: K[] = []
  main: K[] = []
  ghosts: K[] = []
  #returns = false
  readonly #uses = new Map<K, number>()

  arrive(key: K): void {
    this.#returns = this.ghosts.includes(key)
    this.ghosts = without(this.ghosts, key)
  }

  admit(key: K): void {
    this.#uses.set(key, 0)
    if (this.#returns) this.main.push(key)
    else this.small.push(key)
  }

  use(key: K): void {
    this.#uses.set(key, Math.min(this.#usesOf(key) + 1, 3))
  }

  remove(key: K): void {
    this.small = without(this.small, key)
    this.main = without(this.main, key)
  }

  victim(): K {
    const held = this.small.length + this.main.length
    if (this.main.length <= held - Math.floor(held / 10)) {
      while (this.small.length > 0) {
        const key = this.small[0] as K
        if (this.#usesOf(key) < 2) {
          this.ghosts = lastOf([...this.ghosts, key], Math.floor(held * 0.9))
          return key
        }
        this.small.shift()
        this.main.push(key)
        this.#uses.set(key, 0)
      }
    }
    for (;;) {
      const key = this.main[0] as K
      if (this.#usesOf(key) === 0) return key
      this.main.push(this.main.shift() as K)
      this.#uses.set(key, this.#usesOf(key) - 1)
    }
  }

  order(): readonly K[] {
    return [...this.small, ...this.main]
  }

  #usesOf(key: K): number {
    return this.#uses.get(key) as number
  }
}

export function without<T>(list: readonly T[], item: T): T[] {
  return list.filter(other => other !== item)
}

function lastOf<T>(list: readonly T[], count: number): T[] {
  return count === 0 ? [] : list.slice(-count)
}
