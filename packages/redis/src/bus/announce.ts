import {
  APPLIED,
  failed,
  type Invalidation,
  type StoreOperation,
  toCacheError,
  type WriteOutcome,
} from '@cache/core'
import type { Pool } from '../pool.ts'
import type { Sender } from './sender.ts'

export interface Announcement {
  readonly pool: Pool
  readonly operation: StoreOperation
  readonly channel: string
  readonly sender: Sender
  readonly timeoutMs: number
}

/** Publishes an invalidation by itself; what a write invalidates travels with the write instead. */
export async function announce(
  { pool, operation, channel, sender, timeoutMs }: Announcement,
  invalidation: Invalidation,
): Promise<WriteOutcome> {
  const message = sender.message(invalidation)
  try {
    await pool.run(operation, pool.forRead(), timeoutMs, client => client.publish(channel, message))
    return APPLIED
  } catch (thrown) {
    return failed(toCacheError(thrown, 'STORE', 'the invalidation could not be published'))
  }
}
