import { type Clock, type Observer, Outage, type StoreHealth, type TierState } from '@cache/core'
import type { Coherence } from './coherence.ts'
import type { NearTier } from './near-tier.ts'
import type { Remote } from './remote.ts'

export interface Tiers {
  readonly name: string
  readonly near: NearTier
  readonly remote: Remote
  readonly coherence: Coherence
  readonly observer: Required<Pick<Observer, 'event'>>
  readonly clock: Clock
}

/** Which tier may serve, and the changes of that. */
export class TierWatch {
  readonly #tiers: Tiers
  // Of their own, for every near hit asks them.
  readonly #coherence: Coherence
  readonly #near: NearTier
  readonly #outage: Outage
  #state: TierState

  constructor(tiers: Tiers) {
    this.#tiers = tiers
    this.#coherence = tiers.coherence
    this.#near = tiers.near
    this.#outage = new Outage(tiers.clock)
    this.#state = this.state
  }

  /** Whether what is near may be served: the stream arrives, and all it brought has been carried out. */
  get trusted(): boolean {
    return this.#coherence.trusted && this.#near.isClean
  }

  get state(): TierState {
    if (!this.#tiers.remote.available) return 'fallback'
    return this.trusted ? 'coherent' : 'bypass'
  }

  /** A remote that is being connected to for the first time is not away. Who asks is told, and so is whoever listens. */
  health(starting: boolean | undefined): Pick<StoreHealth, 'outageMs' | 'state'> {
    this.note()
    const { state } = this
    this.#outage.note(state === 'fallback' && !starting)
    return { outageMs: this.#outage.ms, state }
  }

  /** Something happened that may have changed the state: tells if it did. */
  note(): void {
    const { state } = this
    if (state === this.#state) return
    this.#state = state
    this.#outage.note(state === 'fallback')
    const { name, observer } = this.#tiers
    observer.event({ type: 'state', store: name, state })
  }
}
