import type { Observer, TierState } from '@cache/core'
import type { Coherence } from './coherence.ts'
import type { NearTier } from './near-tier.ts'
import type { Remote } from './remote.ts'

export interface Tiers {
  readonly name: string
  readonly near: NearTier
  readonly remote: Remote
  readonly coherence: Coherence
  readonly observer: Required<Pick<Observer, 'event'>>
}

/** Which tier may serve, and the changes of that. */
export class TierWatch {
  readonly #tiers: Tiers
  #state: TierState

  constructor(tiers: Tiers) {
    this.#tiers = tiers
    this.#state = this.state
  }

  /** Whether what is near may be served: the stream arrives, and all it brought has been carried out. */
  get trusted(): boolean {
    const { coherence, near } = this.#tiers
    return coherence.trusted && near.isClean
  }

  get state(): TierState {
    if (!this.#tiers.remote.available) return 'fallback'
    return this.trusted ? 'coherent' : 'bypass'
  }

  /** Something happened that may have changed the state: tells if it did. */
  note(): void {
    const { state } = this
    if (state === this.#state) return
    this.#state = state
    const { name, observer } = this.#tiers
    observer.event({ type: 'state', store: name, state })
  }
}
