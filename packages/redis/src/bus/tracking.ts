import type { Invalidation } from '@cache/core'
import type { Keyspace } from '../keyspace.ts'
import type { RedisLike } from '../redis-like.ts'

/** Where Redis says which of the keys it tracks were written, removed or expired. */
export const TRACKED = '__redis__:invalidate'

/**
 * Asks Redis to tell of every key under `prefix` that anybody changes (CLIENT TRACKING in broadcasting mode). The
 * connection redirects to itself: over RESP2 what is tracked arrives as messages of {@link TRACKED}, to which it still
 * has to be subscribed.
 *
 * @throws what Redis answers if it does not know the command (before 6.0, some hosted services) or forbids it
 */
export async function track(client: RedisLike, prefix: string): Promise<void> {
  const id = await client.call('CLIENT', 'ID')
  await client.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', 'PREFIX', prefix)
}

/** @returns what a message of {@link TRACKED} says, `undefined` if it is that everything may have changed */
export function decodeTracked(payload: unknown, keyspace: Keyspace): Invalidation | undefined {
  if (!Array.isArray(payload)) return undefined
  const keys = payload.map(String).filter(key => key.startsWith(keyspace.prefix))
  return { type: 'keys', keys: keys.flatMap(key => keyspace.entryKeyOf(key) ?? []) }
}
