import type { Gap, InvalidationBus, InvalidationMessage } from '@cache/core'

export interface CoherenceEvents {
  /** A peer wrote or removed something. */
  onMessage(message: InvalidationMessage): void
  /** The stream broke: what is near may be stale from now on. */
  onLost(reason: string): void
  /** The stream is back; whatever is near must be dropped before the next read. */
  onRestored(reason: string): void
}

/**
 * Whether the near tier can be trusted: it can while the stream of invalidations arrives without gaps, and always
 * when it was decided to do without one.
 */
export class Coherence {
  readonly #bus: InvalidationBus | undefined
  readonly #stop: readonly (() => void)[]

  constructor(bus: InvalidationBus | undefined, events: CoherenceEvents) {
    this.#bus = bus
    this.#stop = bus
      ? [
          bus.subscribe(message => {
            if (message.source !== bus.id) events.onMessage(message)
          }),
          bus.onGap(({ connected, reason }: Gap) =>
            connected ? events.onRestored(reason) : events.onLost(reason),
          ),
        ]
      : []
  }

  get trusted(): boolean {
    return this.#bus === undefined || this.#bus.connected
  }

  stop(): void {
    for (const stop of this.#stop) stop()
  }
}
