import type { Engine } from './engine.ts'
import type { Entry } from './entry.ts'
import type { Hold } from './lease-keeper.ts'
import type { Lease } from './leasing.ts'
import type { Policy } from './policy.ts'

/** Whoever waits for a flight, or the cache where those who wait are counted; it is told how the flight goes. */
export interface Caller {
  /** The lookup found a value. */
  hit(key: string): void
  /** The lookup found none that is fresh: from now on the key is being loaded. */
  miss(key: string): void
  /** It waits for a load that another one began. */
  share(): void
  /** The load failed, and what is given is the stale value. */
  stale(key: string): void
}

/**
 * A value on its way: looked up, then loaded if need be, for everyone who asks for the key meanwhile. There may be a hundred
 * thousand of them at once: what few have is no field of the others.
 */
export class Flight {
  readonly engine: Engine
  /** Its key, whole. */
  readonly address: string
  /** Of the call that began it. */
  readonly policy: Policy
  /** Gives what those get who wait; not there yet while the call that began it is still beginning. */
  promise: Promise<unknown> | undefined = undefined
  /** Whose call began it; nobody's if it refreshes behind a hit. */
  first: Caller | undefined = undefined
  /** When it took off, then when its load began, in the order of the tags: what is outdated since does not count. */
  since = 0
  /** Whether the loader has been called: from here on, whoever joins is a miss. */
  loading = false
  /** What is loaded is not to be stored. */
  superseded = false
  /** An invalidation of its key came after it took off: what was stored before is not served any more. */
  invalidated = false
  /** Whether it is wanted by somebody who cannot call it off. */
  wanted = false
  /** Those who joined while it was open what they are to be told. */
  declare joined?: Caller[] | undefined
  /** What is stored and to be replaced: served to whoever does not wait for the load, or if it fails. */
  declare stale?: Entry | undefined
  /** Of what is being loaded, once the loader has said them. */
  declare tags?: readonly string[] | undefined
  /** Under which it loads: then the store knows by itself of whatever comes in between from other processes. */
  declare lease?: Lease | undefined
  /** Keeps the lease as long as the loader runs. */
  declare hold?: Hold | undefined
  /** Ends a pause in waiting for another process that loads. */
  declare wake?: (() => void) | undefined
  /** How many wait who can call it off, each for itself. */
  declare leavers?: number
  /** Why the last one called it off. */
  declare reason?: unknown
  /** Tells the loader that nobody waits any more; there once it has asked for its signal. */
  declare stop?: ((reason: unknown) => void) | undefined

  constructor(engine: Engine, address: string, policy: Policy) {
    this.engine = engine
    this.address = address
    this.policy = policy
  }

  get isAbandoned(): boolean {
    return !this.wanted && !this.leavers
  }

  /** What those get who wait, also those who ask while it is beginning. */
  landing(): Promise<unknown> {
    return this.promise ?? Promise.resolve().then(() => this.promise)
  }

  join(caller: Caller): void {
    this.joined ??= []
    this.joined.push(caller)
  }

  /** Tells all who wait, as far as they are known. */
  tell(what: 'hit' | 'miss' | 'stale'): void {
    this.first?.[what](this.address)
    if (this.joined) for (const caller of this.joined) caller[what](this.address)
  }
}
