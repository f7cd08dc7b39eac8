import type { RedisLike } from './redis-like.ts'

/** Clients whose server sets many keys by one command, and lets them use it. */
const able = new WeakSet<RedisLike>()

/** Whether the server of a client understands `MSETEX`. */
export function setsMany(client: RedisLike): boolean {
  return able.has(client)
}

/**
 * Asks the server of a new connection whether it has `MSETEX` (Redis 8.4, Valkey 9.1), and we may use it: by setting no keys at
 * all. It finds fault with their number only after it has found the command, and permission for it.
 */
export async function askIfSetsMany(client: RedisLike): Promise<void> {
  able.delete(client)
  const refusal = await client.call('MSETEX', '0', 'key', 'value').then(() => '', String)
  if (/numkeys/.test(refusal)) able.add(client)
}
