import type { Engine } from './engine.ts'
import type { InvalidationBus } from './invalidation-bus.ts'

/** Loads under way lose to what peers write, and to doubt. @returns functions that end it */
export function followBus(engine: Engine, bus: InvalidationBus): (() => void)[] {
  return [
    bus.subscribe(message => {
      if (message.source === bus.id) return
      if (message.type === 'clear') engine.invalidateScope(message.scope ?? '')
      else if (message.type === 'tags') engine.invalidateTags(message.tags)
      else for (const key of message.keys) engine.overtake(key)
    }),
    bus.onGap(() => engine.flights.doubt()),
  ]
}
