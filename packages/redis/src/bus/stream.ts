import type { Invalidation, InvalidationBus, WriteOutcome } from '@cache/core'
import { MasterStreams } from './master-streams.ts'
import type { VersionedMessage } from './message.ts'
import { PubSub, type PubSubOptions } from './pub-sub.ts'

/** Invalidations as they arrive, with a gap for all that may have been missed. */
export interface Stream extends InvalidationBus {
  /** Messages of others that arrived. */
  readonly received: number
  publish(invalidation: Invalidation): Promise<WriteOutcome>
  subscribe(listener: (message: VersionedMessage) => void): () => void
  close(): void
}

/** One connection hears all that is announced; of what a cluster tracks, every master knows its own part. */
export function openStream(options: PubSubOptions): Stream {
  const { mode, listening } = options
  return mode === 'tracking' && listening.masters
    ? new MasterStreams(options, listening.masters)
    : new PubSub(options)
}
