import { CacheError, type Clock, describe, systemClock, type TimerHandle, toMilliseconds } from '@cache/core'
import {
  type BoundedMapOptions,
  byteBound,
  callback,
  itemBound,
  type SetOptions,
} from './bounded-map-options.ts'
import { Expiry } from './expiry.ts'
import { HashIndex } from './hash-index.ts'
import { type Policy, type PolicyType, policyType } from './policies/index.ts'
import { type RemovalCause, type RemovalListener, Removals } from './removals.ts'
import { Slots } from './slots.ts'
import { estimateEntry } from './weigh.ts'

/** In place of a slot. Of its own, for an imported constant is not one to V8, and costs a look at memory. */
const NONE = 0
/** Entries the wheel looks at in one turn of the event loop: about a millisecond of work. */
const RECLAIM_PER_TURN = 1_000
/** Entries the wheel looks at before one that is still alive has to leave. */
const RECLAIM_PER_EVICTION = 64
/** Operations that go by one look at the machine's clock: such a look costs as much as a read. */
const OPERATIONS_PER_LOOK = 32
/** As long as the first entry to end is further off than this, one look serves several reads. */
const FAR_OFF_MS = 1_000
/** A time to live from here on may count from the last look, which is earlier by no more than the loop was held. */
const LONG_TTL_MS = 60_000

/** An entry as {@link BoundedMap.dump} gives it, fit for JSON: its end in epoch milliseconds, `null` for none. */
export type DumpedEntry<K, V> = readonly [key: K, value: V, expiresAt: number | null]

interface Parts<K, V> {
  readonly index: HashIndex<K>
  readonly slots: Slots<K, V>
  readonly policy: Policy
  readonly expiry: Expiry
}

/** For the tests that check the structure of a map; not exported by the package. */
export let partsOf: <K, V>(map: BoundedMap<K, V>) => Parts<K, V>

/**
 * A `Map` with bounds: on its entries, their bytes, and the life of each. Synchronous, for keys of any kind.
 *
 * Every operation on one entry takes (amortised) constant time; a hit and a replacement allocate nothing. An
 * entry whose time is up is not seen again, and leaves without being touched: a timer, which does not keep
 * the process alive, reclaims such entries a batch at a time.
 *
 * The machine's clock is looked at for every read while anything ends within the next second. Otherwise one look
 * serves up to 32 operations of one turn of the event loop, so that only a loop held for over a second can see an
 * entry a little late. A `clock` that is given is asked every time.
 *
 * Iteration goes in the order of the policy, the next to be evicted first, over the keys there were at its start;
 * it is no use of an entry, and the map may change meanwhile.
 */
export class BoundedMap<K, V> implements Iterable<[K, V]> {
  readonly #maxBytes: number
  readonly #policyType: PolicyType
  readonly #ttl: number
  readonly #weigh: ((value: V, key: K) => number) | undefined
  #removals: Removals<K, V> | undefined
  readonly #clock: Clock
  /** Whether one look at the clock may serve several reads; a clock that was given is asked for every read. */
  readonly #mayReuseLook: boolean
  readonly #expire = (slot: number): void => this.#remove(slot, 'expired')
  readonly #onDue: () => void
  readonly #onTurn: () => void
  #maxItems: number
  #slots: Slots<K, V>
  #index: HashIndex<K>
  #policy: Policy
  /** Whether each write by the usual ttl needs a look at the clock of its own. */
  readonly #looksToWrite: boolean
  /** Whether the policy wants to know who arrives. */
  readonly #hears: boolean
  #expiry: Expiry
  #bytes = 0
  /** Operations that may yet go by the last look at the clock. */
  #looksSpared = 0
  /** At the last look: whether anything may have ended, and when that was. */
  #anyOver = false
  #lookedAt = 0
  #turn: TimerHandle | undefined
  #evictions = 0
  #evictionsForBytes = 0
  #expirations = 0

