import type { Policy, PolicyType } from '../src/policies/index.ts'
import { Slots } from '../src/slots.ts'

/** How many entries, for whom a policy decides who leaves: no more of a map than it takes to drive one. */
export class PolicyHost<K, P extends Policy = Policy> {
  readonly slots: Slots<unknown, unknown>
  readonly policy: P
  readonly #slotOf = new Map<K, number>()
  #maxItems: number

  constructor(
    { anchors, words: policyWords }: Pick<PolicyType, 'anchors' | 'words'>,
    maxItems: number,
    make: (slots: Slots<unknown, unknown>) => P,
  ) {
    this.#maxItems = maxItems
    this.slots = new Slots({ limit: maxItems, anchors, policyWords, weighed: false })
    this.policy = make(this.slots)
    this.policy.limit?.(maxItems)
  }

  get size(): number {
    return this.#slotOf.size
  }

  get maxItems(): number {
    return this.#maxItems
  }

  has(key: K): boolean {
    return this.#slotOf.has(key)
  }

  /** The keys in the policy's order. */
  keys(): K[] {
    return Array.from(this.policy.order(), slot => this.slots.keyAt(slot) as K)
  }

  /** Get, and set on a miss. @returns whether it was a hit */
  read(key: K): boolean {
    const slot = this.#slotOf.get(key)
    if (slot !== undefined) {
      this.policy.use(slot)
      return true
    }
    this.policy.arrive?.(key)
    while (this.#slotOf.size >= this.#maxItems) this.#evict()
    const fresh = this.slots.allocate(key, undefined)
    this.#slotOf.set(key, fresh)
    this.policy.admit(fresh)
    return false
  }

  delete(key: K): void {
    const slot = this.#slotOf.get(key)
    if (slot !== undefined) this.#remove(key, slot)
  }

  resize(maxItems: number): void {
    this.#maxItems = this.slots.limit = maxItems
    this.policy.limit?.(maxItems)
    while (this.#slotOf.size > maxItems) this.#evict()
  }

  #evict(): void {
    const slot = this.policy.victim()
    const key = this.slots.keyAt(slot) as K
    if (this.#slotOf.get(key) !== slot) throw new Error(`${slot} was evicted, which holds no entry`)
    this.#remove(key, slot)
  }

  #remove(key: K, slot: number): void {
    this.policy.remove(slot)
    this.slots.release(slot)
    this.#slotOf.delete(key)
  }
}
