import { mix } from '../hashing.ts'
import { Shadow } from './shadow.ts'

/** What may become the window: the shares of Caffeine and of S3-FIFO, a half, and all of it, which is LRU. */
const SHARES = [0.01, 0.1, 0.5, 1]
/** The share to begin with, in the middle. */
export const FIRST_SHARE = 0.1

/** Most entries in a shadow: its hit ratio is then right to some four percent. */
const SHADOW_ENTRIES = 512
/** Decisions in the time in which a shadow sees as many accesses as it has entries. */
const DECISIONS = 4
/** Accesses for each entry of a shadow after which the outcomes so far count half. */
const MEMORY = 10
/** Standard deviations by which one share must be ahead of another. */
const SIGNIFICANCE = 2

/**
 * Chooses the share of the window by trying them all: one {@link Shadow} for each runs on a sample of the keys (Waldspurger,
 * Saemundsson, Ahmad, Park, USENIX ATC 2017), and what hits most by more than chance is the window to have.
 */
export class WindowChooser {
  /** The number of entries that the cache was taken to hold. */
  readonly entries: number
  /** Sampled is one key in 2^n, for this n. */
  readonly sparsity: number
  readonly #shadowEntries: number
  readonly #shadows: readonly Shadow[]
  /** By set of shadows, a bit for each: the accesses that were hits in just these. */
  readonly #outcomes = new Float64Array(1 << SHARES.length)
  #current: number
  #sinceDecision = 0
  #sinceHalving = 0

  constructor(entries: number, share: number) {
    this.entries = entries
    this.sparsity = Math.max(0, Math.ceil(Math.log2(entries / SHADOW_ENTRIES)))
    this.#shadowEntries = Math.round(entries / 2 ** this.sparsity)
    this.#shadows = SHARES.map(each => new Shadow(this.#shadowEntries, each))
    this.#current = SHARES.indexOf(share)
  }

  /** The share that did best. */
  get share(): number {
    return SHARES[this.#current] as number
  }

  /** An access to a key that is sampled. */
  observe(hash: number): void {
    // What all samples have in common must not be what the shadows tell keys apart by.
    const mixed = mix(hash)
    let hits = 0
    for (let i = 0; i < this.#shadows.length; i++) if (this.#shadows[i]?.access(mixed)) hits |= 1 << i
    this.#outcomes[hits] = (this.#outcomes[hits] as number) + 1
    if (++this.#sinceDecision * DECISIONS >= this.#shadowEntries) this.#decide()
    if (++this.#sinceHalving >= this.#shadowEntries * MEMORY) this.#halve()
  }

  /** McNemar's test (1947) of every share against the present one: only accesses on which the two differ tell anything. */
  #decide(): void {
    this.#sinceDecision = 0
    let best = this.#current
    let bestLead = 0
    for (let other = 0; other < SHARES.length; other++) {
      const gained = this.#hitsOnlyIn(other, this.#current)
      const lost = this.#hitsOnlyIn(this.#current, other)
      const lead = gained - lost
      if (lead <= bestLead || lead <= SIGNIFICANCE * Math.sqrt(gained + lost)) continue
      best = other
      bestLead = lead
    }
    this.#current = best
  }

  #hitsOnlyIn(one: number, other: number): number {
    let count = 0
    for (let hits = 0; hits < this.#outcomes.length; hits++) {
      if (((hits >> one) & 1) > ((hits >> other) & 1)) count += this.#outcomes[hits] as number
    }
    return count
  }

  #halve(): void {
    this.#sinceHalving = 0
    for (let hits = 0; hits < this.#outcomes.length; hits++)
      this.#outcomes[hits] = (this.#outcomes[hits] as number) / 2
  }
}