  /** @throws CacheError `INVALID_OPTION` naming the option, the value received and what is accepted */
  constructor(options: BoundedMapOptions<K, V>) {
    const { maxBytes, ttl, weigh, onRemove, clock = systemClock } = options
    this.#mayReuseLook = options.clock === undefined
    this.#maxItems = itemBound(options.maxItems)
    this.#maxBytes = byteBound(maxBytes)
    this.#policyType = policyType(options.policy ?? 'lru')
    this.#ttl = ttl === undefined ? Number.POSITIVE_INFINITY : toMilliseconds(ttl, 'ttl')
    this.#looksToWrite = this.#ttl < LONG_TTL_MS
    this.#weigh = callback(weigh, 'weigh') ?? (maxBytes === undefined ? undefined : estimateEntry)
    this.#clock = clock
    this.onRemove = onRemove
    // The timer's closure must not keep alive a map that nobody else holds.
    const self = new WeakRef(this)
    this.#onDue = () => {
      const map = self.deref()
      if (map) map.#reclaim()
    }
    this.#onTurn = () => {
      const map = self.deref()
      if (!map) return
      map.#turn = undefined
      map.#looksSpared = 0
    }
    this.#slots = this.#newSlots()
    this.#index = new HashIndex(this.#slots)
    this.#policy = this.#newPolicy()
    this.#hears = this.#policy.arrive !== undefined
    this.#expiry = new Expiry(this.#slots, clock, this.#onDue)
  }

  /** Entries held. Some whose time was up within the last moments may still count. */
  get size(): number {
    return this.#index.size
  }

  /** What the entries weigh together; 0 if nothing is weighed. */
  get bytes(): number {
    return this.#bytes
  }

  /** The present bound on entries. */
  get maxItems(): number {
    return this.#maxItems
  }

  /** How many entries had to leave for want of room since the map was made. */
  get evictions(): number {
    return this.#evictions
  }

  /** How many of them had to leave for want of bytes; the others made room for another entry. */
  get evictionsForBytes(): number {
    return this.#evictionsForBytes
  }

  /** How many entries left because their time was up since the map was made. */
  get expirations(): number {
    return this.#expirations
  }

  /** The value under a key; a use of it in the eyes of the policy. */
  get(key: K): V | undefined {
    const slot = this.#index.find(key)
    if (slot === NONE) return undefined
    if (--this.#looksSpared < 0 && this.#isOver(slot)) return this.#expireNow(slot)
    this.#policy.use(slot)
    return this.#slots.valueAt(slot)
  }

  /** The value under a key, without using it. */
  peek(key: K): V | undefined {
    const slot = this.#find(key)
    return slot === NONE ? undefined : this.#slots.valueAt(slot)
  }

  /** Whether there is an entry under a key, without using it. */
  has(key: K): boolean {
    return this.#find(key) !== NONE
  }

  /**
   * Puts a value under a key, and whatever has to leave for it out.
   *
   * @returns whether the map took it. Refused are a value whose weight is above `maxBytes`, negative or not a
   * number, and one whose time is already up; an older value under the key is removed (`replaced`) all the same.
   * @throws CacheError `INVALID_TTL`
   */
  set(key: K, value: V, options?: SetOptions): boolean {
    if (options !== undefined) return this.#setUnder(options, key, value)
    if (--this.#looksSpared < 0 || this.#looksToWrite) this.#look()
    const hash = this.#index.hash(key)
    let slot = this.#index.find(key, hash)
    if (this.#anyOver || this.#weigh !== undefined || (slot === NONE && !this.#isFull())) {
      return this.#put(key, value, this.#lookedAt + this.#ttl, this.#lookedAt)
    }
    if (slot === NONE) slot = this.#exchange(key, hash, value)
    else this.#replace(slot, value)
    if (!this.#expiry.deadlines.putOff(slot)) this.#end(slot, this.#lookedAt + this.#ttl, this.#lookedAt)
    if (this.#removals !== undefined) this.#removals.tell()
    return true
  }

  /** `set(key, value, { expiresAt })` without an object for the options. */
  setUntil(key: K, value: V, expiresAt: number): boolean {
    assertTime(expiresAt)
    return this.#put(key, value, expiresAt, this.#nowFor(expiresAt - this.#lookedAt))
  }

  /**
   * Moves the end of an entry (epoch milliseconds, `Infinity` for none), without using it; one in the past
   * removes it.
   *
   * @returns whether there is such an entry now
   * @throws CacheError `INVALID_TTL`
   */
  touch(key: K, expiresAt: number): boolean {
    return this.#extend(key, expiresAt) !== NONE
  }

  /**
   * Exchanges the value of an entry for one that stands for the same, with a new end: like {@link touch}, and neither
   * weighed nor told to `onRemove`.
   */
  amend(key: K, value: V, expiresAt: number): boolean {
    const slot = this.#extend(key, expiresAt)
    if (slot !== NONE) this.#slots.setValue(slot, value)
    return slot !== NONE
  }

  /** @returns whether there was an entry under the key */
  delete(key: K): boolean {
    const slot = this.#index.find(key)
    if (slot === NONE) return false
    const expired = this.#expiry.isExpired(slot)
    this.#remove(slot, expired ? 'expired' : 'explicit')
    this.#removals?.tell()
    return !expired
  }

  /** Empties the map and gives its memory back; in constant time unless there is an `onRemove` to tell. */
  clear(): void {
    if (this.#removals) this.#tellCleared(this.#removals)
    this.#expiry.stop()
    this.#slots = this.#newSlots()
    this.#index = new HashIndex(this.#slots)
    this.#policy = this.#newPolicy()
    this.#expiry = new Expiry(this.#slots, this.#clock, this.#onDue)
    // The new one knows of no usual end before the next look.
    this.#looksSpared = 0
    this.#bytes = 0
    this.#removals?.tell()
  }

  /**
   * Who is told about every entry that leaves from now on, in place of whoever was; nobody without one.
   *
   * @throws CacheError `INVALID_OPTION`
   */
  set onRemove(listener: RemovalListener<K, V> | undefined) {
    const checked = callback(listener, 'onRemove')
    this.#removals = checked && new Removals(checked, this.#clock)
  }

  /**
   * Changes the bound on entries; those that no longer fit are evicted. Memory taken stays until `clear`.
   *
   * @throws CacheError `INVALID_OPTION`
   */
  resize(maxItems: number): void {
    this.#maxItems = itemBound(maxItems)
    this.#slots.limit = this.#maxItems
    this.#policy.limit?.(this.#maxItems)
    if (this.#index.size > this.#maxItems) {
      const now = this.#expiry.now()
      this.#expiry.reclaim(now, this.#index.size, this.#expire)
      while (this.#index.size > this.#maxItems) this.#evict(now)
    }
    this.#removals?.tell()
  }

  *keys(): IterableIterator<K> {
    for (const key of this.#snapshot()) if (this.has(key)) yield key
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  *entries(): IterableIterator<[K, V]> {
    for (const key of this.#snapshot()) {
      const slot = this.#find(key)
      if (slot !== NONE) yield [key, this.#slots.valueAt(slot)]
    }
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /** All entries with their ends, in the order of iteration: what {@link restore} takes after a restart. */
  dump(): DumpedEntry<K, V>[] {
    return Array.from(this.entries(), ([key, value]): DumpedEntry<K, V> => {
      const expiresAt = this.#expiry.deadlines.at(this.#index.find(key))
      return [key, value, expiresAt === Number.POSITIVE_INFINITY ? null : expiresAt]
    })
  }

  /**
   * Sets what {@link dump} gave, on top of what is there. Order and remaining time are kept, expired entries left out;
   * what a policy knew of frequencies, and of keys that had left, begins anew.
   */
  restore(entries: Iterable<DumpedEntry<K, V>>): void {
    for (const [key, value, expiresAt] of entries) {
      this.setUntil(key, value, expiresAt ?? Number.POSITIVE_INFINITY)
    }
  }

  #setUnder(options: SetOptions, key: K, value: V): boolean {
    if (options.expiresAt !== undefined) return this.setUntil(key, value, options.expiresAt)
    const ttl = options.ttl === undefined ? this.#ttl : toMilliseconds(options.ttl, 'ttl', 'INVALID_TTL')
    const now = this.#nowFor(ttl)
    return this.#put(key, value, now + ttl, now)
  }

  /** The time for a write whose entry is to live for `ttl` milliseconds; of no account if nothing has an end. */
  #nowFor(ttl: number): number {
    if (ttl === Number.POSITIVE_INFINITY) {
      if (--this.#looksSpared < 0) this.#look()
    } else if (ttl < LONG_TTL_MS || this.#turn === undefined || --this.#looksSpared < 0) this.#lookAtClock()
    return this.#lookedAt
  }

  /** Looks whether the time of the entry in `slot` is up. */
  #isOver(slot: number): boolean {
    this.#look()
    return this.#anyOver && this.#expiry.isExpiredAt(slot, this.#lookedAt)
  }

  #look(): void {
    if (this.#ttl === Number.POSITIVE_INFINITY && this.#expiry.wheel.nextEvent === Number.POSITIVE_INFINITY) {
      this.#anyOver = false
      this.#looksSpared = OPERATIONS_PER_LOOK
    } else this.#lookAtClock()
  }

  /**
   * Looks at the clock, for this operation and those that may go by it: while nothing ends within the next second, up
   * to 32 in one turn of the event loop.
   */
  #lookAtClock(): void {
    const { deadlines, wheel } = this.#expiry
    const now = this.#clock.now()
    this.#lookedAt = now
    deadlines.usual(Math.floor(now + this.#ttl), now)
    // Behind the wheel's time, the clock was set back: then only each entry itself can tell.
    this.#anyOver = now >= wheel.nextEvent || now < wheel.time
    const reusable = this.#mayReuseLook && !this.#anyOver && wheel.nextEvent - now >= FAR_OFF_MS
    this.#looksSpared = reusable ? OPERATIONS_PER_LOOK : 0
    if (!reusable || this.#turn !== undefined) return
    this.#turn = this.#clock.setTimeout(this.#onTurn, 1)
    this.#turn.unref?.()
  }

  #expireNow(slot: number): undefined {
    this.#remove(slot, 'expired')
    this.#removals?.tell()
  }

  /** The slot of an entry whose time is not up, or {@link NONE}. */
  #find(key: K): number {
    const slot = this.#index.find(key)
    return slot === NONE || this.#expiry.isExpired(slot) ? NONE : slot
  }

  #put(key: K, value: V, expiresAt: number, now: number): boolean {
    const weight = this.#weigh === undefined ? 0 : wholeBytes(this.#weigh(value, key))
    const taken = expiresAt > now && weight <= this.#maxBytes
    // Whoever weighs may change the map: it is searched only now.
    const hash = this.#index.hash(key)
    let slot = this.#index.find(key, hash)
    if (slot !== NONE && this.#expiry.isExpiredAt(slot, now)) {
      this.#remove(slot, 'expired')
      slot = NONE
    }
    if (slot !== NONE && taken && this.#canWeigh(slot, weight, now)) {
      this.#replace(slot, value)
      if (this.#weigh !== undefined) this.#reweigh(slot, weight)
    } else {
      if (slot !== NONE) this.#remove(slot, 'replaced')
      slot = taken ? this.#insert(key, hash, value, weight, now) : NONE
    }
    if (slot !== NONE) this.#end(slot, expiresAt, now)
    this.#removals?.tell()
    return taken
  }

  /** Says when the entry in `slot` ends. If that is soon, the next read looks at the clock. */
  #end(slot: number, expiresAt: number, now: number): void {
    this.#expiry.set(slot, Math.floor(expiresAt), now)
    if (this.#turn === undefined || expiresAt - now < FAR_OFF_MS) this.#looksSpared = 0
  }

  /** Whether the entry in `slot` may weigh `weight` without another having to leave that is still alive. */
  #canWeigh(slot: number, weight: number, now: number): boolean {
    if (this.#weigh === undefined) return true
    const growth = weight - this.#weightAt(slot)
    if (this.#bytes + growth > this.#maxBytes) this.#expiry.reclaim(now, RECLAIM_PER_EVICTION, this.#expire)
    return this.#bytes + growth <= this.#maxBytes
  }

  #replace(slot: number, value: V): void {
    const slots = this.#slots
    if (this.#removals !== undefined && !Object.is(slots.valueAt(slot), value)) {
      this.#removals.add(slots.keyAt(slot), slots.valueAt(slot), 'replaced')
    }
    slots.setValue(slot, value)
    this.#policy.use(slot)
  }

  #insert(key: K, hash: number, value: V, weight: number, now: number): number {
    if (this.#isFull() && !this.#anyOver && this.#weigh === undefined) return this.#exchange(key, hash, value)
    this.#policy.arrive?.(key)
    if (!this.#hasRoom(weight)) this.#expiry.reclaim(now, RECLAIM_PER_EVICTION, this.#expire)
    while (!this.#hasRoom(weight)) this.#evict(now)
    const slot = this.#slots.allocate(key, value)
    this.#index.add(slot, key, hash)
    if (this.#weigh !== undefined) this.#reweigh(slot, weight)
    this.#policy.admit(slot)
    return slot
  }

  #isFull(): boolean {
    return this.#index.size >= this.#maxItems
  }

  /**
   * Evicts an entry for a new one, which takes over its slot and with that its place in the wheel: the way of every new
   * entry into a full map, unless there is something to weigh or to reclaim.
   */
  #exchange(key: K, hash: number, value: V): number {
    const slots = this.#slots
    const policy = this.#policy
    if (this.#hears) policy.arrive?.(key)
    const slot = policy.victim()
    // Both operations on the index at once: they wait for memory, and together wait less.
    if (!this.#index.remove(slot)) throw nobodyThere()
    this.#index.add(slot, key, hash)
    this.#evictions++
    if (this.#removals !== undefined) {
      this.#removals.add(slots.keyAt(slot), slots.valueAt(slot), 'evicted')
    }
    policy.remove(slot)
    slots.occupy(slot, key, value)
    policy.admit(slot)
    return slot
  }

  #hasRoom(weight: number): boolean {
    return this.#index.size < this.#maxItems && this.#bytes + weight <= this.#maxBytes
  }

  #evict(now: number): void {
    const slot = this.#policy.victim()
    if (!this.#index.has(slot)) throw nobodyThere()
    const isOver = this.#expiry.isExpiredAt(slot, now)
    if (!isOver && this.#index.size < this.#maxItems) this.#evictionsForBytes++
    this.#remove(slot, isOver ? 'expired' : 'evicted')
  }

  #reweigh(slot: number, weight: number): void {
    this.#bytes += weight - this.#weightAt(slot)
    this.#slots.weights[slot] = weight
  }

  #weightAt(slot: number): number {
    return this.#slots.weights[slot] as number
  }

  /** @returns the slot of an entry that has a new end now, or {@link NONE} */
  #extend(key: K, expiresAt: number): number {
    assertTime(expiresAt)
    const slot = this.#index.find(key)
    if (slot === NONE) return NONE
    const now = this.#clock.now()
    if (expiresAt > now && !this.#expiry.isExpiredAt(slot, now)) {
      this.#end(slot, expiresAt, now)
      return slot
    }
    this.#remove(slot, 'expired')
    this.#removals?.tell()
    return NONE
  }

  #remove(slot: number, cause: RemovalCause): void {
    const slots = this.#slots
    const key = slots.keyAt(slot)
    if (cause === 'evicted') this.#evictions++
    else if (cause === 'expired') this.#expirations++
    if (this.#removals !== undefined) this.#removals.add(key, slots.valueAt(slot), cause)
    this.#index.remove(slot)
    this.#policy.remove(slot)
    if (this.#weigh !== undefined) this.#reweigh(slot, 0)
    this.#expiry.remove(slot)
    slots.release(slot)
  }

  #tellCleared(removals: Removals<K, V>): void {
    const now = this.#expiry.now()
    for (const slot of this.#policy.order()) {
      const cause = this.#expiry.isExpiredAt(slot, now) ? 'expired' : 'cleared'
      removals.add(this.#slots.keyAt(slot), this.#slots.valueAt(slot), cause)
    }
  }

  #reclaim(): void {
    this.#expiry.reclaim(this.#clock.now(), RECLAIM_PER_TURN, this.#expire)
    this.#expiry.rearm()
    this.#removals?.tell()
  }

  #snapshot(): K[] {
    return Array.from(this.#policy.order(), slot => this.#slots.keyAt(slot))
  }

  #newPolicy(): Policy {
    const policy = new this.#policyType(this.#slots)
    policy.limit?.(this.#maxItems)
    return policy
  }

  #newSlots(): Slots<K, V> {
    return new Slots<K, V>({
      limit: this.#maxItems,
      anchors: this.#policyType.anchors,
      policyWords: this.#policyType.words,
      weighed: this.#weigh !== undefined,
    })
  }

  static {
    partsOf = map => ({ index: map.#index, slots: map.#slots, policy: map.#policy, expiry: map.#expiry })
  }
}

function nobodyThere(): CacheError {
  return new CacheError(
    'STORE',
    'the policy named a victim that is no entry; what it was to make room for is not set',
  )
}

/** Whole bytes, so that adding and subtracting them leaves no remainder; `NaN` for what is no weight. */
function wholeBytes(weight: number): number {
  return Number.isFinite(weight) && weight >= 0 ? Math.ceil(weight) : Number.NaN
}

function assertTime(expiresAt: unknown): asserts expiresAt is number {
  if (typeof expiresAt === 'number' && !Number.isNaN(expiresAt)) return
  throw new CacheError(
    'INVALID_TTL',
    `expiresAt must be epoch milliseconds or Infinity; received ${describe(expiresAt)}`,
  )
}
