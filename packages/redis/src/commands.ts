import { exchange, takesBytes } from './exchange.ts'
import type { RedisLike } from './redis-like.ts'

/** GET. */
export function getBytes(client: RedisLike, key: string): Promise<Buffer | null> {
  if (!takesBytes(client)) return client.getBuffer(key)
  return exchange(client, key, ['get', key]) as Promise<Buffer | null>
}

/** MGET. */
export function getManyBytes(client: RedisLike, keys: string[]): Promise<(Buffer | null)[]> {
  if (!takesBytes(client)) return client.mgetBuffer(keys)
  return exchange(client, keys[0] ?? '', ['mget', ...keys]) as Promise<(Buffer | null)[]>
}

/** SET, where nothing is, for so many milliseconds. @returns what is there instead; `null` if nothing was */
export function setOrGetBytes(
  client: RedisLike,
  key: string,
  bytes: Buffer,
  ms: number,
): Promise<Buffer | null> {
  if (!takesBytes(client)) return client.setBuffer(key, bytes, 'PX', ms, 'NX', 'GET')
  return exchange(client, key, ['set', key, bytes, 'PX', ms, 'NX', 'GET']) as Promise<Buffer | null>
}
