import type { CacheEvents, Emitter } from './events.ts'
import { isRemoving, type Removal, type Store } from './store.ts'

const TYPES = { evicted: 'evict', expired: 'expire' } as const

/** Has a store tell what it removes of its own accord, as long as somebody listens to that. */
export class RemovalEvents {
  readonly #store: Store
  readonly #events: Emitter<CacheEvents>
  #stop: (() => void) | undefined

  constructor(store: Store, events: Emitter<CacheEvents>) {
    this.#store = store
    this.#events = events
  }

  /** Listeners came or went. */
  update(): void {
    const isHeard = this.#events.has('evict') || this.#events.has('expire')
    if (isHeard && !this.#stop && isRemoving(this.#store)) {
      this.#stop = this.#store.onRemoval(removal => this.#tell(removal))
    } else if (!isHeard) this.stop()
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #tell({ key, tier, cause }: Removal): void {
    this.#events.emit(TYPES[cause], { key, tier })
  }
}
